"""Measure bits of symbols k steps ahead under the known source, the best n-gram and the best network."""

import argparse
from pathlib import Path

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, use_threads
from seqlab.questions import horizon
from seqlab.questions.subject import Subject, add_subject_arguments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    add_device_arguments(parser)
    parser.add_argument("--families", nargs="+", required=True, help="families of models")
    parser.add_argument("--steps", type=count_argument, nargs="+", required=True, help="numbers of steps ahead")
    parser.add_argument("--symbols", type=count_argument, required=True, help="largest number of test symbols")
    parser.add_argument("--samples", type=count_argument, required=True, help="number of sampled paths of a network")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    subject = Subject.read(arguments, arguments.families)
    rows = horizon.answer(subject, arguments.steps, arguments.symbols, arguments.samples)
    table = tabulate_rows(horizon.HorizonRow, rows)
    write_table(arguments.output, table)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
