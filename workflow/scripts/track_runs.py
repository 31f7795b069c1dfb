"""Mirror finished models into MLflow: by default into a local database beside the results, with no server."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.tracking.connection import address
from seqlab.tracking.publish import track_runs
from seqlab.tracking.runs import Sweep


@command
def main() -> None:
    """Publish the models whose metrics.json are named and write the receipt."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--uri", default="", help="an MLflow server or database; empty: mlflow.db among the results")
    parser.add_argument("--sweep", default=Sweep.name, help="the name of the configuration (%(default)s)")
    parser.add_argument("--command", default=Sweep.command, help="what made the results (%(default)s)")
    parser.add_argument("--output", type=Path, help="the receipt (tracking.json among the results)")
    parser.add_argument("metrics", nargs="+", type=Path, metavar="metrics.json", help="one file of each finished model")
    arguments = parser.parse_args()
    track_runs(
        arguments.results,
        [path.parent for path in arguments.metrics],
        address(arguments.results, arguments.uri),
        arguments.output or arguments.results / "tracking.json",
        Sweep(arguments.sweep, arguments.command),
    )


if __name__ == "__main__":
    main()
