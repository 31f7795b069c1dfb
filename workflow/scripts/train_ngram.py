"""Estimate an n-gram model on the train split and score valid and test with it."""

import argparse
import time

from seqlab.io.arguments import add_sample_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.shards import read_counts
from seqlab.ngram.smoothing import estimate_from_counts
from seqlab.scoring import score_run
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--counts", nargs="*", default=[], help="folder of the merged counts, if it exists")
    add_sample_argument(parser)
    arguments = parser.parse_args()
    settings = begin_run(arguments, "ngram", "ids", "splits", "vocab")["settings"]
    splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
    ids = read_ids(arguments.ids, splits)
    started = time.perf_counter()
    if arguments.counts:
        tables = read_counts(arguments.counts[0], settings["order"], len(vocab))
    else:
        tables = count_ngrams(segments_of(ids, splits, "train"), settings["order"], len(vocab))
    fit = estimate_from_counts(settings["smoothing"], tables, len(vocab), valid=segments_of(ids, splits, "valid"))
    seconds = time.perf_counter() - started
    path = arguments.folder / "model.npz"
    fit.model.save(path)
    training = {"seconds": round(seconds, 3), "parameters": fit.model.parameters, "notes": fit.notes} | fit.details
    print(f"{fit.model.parameters:,} n-grams in {seconds:.2f} s", *fit.notes, sep="\n")
    write_json(arguments.folder / "training.json", training)
    score_run(arguments.folder, BackoffModel.load(path), splits, ids, vocab, arguments.sample)


if __name__ == "__main__":
    main()
