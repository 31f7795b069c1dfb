"""Compare every model of a corpus and unit with the best one and write verdicts.csv."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, select_runs
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions import verdicts


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="CSV file with a row for each comparison")
    arguments = parser.parse_args()
    write_table(arguments.output, tabulate_rows(verdicts.Verdict, verdicts.answer(select_runs(arguments))))


if __name__ == "__main__":
    main()
