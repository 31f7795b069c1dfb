"""Prune an n-gram model and score valid and test with it."""

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from seqlab.io.arguments import add_sample_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.ledger.record import read_training
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.pruning import prune_model
from seqlab.ngram.shards import read_counts
from seqlab.scoring import score_run
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--counts", nargs="*", default=[], help="folder of the merged counts, if it exists")
    parser.add_argument("--whole", required=True, help="model.npz to prune")
    parser.add_argument("--whole-training", required=True, help="its training.json")
    parser.add_argument("--name", required=True, help="its name")
    add_sample_argument(parser)
    arguments = parser.parse_args()
    card = begin_run(arguments, "ngram", "ids", "splits", "vocab", needed=["prune"])
    splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
    ids = read_ids(arguments.ids, splits)
    started = time.perf_counter()
    whole, training = BackoffModel.load(arguments.whole), read_training(arguments.whole_training)

    def count() -> list[NDArray[np.int64]]:
        if arguments.counts:
            tables = read_counts(arguments.counts[0], whole.order, whole.vocabulary)
        else:
            tables = count_ngrams(segments_of(ids, splits, "train"), whole.order, whole.vocabulary)
        return [table.count for table in tables]

    pruned = prune_model(whole, card["settings"]["prune"], count)
    path = arguments.folder / "model.npz"
    pruned.save(path)
    training |= {
        "seconds": round(training["seconds"] + time.perf_counter() - started, 3),  # the estimation included
        "parameters": pruned.parameters,
    }
    print(f"{pruned.parameters:,} of {whole.parameters:,} n-grams kept")
    write_json(arguments.folder / "training.json", training | {"pruned_from": arguments.name})
    model = BackoffModel.load(path)
    score_run(arguments.folder, model, splits, ids, vocab, arguments.sample, pruned_from=arguments.name)


if __name__ == "__main__":
    main()
