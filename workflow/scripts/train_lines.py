"""Estimate an n-gram model of lines on the train split and score valid and test with it."""

import argparse
import time

from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.ledger.record import read_training, write_ledger
from seqlab.ngram.lines import count_line_ends, score_segments, train_on_lines
from seqlab.text.reading import read_clean
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--text", required=True, help="clean.txt of the corpus")
    arguments = parser.parse_args()
    settings = begin_run(arguments, "lines", "ids", "splits", "vocab")["settings"]
    splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
    ids = read_ids(arguments.ids, splits)
    ends = count_line_ends(read_clean(arguments.text))
    started = time.perf_counter()
    train = zip(segments_of(ids, splits, "train"), segments_of(ends, splits, "train"), strict=True)
    model = train_on_lines(list(train), vocab, settings["smoothing"], settings["order"])
    seconds = time.perf_counter() - started
    model.save(arguments.folder / "model")
    parameters = sum(model.packed.shape.ngrams)
    notes = model.description["notes"]
    training = {"seconds": round(seconds, 3), "parameters": parameters, "notes": notes}
    print(f"{parameters:,} n-grams in {seconds:.2f} s", *notes, sep="\n")
    write_json(arguments.folder / "training.json", training | {"discounts": model.description["discounts"]})
    bits = {}
    for name in ("valid", "test"):
        segments = zip(segments_of(ids, splits, name), segments_of(ends, splits, name), strict=True)
        bits[name] = score_segments(model, list(segments))[None]
    write_ledger(arguments.folder, splits, bits, read_training(arguments.folder / "training.json"))


if __name__ == "__main__":
    main()
