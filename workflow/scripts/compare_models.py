"""Hold every model of an experiment against the best one: is the difference real?"""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, selected_runs
from seqlab.io.tables import write_table
from seqlab.ledger.record import read_ledger
from seqlab.ledger.verdicts import Entry, verdicts


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="csv with a row per model")
    arguments = parser.parse_args()
    ledger = map(read_ledger, selected_runs(arguments))
    write_table(arguments.output, verdicts([Entry(metrics, bits["test"]) for metrics, bits in ledger]))


if __name__ == "__main__":
    main()
