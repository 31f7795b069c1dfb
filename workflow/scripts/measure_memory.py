"""Measure how far back a model remembers: bits against the length of the context, for n-grams and the best network."""

import argparse
from pathlib import Path

import pandas as pd

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.runs import add_place_arguments, selected_runs
from seqlab.ledger.memory import COLUMNS, ngram_rows, source_row
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.places import places_of, positions
from seqlab.ledger.selection import best_on_valid
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.report.tables import write_table
from seqlab.rnn.memory import memory_rows
from seqlab.text.splits import read_segments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    for name in ("ids", "splits"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--contexts", type=count_argument, nargs="+", required=True, help="numbers of symbols")
    parser.add_argument("--symbols", type=count_argument, required=True, help="at most so many symbols of test")
    add_device_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    test = read_segments(arguments.ids, arguments.splits)["test"]
    fitting = [length for length in sorted(arguments.contexts) if length < max(map(len, test))] or [1]
    places = positions(test, fitting[-1], arguments.symbols)
    scored = places_of(test, places)
    runs = selected_runs(arguments, ["source", "ngram", "rnn"])
    rows = [source_row(run, scored) for run in runs if run.family == "source"]
    rows += ngram_rows([run for run in runs if run.family == "ngram"], scored)
    ledger = [(read_metrics(run.file("metrics.json")), run) for run in runs if run.family == "rnn"]
    if best := best_on_valid(ledger):
        metrics, run = best
        device = choose_device(arguments.device, arguments.jobs_per_gpu)
        for row in memory_rows(run.folder, metrics["model"], test, places, fitting, device):
            rows.append(row)
            _, model, context, _, bits, _ = row
            print(f"{model} with {context} symbols of context: {bits:.4f} bits", flush=True)
    write_table(arguments.output, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    main()
