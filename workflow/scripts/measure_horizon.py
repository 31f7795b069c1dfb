"""Measure what models know of symbols k steps ahead: the known source, the best n-gram, the best network."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.arguments import count_argument
from seqlab.io.errors import command
from seqlab.io.runs import Run, add_place_arguments, selected_runs
from seqlab.ledger.horizon import COLUMNS, exact_rows
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.places import positions
from seqlab.ledger.selection import rows_of_best
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.ngram import horizon as ngram
from seqlab.report.tables import write_table
from seqlab.rnn import horizon as rnn
from seqlab.text.horizon import known_source_ahead
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    parser.add_argument("--families", nargs="+", required=True, help="the families that are asked")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--steps", type=count_argument, nargs="+", required=True, help="how far ahead")
    parser.add_argument("--symbols", type=count_argument, required=True, help="at most so many symbols of test")
    parser.add_argument("--samples", type=count_argument, required=True, help="ways that are drawn for a network")
    add_device_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    options = parser.parse_args()
    use_threads(options.threads)
    test = read_segments(options.ids, options.splits)["test"]
    steps = [k for k in sorted(options.steps) if k < max(map(len, test))] or [1]
    places = positions(test, max(steps), options.symbols)

    def rows_of(metrics: dict[str, Any], run: Run) -> list[list[Any]]:
        family, model, folder = run.family, run.model, run.folder
        if family == "rnn":
            device = choose_device(options.device, options.jobs_per_gpu)
            return rnn.horizon_rows(folder, model, test, places, steps, options.samples, device)
        if family == "source":
            given = known_source_ahead(run.file("card.yaml"), Vocab.load(options.vocab), test, places, steps)
            return exact_rows(family, model, steps, given)
        return ngram.horizon_rows(folder, model, test, places, steps)

    runs = selected_runs(options, options.families)
    rows = rows_of_best(((read_metrics(run.file("metrics.json")), run) for run in runs), rows_of)
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_table(options.output, table)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
