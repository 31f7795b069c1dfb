"""Show the tracked runs in MLflow's pages, on this machine only, until Ctrl-C."""

import argparse
from pathlib import Path

from seqlab.dashboard import serve
from seqlab.errors import command


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="another is taken if it is in use (%(default)s)")
    arguments = parser.parse_args()
    serve(arguments.results.resolve(), arguments.port)


if __name__ == "__main__":
    main()
