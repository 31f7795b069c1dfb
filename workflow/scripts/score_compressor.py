"""Score valid and test with a general compressor."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.ledger.compressors import compressed_bits
from seqlab.ledger.record import record
from seqlab.text.reading import read_clean
from seqlab.text.splits import read_splits, tokenize_parts
from seqlab.text.tokens import to_bytes


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--card", required=True, help="card of the run")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    parser.add_argument("--splits", required=True, help="splits.json of the corpus and unit")
    parser.add_argument("--scores", required=True, help="scores.npz to write")
    parser.add_argument("--metrics", required=True, help="metrics.json to write")
    arguments = parser.parse_args()
    card, splits = read_card(arguments.card, "compressor"), read_splits(arguments.splits)
    files = tokenize_parts(read_clean(arguments.text), card["unit"], splits["kind"])
    tokens = [token for file in files for token in file]
    parts = {
        name: b"".join(to_bytes(tokens[start:stop], card["unit"]) for start, stop in split["segments"])
        for name, split in splits["splits"].items()
    }
    bits = {}
    for split in ("valid", "test"):
        scored = splits["splits"][split]["scored"]
        total = compressed_bits(card["model"], parts["train"], parts[split])
        bits[split] = np.full((1, scored), total / scored)  # only the total is known: it is spread evenly
    record(arguments.card, splits, bits, arguments.scores, arguments.metrics, per_symbol=False)


if __name__ == "__main__":
    main()
