"""Spelling: bits of unknown symbols when they are spelt out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqlab.ngram.model import BackoffModel
from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab

SPELLING_ORDER, SPELLING_SMOOTHING = 5, "mkn"
WORD_END = "\n"  # before and after every word; no word contains white space
BITS_OF_A_BYTE = 8.0
BITS_OF_A_CHARACTER = math.log2(
    0x110000 - 0x800
)  # a uniform choice among the code points of Unicode without surrogates


class Speller:
    """An n-gram model of the characters of words, trained on `words` of the train split.

    An unknown character costs the bits of `<unk>` and of a uniform choice from Unicode.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._vocab = Vocab([WORD_END, *"".join(words)], reserved_tokens=[WORD_END])
        segments = [self._vocab.encode([WORD_END, *word, WORD_END]) for word in words]
        order = min(SPELLING_ORDER, max(map(len, segments)))
        self._model: BackoffModel = estimate(SPELLING_SMOOTHING, segments, order, len(self._vocab)).model

    def bits(self, words: Sequence[str]) -> float:
        """Return the total bits of `words`, their ends included."""
        if not words:
            return 0.0
        segments = [self._vocab.encode([WORD_END, *word, WORD_END]) for word in words]
        unknown = sum(int((segment == 0).sum()) for segment in segments)
        return float(self._model.score(segments).sum()) + unknown * BITS_OF_A_CHARACTER


@dataclass(frozen=True)
class SpellingRow:
    """Number of unknown symbols of a split, their bits, and these bits per character of the split."""

    unknown: int
    bits: float
    bits_per_char: float


def answer(unknown: dict[str, Any]) -> dict[str, SpellingRow]:
    """Return the bits of the unknown symbols of valid and test, besides those of `<unk>`, by split.

    `unknown` is the content of unknown.json. Words are spelt by a model of characters (`Speller`); characters and bytes
    are chosen uniformly from Unicode and from 256 values.
    """
    unit, splits = unknown["unit"], unknown["splits"]
    tokens = {name: split["tokens"] for name, split in splits.items()}
    if unit == "word":
        speller = Speller(unknown["rare"]) if any(tokens.values()) else None
        bits = {name: speller.bits(words) if speller else 0.0 for name, words in tokens.items()}
    else:
        bits_of_a_symbol = BITS_OF_A_CHARACTER if unit == "char" else BITS_OF_A_BYTE
        bits = {name: bits_of_a_symbol * len(symbols) for name, symbols in tokens.items()}
    return {
        name: SpellingRow(len(tokens[name]), bits[name], bits[name] / splits[name]["characters"]) for name in tokens
    }
