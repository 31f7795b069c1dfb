"""Pack a finished experiment as a crate (RO-Crate), which others can check."""

import argparse
from pathlib import Path

from seqlab.crate.packing import pack_crate
from seqlab.io.arguments import json_argument
from seqlab.io.errors import command
from seqlab.io.runs import read_experiment


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--configuration", type=json_argument("crate"), required=True, help="all settings, JSON")
    parser.add_argument("--definitions", type=json_argument(), required=True, help="blocks of corpora, JSON")
    parser.add_argument("--project", type=Path, required=True, help="folder with the Snakefile and src")
    parser.add_argument("--output", type=Path, required=True, help="zip archive to write")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    pack_crate(experiment, arguments.configuration, arguments.definitions, arguments.project, arguments.output)
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {size:,} bytes; `make verify CRATE={arguments.output}` checks it")


if __name__ == "__main__":
    main()
