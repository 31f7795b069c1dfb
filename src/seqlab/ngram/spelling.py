"""What unknown symbols cost when they are spelt out, so that a closed vocabulary can stand beside an open one."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from seqlab.ngram.model import NgramModel, symbol_probabilities
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
        return float(-np.log2(symbol_probabilities(self._model, segments)).sum()) + unknown * BITS_OF_A_CHARACTER


def words_to_learn(train: Iterable[str], vocab: Vocab) -> list[str]:
    """The words of train that the vocabulary lacks; where it has them all, every word once.

    Rare words are like those that are unknown, more so than frequent ones.
    """
    counts = Counter(train)
    return [word for word, count in counts.items() for _ in range(count) if word not in vocab] or sorted(counts)


def spelling_bits(unit: str, train: Iterable[str], vocab: Vocab, unknown: dict[str, list[str]]) -> dict[str, float]:
    """For every split, what its `unknown` symbols, which a model charges as `<unk>`, cost beside that.

    Words are spelt by a model of characters (`Speller`); a character is chosen among all of Unicode and a byte among
    256, each alike.
    """
    if unit == "word":
        speller = Speller(words_to_learn(train, vocab)) if any(unknown.values()) else None
        return {split: speller.bits(words) if speller else 0.0 for split, words in unknown.items()}
    each = BITS_OF_A_CHARACTER if unit == "char" else BITS_OF_A_BYTE
    return {split: each * len(symbols) for split, symbols in unknown.items()}


def spelling(unit: str, tokens: Sequence[str], vocab: Vocab, splits: dict[str, Any]) -> dict[str, Any]:
    """The content of spelling.json (contract in docs/architecture.md) for a text of `tokens` with these `splits`."""
    ranges = {name: split["segments"] for name, split in splits["splits"].items()}
    train = (token for start, stop in ranges["train"] for token in tokens[start:stop])
    unknown = {
        name: [token for start, stop in ranges[name] for token in tokens[start + 1 : stop] if token not in vocab]
        for name in ("valid", "test")
    }
    bits = spelling_bits(unit, train, vocab, unknown)
    return {
        name: {
            "unknown": len(unknown[name]),
            "bits": bits[name],
            "bits_per_char": bits[name] / splits["splits"][name]["characters"],
        }
        for name in unknown
    }
