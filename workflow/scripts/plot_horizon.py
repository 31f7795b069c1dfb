"""Draw bits per symbol against the number of steps ahead."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.ledger.horizon import COLUMNS
from seqlab.report.curves import horizon
from seqlab.report.style import save
from seqlab.report.tables import read_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=Path, required=True, help="horizon.csv of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(horizon(read_table(arguments.horizon, COLUMNS)), arguments.output)


if __name__ == "__main__":
    main()
