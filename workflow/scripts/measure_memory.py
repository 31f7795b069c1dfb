"""Measure bits against the length of the context for n-grams and the best network."""

import argparse
from pathlib import Path

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, use_threads
from seqlab.questions import memory
from seqlab.questions.subject import Subject, add_subject_arguments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    add_device_arguments(parser)
    parser.add_argument(
        "--contexts", type=count_argument, nargs="+", required=True, help="lengths of contexts in symbols"
    )
    parser.add_argument("--symbols", type=count_argument, required=True, help="largest number of test symbols")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    rows = []
    for row in memory.answer(Subject.read(arguments, memory.MEMORY_FAMILIES), arguments.contexts, arguments.symbols):
        print(f"{row.model} with {row.context} symbols of context: {row.bits_per_symbol:.4f} bits", flush=True)
        rows.append(row)
    write_table(arguments.output, tabulate_rows(memory.MemoryRow, rows))


if __name__ == "__main__":
    main()
