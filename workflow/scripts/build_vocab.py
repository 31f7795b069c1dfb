"""Build the vocabulary of a corpus from its train split alone."""

import argparse
from pathlib import Path

from seqlab.errors import InputError, command
from seqlab.files import json_argument
from seqlab.text.checks import check_unit
from seqlab.text.reading import read_clean
from seqlab.text.splits import cut, learn_pieces
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser, split = argparse.ArgumentParser(description=__doc__), json_argument("kind", "train", "valid", "test")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    parser.add_argument("--unit", required=True, help="char, word, byte or bpe")
    parser.add_argument("--split", required=True, type=split, help="kind and shares of the split, as JSON")
    parser.add_argument("--min-freq", required=True, type=int, help="rarer tokens become <unk>")
    parser.add_argument("--merges", required=True, type=int, help="pairs that unit bpe merges")
    parser.add_argument("--output", required=True, help="vocab.json to write")
    arguments = parser.parse_args()
    text, unit, split = read_clean(arguments.text), arguments.unit, arguments.split
    pieces, merges = learn_pieces(text, split, arguments.merges) if unit == "bpe" else ([], [])
    tokens, segments = cut(text, unit, split, merges)
    train = [token for start, stop in segments["train"] for token in tokens[start:stop]]
    vocab = Vocab(train, arguments.min_freq, pieces, unit, merges)
    for finding in check_unit(text, vocab):
        if finding.stops:
            raise InputError(f"{arguments.text} by {unit}: {finding.sentence}")
    vocab.save(arguments.output)
    print(f"{len(vocab):,} entries; {vocab.counts[0]:,} of {len(train):,} training tokens are unknown")


if __name__ == "__main__":
    main()
