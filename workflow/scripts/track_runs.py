"""Publish the finished runs of an experiment to MLflow, by default to a local database in the folder of results."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import read_experiment, read_experiments
from seqlab.tracking.connection import LOCAL_PREFIX, RECEIPT_FILE, resolve_address
from seqlab.tracking.publish import track_runs


@command
def main() -> None:
    """Publish the finished runs of one runs.json and write the receipt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, metavar="runs.json", help="runs to publish")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results (%(default)s)")
    parser.add_argument(
        "--uri", default="", help="an MLflow server or database; empty for mlflow.db in the folder of results"
    )
    parser.add_argument("--output", type=Path, required=True, help="receipt to write, tracking.json")
    arguments = parser.parse_args()
    uri = resolve_address(arguments.results, arguments.uri)
    experiment = read_experiment(arguments.experiment)
    others = [other for other in read_experiments(arguments.results) if other.folder != experiment.folder]
    is_new = uri.startswith(LOCAL_PREFIX) and not Path(uri.removeprefix(LOCAL_PREFIX)).exists()
    track_runs(experiment, arguments.results, uri, arguments.output)
    for other in others if is_new else ():  # a new database lacks their runs
        track_runs(other, arguments.results, uri, Path(other.folder) / RECEIPT_FILE)


if __name__ == "__main__":
    main()
