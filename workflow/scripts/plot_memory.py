"""Draw bits per symbol against the length of the context."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.ledger.memory import COLUMNS
from seqlab.report.curves import memory
from seqlab.report.style import save
from seqlab.report.tables import read_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", type=Path, required=True, help="memory.csv of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(memory(read_table(arguments.memory, COLUMNS)), arguments.output)


if __name__ == "__main__":
    main()
