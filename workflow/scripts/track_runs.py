"""Mirror the finished runs of an experiment into MLflow: by default into a local database beside the results."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import read_experiment, read_experiments
from seqlab.tracking.connection import LOCAL, RECEIPT, address
from seqlab.tracking.publish import track_runs


@command
def main() -> None:
    """Publish the finished runs of one runs.json and write the receipt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, metavar="runs.json", help="the runs to publish")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--uri", default="", help="an MLflow server or database; empty: mlflow.db among the results")
    parser.add_argument("--output", type=Path, required=True, help="the receipt, tracking.json")
    arguments = parser.parse_args()
    uri = address(arguments.results, arguments.uri)
    experiment = read_experiment(arguments.experiment)
    others = [other for other in read_experiments(arguments.results) if other.folder != experiment.folder]
    is_new = uri.startswith(LOCAL) and not Path(uri.removeprefix(LOCAL)).exists()
    track_runs(experiment, arguments.results, uri, arguments.output)
    for other in others if is_new else ():  # a database that was deleted or moved held theirs too
        track_runs(other, arguments.results, uri, Path(other.folder) / RECEIPT)


if __name__ == "__main__":
    main()
