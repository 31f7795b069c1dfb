"""Score valid and test with a model of another program."""

import argparse

from seqlab.audit.external import (
    add_limit_arguments,
    charge_segments,
    match_vocabulary,
    open_external,
    read_limits,
    translate_segments,
)
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.ledger.record import write_ledger
from seqlab.ledger.scores import SCORED_SPLITS
from seqlab.text.splits import read_segments, read_splits
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--files", nargs="+", required=True, help="files of the model; the card records their checksum")
    add_limit_arguments(parser)
    arguments = parser.parse_args()
    card = begin_run(arguments, "external", "ids", "splits", "vocab", "files")
    segments, model, bits = read_segments(arguments.ids, arguments.splits), card["model"], {}
    with open_external(card["settings"], read_limits(arguments)) as candidate:
        indices = match_vocabulary(candidate.symbols(), Vocab.load(arguments.vocab).tokens, model)
        texts = {split: translate_segments(segments[split], indices, model, split) for split in SCORED_SPLITS}
        for split in SCORED_SPLITS:
            bits[split] = charge_segments(candidate, texts[split], model, split)[None]
    write_ledger(arguments.folder, read_splits(arguments.splits), bits)


if __name__ == "__main__":
    main()
