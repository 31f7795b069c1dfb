"""Say where in the test split the bits of the best models lie, and where n-gram and network differ most."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.files import write_json
from seqlab.ledger.breakdown import breakdown, contrast
from seqlab.ledger.mixture import valid_perplexity
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ledger.verdicts import CHOSEN
from seqlab.report.tables import write_table
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.tokens import UNITS
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="+", help="metrics.json of every model, with scores.npz beside it")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--unit", required=True, choices=UNITS, help="char, word or byte")
    parser.add_argument("--breakdown", type=Path, required=True, help="csv to write")
    parser.add_argument("--contrast", type=Path, required=True, help="json to write")
    arguments = parser.parse_args()
    splits, tokens = read_splits(arguments.splits), Vocab.load(arguments.vocab).tokens
    ids = read_ids(arguments.ids, splits)
    train, test = segments_of(ids, splits, "train"), segments_of(ids, splits, "test")
    ledger = [(read_metrics(path), path.with_name("scores.npz")) for path in arguments.metrics]
    best = {}
    for family in CHOSEN:
        own = [(valid_perplexity(one), one["model"], path) for one, path in ledger if one["family"] == family]
        if own and min(own)[0] < float("inf"):
            best[family] = min(own)
    bits = {family: read_scores(path)["test"].mean(0) for family, (_, _, path) in best.items()}
    named = {best[family][1]: costs for family, costs in bits.items()}
    write_table(arguments.breakdown, breakdown(named, train, test, tokens, arguments.unit))
    both = "ngram" in bits and "rnn" in bits
    places = contrast(bits["ngram"], bits["rnn"], test, tokens) if both else []
    names = {family: best[family][1] if family in best else None for family in ("ngram", "rnn")}
    write_json(arguments.contrast, names | {"unit": arguments.unit, "places": places})


if __name__ == "__main__":
    main()
