"""Write runs.json: the runs of the experiment, its configuration and command."""

import argparse

from seqlab.io.errors import command
from seqlab.io.files import read_json
from seqlab.io.runs import write_experiment


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="the arguments of write_experiment, as JSON")
    parser.add_argument("--output", required=True, help="runs.json to write")
    arguments = parser.parse_args()
    write_experiment(arguments.output, **read_json(arguments.plan))


if __name__ == "__main__":
    main()
