"""Spelling: the cost of unknown symbols when they are spelt out, which puts a closed vocabulary beside an open one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqlab.ngram.model import NgramModel
from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab

ORDER, SMOOTHING = 5, "mkn"
END = "\n"  # before and after every word; white space, so it stands in none
BITS_OF_A_BYTE = 8.0
BITS_OF_A_CHARACTER = math.log2(0x110000 - 0x800)  # every code point of Unicode but the surrogates, alike


class Speller:
    """An n-gram model of the characters of words, learnt from `words` of the train split, one after the other.

    A character that none of them has costs what the model gives `<unk>`, and the choice among all of Unicode.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._vocab = Vocab([END, *"".join(words)], reserved_tokens=[END])
        segments = [self._vocab.encode([END, *word, END]) for word in words]
        order = min(ORDER, max(map(len, segments)))
        self._model: NgramModel = estimate(SMOOTHING, segments, order, len(self._vocab)).model

    def bits(self, words: Sequence[str]) -> float:
        """What all `words` cost together: every character, and that the word is at its end."""
        if not words:
            return 0.0
        segments = [self._vocab.encode([END, *word, END]) for word in words]
        unknown = sum(int((segment == 0).sum()) for segment in segments)
        return float(self._model.score(segments).sum()) + unknown * BITS_OF_A_CHARACTER


@dataclass(frozen=True)
class SpellingRow:
    """The `unknown` symbols of a split, what they cost, and what that is per character of the split."""

    unknown: int
    bits: float
    bits_per_char: float


def answer(unknown: dict[str, Any]) -> dict[str, SpellingRow]:
    """Return the cost of the unknown symbols of valid and test, beside what a model charges for `<unk>`, by split.

    `unknown` is the content of unknown.json. Words are spelt by a model of characters (`Speller`); a character is
    chosen among all of Unicode and a byte among 256, each alike.
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
