"""Measure bits per answer against the symbols since the answer before, on test and on the second text of a corpus."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, use_threads
from seqlab.questions import gaps
from seqlab.questions.subject import Subject, add_subject_arguments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    add_device_arguments(parser)
    parser.add_argument("--families", nargs="+", required=True, help="families of models")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    table = tabulate_rows(gaps.GapRow, gaps.answer(Subject.read(arguments, arguments.families)))
    write_table(arguments.output, table)
    print(table[table["longest"] == gaps.ALL_GAPS[1]].to_string(index=False))


if __name__ == "__main__":
    main()
