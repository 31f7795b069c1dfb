"""Score valid and test with the known source of the text."""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from seqlab.io.arguments import count_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import write_text
from seqlab.ledger.record import write_ledger
from seqlab.text.known_source import read_known_source
from seqlab.text.reading import read_clean
from seqlab.text.sources import confidence_interval, entropy_rate, generate_text, rate_answers, symbol_bits, symbol_ids
from seqlab.text.splits import read_splits


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    parser.add_argument("--symbols", required=True, type=count_argument, help="length of the sample in symbols")
    arguments = parser.parse_args()
    begin_run(arguments, "source", "ids", "splits", "vocab")
    source, splits = read_known_source(arguments.folder / "card.yaml"), read_splits(arguments.splits)
    text = read_clean(arguments.text)
    bits = {}
    for split in ("valid", "test"):
        # segment by segment: like every model, the source knows nothing before the first symbol
        parts = [text[start:stop] for start, stop in splits["splits"][split]["segments"]]
        bits[split] = np.concatenate([symbol_bits(source, symbol_ids(source, part))[1:] for part in parts])[None]
    low, high = confidence_interval(source, splits["splits"]["test"]["scored"])
    rate = {"bits_per_symbol": entropy_rate(source), "low": low, "high": high}
    answers = {"answers": {"symbols": source.answers, **asdict(rate_answers(source))}} if source.answers else {}
    write_text(arguments.folder / "sample.txt", generate_text(source, arguments.symbols, seed=1) + "\n", checksum=False)
    write_ledger(arguments.folder, splits, bits, entropy_rate=rate, **answers)


if __name__ == "__main__":
    main()
