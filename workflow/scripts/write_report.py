"""Write the report, one HTML file, about a finished experiment."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import read_experiment
from seqlab.report.page import write_report


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the report, an html file")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    from seqlab.io.provenance import provenance  # looks at the machine, so only when the arguments are good

    write_report(experiment, provenance(), arguments.output)


if __name__ == "__main__":
    main()
