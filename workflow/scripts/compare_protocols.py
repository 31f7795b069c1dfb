"""Score the best network once more in the ways that others score theirs."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, selected_runs
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger
from seqlab.ledger.selection import best_on_valid
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.report.tables import write_table
from seqlab.rnn.protocols import COLUMNS, protocol_rows
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument(
        "--windows", type=count_argument, required=True, help="windows that are drawn, and at most taken"
    )
    add_device_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    rows: list[list[Any]] = []
    networks = selected_runs(arguments, ["rnn"])
    if best := best_on_valid((read_metrics(run.file("metrics.json")), run) for run in networks):
        _, run = best
        metrics, bits = read_ledger(run)
        newline = Vocab.load(arguments.vocab).index.get("\n")
        test = read_segments(arguments.ids, arguments.splits)["test"]
        device = choose_device(arguments.device, arguments.jobs_per_gpu)
        rows = protocol_rows(run.folder, metrics, bits["test"], test, arguments.windows, newline, device)
    for model, protocol, _, _, perplexity, *_ in rows:
        print(f"{model}, {protocol}: perplexity {perplexity:.4f}")
    write_table(arguments.output, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    main()
