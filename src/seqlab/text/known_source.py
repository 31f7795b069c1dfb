"""The source that generated a text, where the card of a run names one."""

from pathlib import Path

from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.text.definitions import corpus_source
from seqlab.text.sources import Source


def known_source(card_path: str | Path) -> Source:
    """The source that the card of a run of family source names; InputError where it names none."""
    card = read_card(card_path, "source")
    source = corpus_source(card["corpus"], card["settings"])
    if source is None:
        raise InputError(f"{card_path} names no source that generates texts; write the card again")
    return source
