"""Turn a text into indices, and say where its splits lie."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.errors import command
from seqlab.files import json_argument, replacing, write_json
from seqlab.provenance import sha256_of
from seqlab.text.reading import read_clean
from seqlab.text.splits import cut, describe
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser, split = argparse.ArgumentParser(description=__doc__), json_argument("kind", "train", "valid", "test")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    parser.add_argument("--vocab", required=True, help="vocab.json of the corpus and unit")
    parser.add_argument("--unit", required=True, help="char, word, byte or bpe")
    parser.add_argument("--split", required=True, type=split, help="kind and shares of the split, as JSON")
    parser.add_argument("--ids", required=True, help="ids.npy to write")
    parser.add_argument("--splits", required=True, help="splits.json to write")
    arguments = parser.parse_args()
    vocab = Vocab.load(arguments.vocab)
    tokens, segments = cut(read_clean(arguments.text), arguments.unit, arguments.split, vocab.merges)
    ids = vocab.encode(tokens)
    splits = describe(arguments.split["kind"], segments, ids, tokens, arguments.unit)
    with replacing(arguments.ids) as temporary:
        np.save(temporary, ids)
    write_json(arguments.splits, splits | {"ids": sha256_of(arguments.ids)})
    for name, split in splits["splits"].items():
        print(f"{name}: {split['symbols']:,} symbols, {split['unknown']:,} of them unknown")


if __name__ == "__main__":
    main()
