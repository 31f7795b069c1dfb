"""Measure what models know of symbols k steps ahead: the known source, the best n-gram, the best network."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.cards import read_card
from seqlab.devices import choose_device, use_threads
from seqlab.errors import InputError, command
from seqlab.files import count_argument
from seqlab.ledger.horizon import COLUMNS, exact_row, sampled_row
from seqlab.ledger.mixture import valid_perplexity
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.places import positions
from seqlab.ngram import horizon as ngram
from seqlab.ngram.model import NgramModel
from seqlab.report.tables import write_table
from seqlab.rnn.checkpoint import load_network
from seqlab.rnn.horizon import bits_ahead
from seqlab.text.definitions import corpus_source
from seqlab.text.horizon import probabilities_ahead
from seqlab.text.sources import symbol_ids
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


def rows(folder: Path, metrics: dict[str, Any], test: list[Any], places: Any, options: Any) -> Iterator[list[Any]]:
    """The rows of one model; none where an n-gram is too large to be summed over."""
    family, model = metrics["family"], metrics["model"]
    if family == "rnn":
        architecture, parameters, _ = load_network(folder)
        device = choose_device(options.device, options.jobs_per_gpu)
        parameters = {name: value.to(device) for name, value in parameters.items()}
        for k in options.steps:
            found = bits_ahead(architecture, parameters, test, places, k, options.samples)
            yield sampled_row(family, model, k, found.bits, found.error, found.bias)
        return
    if family == "source":
        source, vocab = (
            corpus_source(metrics["corpus"], read_card(folder / "card.yaml", "source")["settings"]),
            options.vocab,
        )
        if source is None:
            raise InputError(f"{folder / 'card.yaml'} names no source that generates texts; write the card again")
        texts = [symbol_ids(source, Vocab.load(vocab).text_of(segment)) for segment in test]
        probability = probabilities_ahead(source, texts, places, options.steps)
    else:
        loaded = NgramModel.load(folder / "model.npz")
        if not ngram.feasible(loaded):
            return
        probability = ngram.probabilities_ahead(loaded, test, places, options.steps)
    yield from (exact_row(family, model, k, each) for k, each in zip(options.steps, probability, strict=True))


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="*", help="metrics.json of the source, n-grams and networks")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--steps", type=count_argument, nargs="+", required=True, help="how far ahead")
    parser.add_argument("--symbols", type=count_argument, required=True, help="at most so many symbols of test")
    parser.add_argument("--samples", type=count_argument, required=True, help="ways that are drawn for a network")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="so many jobs may share one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    options = parser.parse_args()
    use_threads(options.threads)
    splits = read_splits(options.splits)
    test = segments_of(read_ids(options.ids, splits), splits, "test")
    options.steps = [k for k in sorted(options.steps) if k < max(map(len, test))] or [1]
    places = positions(test, max(options.steps), options.symbols)
    ledger = sorted(((read_metrics(path), path.parent) for path in options.metrics), key=lambda one: best_first(one[0]))
    found: dict[str, list[list[Any]]] = {}
    for metrics, folder in ledger:
        if not found.get(metrics["family"]):  # the best of each family that can be asked
            found[metrics["family"]] = list(rows(folder, metrics, test, places, options))
    table = pd.DataFrame([row for family in found.values() for row in family], columns=COLUMNS)
    write_table(options.output, table)
    print(table.to_string(index=False))


def best_first(metrics: dict[str, Any]) -> tuple[bool, float, str]:
    """Sources before n-grams and networks, these by their perplexity on valid."""
    return metrics["family"] != "source", valid_perplexity(metrics), metrics["model"]


if __name__ == "__main__":
    main()
