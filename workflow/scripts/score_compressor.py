"""Score valid and test with a general compressor."""

import argparse

import numpy as np

from seqlab.io.arrays import read_arrays
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import damaged
from seqlab.ledger.compressors import count_compressed_bits
from seqlab.ledger.record import write_ledger
from seqlab.text.splits import read_splits


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--bytes", required=True, help="bytes.npz of the corpus and unit")
    arguments = parser.parse_args()
    card, splits = begin_run(arguments, "compressor", "ids", "splits", "vocab"), read_splits(arguments.splits)
    parts = {name: array.tobytes() for name, array in read_arrays(arguments.bytes).items()}
    if missing := {"train", "valid", "test"} - set(parts):
        raise damaged(arguments.bytes, f"it lacks {min(missing)}")
    bits = {}
    for split in ("valid", "test"):
        scored = splits["splits"][split]["scored"]
        total = count_compressed_bits(card["model"], parts["train"], parts[split])
        bits[split] = np.full((1, scored), total / scored)  # only the total is known
    write_ledger(arguments.folder, splits, bits, per_symbol=False)


if __name__ == "__main__":
    main()
