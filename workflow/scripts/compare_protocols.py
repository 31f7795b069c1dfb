"""Score the best network under the protocols of other tools."""

import argparse
from pathlib import Path

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.machine.devices import add_device_arguments, use_threads
from seqlab.questions import protocols
from seqlab.questions.subject import Subject, add_subject_arguments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_subject_arguments(parser)
    add_device_arguments(parser)
    parser.add_argument(
        "--windows", type=count_argument, required=True, help="number of random windows and limit of overlapping ones"
    )
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    table = tabulate_rows(protocols.ProtocolRow, protocols.answer(Subject.read(arguments, ["rnn"]), arguments.windows))
    write_table(arguments.output, table)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
