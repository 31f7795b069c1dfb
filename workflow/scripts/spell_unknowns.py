"""Say what the unknown symbols of valid and test cost when they are spelt out."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.files import json_argument, write_json
from seqlab.ngram.spelling import spelling
from seqlab.text.reading import read_clean
from seqlab.text.splits import cut, read_splits
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser, split = argparse.ArgumentParser(description=__doc__), json_argument("kind", "train", "valid", "test")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    for name in ("vocab", "splits"):
        parser.add_argument(f"--{name}", required=True, help=f"{name}.json of the corpus and unit")
    parser.add_argument("--split", required=True, type=split, help="kind and shares of the split, as JSON")
    parser.add_argument("--output", required=True, help="spelling.json to write")
    arguments = parser.parse_args()
    vocab = Vocab.load(arguments.vocab)
    tokens, _ = cut(read_clean(arguments.text), vocab.unit, arguments.split, vocab.merges)
    found = spelling(vocab.unit, tokens, vocab, read_splits(arguments.splits))
    write_json(arguments.output, found)
    for name, split in found.items():
        print(f"{name}: {split['unknown']:,} unknown symbols, {split['bits']:,.0f} bits to spell them")


if __name__ == "__main__":
    main()
