"""Cut a text into tokens and write the vocabulary of its train split, all indices and the splits."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.io.arguments import json_argument
from seqlab.io.errors import InputError, command
from seqlab.io.files import replacing, write_json
from seqlab.text.checks import check_unit
from seqlab.text.reading import read_clean
from seqlab.text.splits import check_preparation, cut_text, describe_splits, learn_pieces
from seqlab.text.tokens import UNITS, to_bytes
from seqlab.text.unknown import find_unknown_symbols
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    parser.add_argument("--unit", required=True, choices=UNITS)
    parser.add_argument(
        "--preparation",
        required=True,
        type=json_argument("kind", "min_freq"),
        help="kind and settings of the split, min_freq, and for unit bpe merges, as JSON",
    )
    parser.add_argument("--folder", required=True, type=Path, help="folder of the prepared corpus")
    arguments = parser.parse_args()
    text, unit, folder = read_clean(arguments.text), arguments.unit, arguments.folder
    preparation = arguments.preparation
    check_preparation(preparation, unit)
    pieces, merges = learn_pieces(text, preparation, preparation["merges"]) if unit == "bpe" else ([], [])
    tokens, segments = cut_text(text, unit, preparation, merges)
    train = [token for start, stop in segments["train"] for token in tokens[start:stop]]
    vocab = Vocab(train, preparation["min_freq"], pieces, unit, merges)
    for finding in check_unit(text, vocab):
        if finding.stops:
            raise InputError(f"{arguments.text} by {unit}: {finding.sentence}")
    ids = vocab.encode(tokens)
    splits = describe_splits(preparation["kind"], segments, ids, tokens, unit)
    vocab.save(folder / "vocab.json")
    with replacing(folder / "ids.npy") as temporary:
        np.save(temporary, ids)
    write_json(folder / "splits.json", splits)
    write_json(folder / "unknown.json", find_unknown_symbols(unit, tokens, vocab, splits))
    parts = {
        name: np.frombuffer(b"".join(to_bytes(tokens[start:stop], unit) for start, stop in ranges), dtype=np.uint8)
        for name, ranges in segments.items()
    }
    with replacing(folder / "bytes.npz") as temporary:
        np.savez(temporary, **parts)
    print(f"{len(vocab):,} entries; {vocab.counts[0]:,} of {len(train):,} training tokens are unknown")
    for name, split in splits["splits"].items():
        print(f"{name}: {split['symbols']:,} symbols, {split['unknown']:,} of them unknown")


if __name__ == "__main__":
    main()
