"""Break down the test bits of the best models by context, and find where n-gram and network differ most."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions import breakdown
from seqlab.questions.subject import Subject, add_subject_arguments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    parser.add_argument("--breakdown", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--contrast", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    rows, contrast = breakdown.answer(Subject.read(arguments))
    write_table(arguments.breakdown, tabulate_rows(breakdown.BreakdownRow, rows))
    write_json(arguments.contrast, contrast)


if __name__ == "__main__":
    main()
