"""Estimate an n-gram model from the train split."""

import argparse
import time

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.files import write_json
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.shards import read_counts
from seqlab.ngram.smoothing import estimate_from
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--counts", nargs="*", default=[], help="folder of the merged counts, if there is one")
    parser.add_argument("--model", required=True, help="model.npz to write")
    parser.add_argument("--training", required=True, help="training.json to write")
    arguments = parser.parse_args()
    card = read_card(arguments.card, "ngram", ids=arguments.ids, splits=arguments.splits, vocab=arguments.vocab)
    settings = card["settings"]
    segments = read_segments(arguments.ids, arguments.splits)
    vocabulary, order = len(Vocab.load(arguments.vocab)), settings["order"]
    started = time.perf_counter()
    if arguments.counts:
        tables = read_counts(arguments.counts[0], order, vocabulary)
    else:
        tables = count_ngrams(segments["train"], order, vocabulary)
    made = estimate_from(settings["smoothing"], tables, vocabulary, valid=segments["valid"])
    seconds = time.perf_counter() - started
    made.model.save(arguments.model)
    summary = {"seconds": round(seconds, 3), "parameters": made.model.parameters, "notes": made.notes}
    write_json(arguments.training, summary | made.details)
    print(f"{made.model.parameters:,} n-grams in {seconds:.2f} s", *made.notes, sep="\n")


if __name__ == "__main__":
    main()
