"""Compare every model of an experiment with the best one: is the difference real?"""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, selected_runs
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions import verdicts


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="csv with a row per model")
    arguments = parser.parse_args()
    write_table(arguments.output, tabulate_rows(verdicts.Verdict, verdicts.answer(selected_runs(arguments))))


if __name__ == "__main__":
    main()
