"""Compare the runs on a corpus and unit with the printed values of a published table; write and print the verdicts."""

import argparse
from pathlib import Path

import pandas as pd

from seqlab.io.arguments import count_argument, json_argument
from seqlab.io.errors import command
from seqlab.io.schemas import check, read_schema
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, use_threads
from seqlab.questions import reproduction
from seqlab.questions.subject import Subject, add_subject_arguments
from seqlab.report.published import SHORT_COLUMNS, count_verdicts, format_published


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    add_device_arguments(parser)
    published = json_argument("title", "cells")
    parser.add_argument("--published", type=published, required=True, help="the published table, as JSON")
    parser.add_argument("--windows", type=count_argument, required=True, help="limit of windows of protocol windows")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    check(arguments.published, read_schema("config")["properties"]["published"], "--published:")
    use_threads(arguments.threads)
    answer = reproduction.answer(Subject.read(arguments), arguments.published, arguments.windows)
    table = tabulate_rows(reproduction.ReproductionRow, answer)
    write_table(arguments.output, table)
    rows = format_published(table)
    print(f"{arguments.published['title']}, compared with {arguments.corpus} by {arguments.unit}")
    print(pd.DataFrame(rows, columns=list(SHORT_COLUMNS)).to_string(index=False))
    print(f"{len(rows)} printed values: {count_verdicts(rows)}")


if __name__ == "__main__":
    main()
