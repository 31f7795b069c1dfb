"""Measure how far back a model remembers: bits against the length of the context, for n-grams and the best network."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from seqlab.devices import choose_device, use_threads
from seqlab.errors import command
from seqlab.files import count_argument
from seqlab.ledger.memory import COLUMNS, ngram_rows, source_row
from seqlab.ledger.mixture import valid_perplexity
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.places import places_of, positions
from seqlab.report.tables import write_table
from seqlab.rnn.checkpoint import load_network
from seqlab.rnn.memory import bits_after
from seqlab.text.splits import read_ids, read_splits, segments_of


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="*", help="metrics.json of n-grams, networks and the source")
    for name in ("ids", "splits"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--contexts", type=count_argument, nargs="+", required=True, help="numbers of symbols")
    parser.add_argument("--symbols", type=count_argument, required=True, help="at most so many symbols of test")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="so many jobs may share one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    splits = read_splits(arguments.splits)
    test = segments_of(read_ids(arguments.ids, splits), splits, "test")
    fitting = [length for length in sorted(arguments.contexts) if length < max(map(len, test))] or [1]
    places = positions(test, fitting[-1], arguments.symbols)
    ledger = [(read_metrics(path), path) for path in arguments.metrics]
    scored = places_of(test, places)
    rows = [source_row(metrics, path, scored) for metrics, path in ledger if metrics["family"] == "source"]
    rows += ngram_rows([(metrics, path) for metrics, path in ledger if metrics["family"] == "ngram"], scored)
    networks = [(valid_perplexity(one), one["model"], path) for one, path in ledger if one["family"] == "rnn"]
    if networks:
        _, model, path = min(networks)
        architecture, parameters, _ = load_network(path.parent)
        device = choose_device(arguments.device, arguments.jobs_per_gpu)
        parameters = {name: value.to(device) for name, value in parameters.items()}
        for context in fitting:
            bits = bits_after(architecture, parameters, test, places, context)
            spread = float(bits.mean(1).std(ddof=1)) if len(bits) > 1 else float("nan")
            rows.append([model, model, context, bits.shape[1], float(np.mean(bits)), spread])
            print(f"{model} with {context} symbols of context: {np.mean(bits):.4f} bits", flush=True)
    write_table(arguments.output, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    main()
