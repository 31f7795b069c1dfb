"""Write the report of a finished experiment, one HTML file."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import read_experiment
from seqlab.report.page import write_report


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    from seqlab.io.provenance import collect_provenance  # inspects the machine, so only after the arguments are valid

    write_report(experiment, collect_provenance(), arguments.output)


if __name__ == "__main__":
    main()
