"""Make an n-gram model smaller."""

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import command
from seqlab.files import write_json
from seqlab.ledger.record import read_training
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import NgramModel
from seqlab.ngram.pruning import prune, read_pruning
from seqlab.ngram.shards import read_counts
from seqlab.text.splits import read_segments


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "ids", "splits"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--counts", nargs="*", default=[], help="folder of the merged counts, if there is one")
    parser.add_argument("--whole", required=True, help="model.npz that is made smaller")
    parser.add_argument("--whole-training", required=True, help="its training.json")
    parser.add_argument("--name", required=True, help="its name")
    parser.add_argument("--model", required=True, help="model.npz to write")
    parser.add_argument("--training", required=True, help="training.json to write")
    arguments = parser.parse_args()
    wanted = read_pruning(arguments.card, ids=arguments.ids, splits=arguments.splits)
    started = time.perf_counter()
    whole, training = NgramModel.load(arguments.whole), read_training(arguments.whole_training)

    def count() -> list[NDArray[np.int64]]:
        if arguments.counts:
            tables = read_counts(arguments.counts[0], whole.order, whole.vocabulary)
        else:
            train = read_segments(arguments.ids, arguments.splits)["train"]
            tables = count_ngrams(train, whole.order, whole.vocabulary)
        return [table.count for table in tables]

    made = prune(whole, wanted, count)
    made.save(arguments.model)
    training |= {
        "seconds": round(training["seconds"] + time.perf_counter() - started, 3),  # what it takes from the text on
        "parameters": made.parameters,
        "pruned_from": arguments.name,
    }
    write_json(arguments.training, training)
    print(f"{made.parameters:,} of {whole.parameters:,} n-grams are left")


if __name__ == "__main__":
    main()
