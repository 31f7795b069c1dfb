"""Say where in the test split the bits of the best models lie, and where n-gram and network differ most."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.io.runs import add_place_arguments, selected_runs
from seqlab.io.tables import write_table
from seqlab.ledger.breakdown import breakdown, contrast
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger
from seqlab.ledger.selection import best_on_valid
from seqlab.ledger.verdicts import CHOSEN
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_place_arguments(parser)
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--breakdown", type=Path, required=True, help="csv to write")
    parser.add_argument("--contrast", type=Path, required=True, help="json to write")
    arguments = parser.parse_args()
    segments, tokens = read_segments(arguments.ids, arguments.splits), Vocab.load(arguments.vocab).tokens
    train, test = segments["train"], segments["test"]
    ledger = [(read_metrics(run.file("metrics.json")), run) for run in selected_runs(arguments)]
    best = {family: pair for family in CHOSEN if (pair := best_on_valid(ledger, family))}
    bits = {family: read_ledger(run)[1]["test"].mean(0) for family, (_, run) in best.items()}
    model = {family: metrics["model"] for family, (metrics, _) in best.items()}
    named = {model[family]: costs for family, costs in bits.items()}
    write_table(arguments.breakdown, breakdown(named, train, test, tokens, arguments.unit))
    both = "ngram" in bits and "rnn" in bits
    places = contrast(bits["ngram"], bits["rnn"], test, tokens) if both else []
    names = {family: model.get(family) for family in ("ngram", "rnn")}
    write_json(arguments.contrast, names | {"unit": arguments.unit, "places": places})


if __name__ == "__main__":
    main()
