"""Draw where in the test split the bits of the best models lie."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.ledger.breakdown import COLUMNS
from seqlab.report.explained import who_knows_what
from seqlab.report.style import save
from seqlab.report.tables import read_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--breakdown", type=Path, required=True, help="breakdown.csv of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(who_knows_what(read_table(arguments.breakdown, COLUMNS, dtype={"group": str})), arguments.output)


if __name__ == "__main__":
    main()
