"""N-gram models of lines in the ledger, whose symbols are words without line ends.

A line end costs bits and is no symbol of the ledger. Its bits are added to those of the first word of the next line,
so that a total is the cost of the text with its lines. A segment begins as a line does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.ngram.language import NgramModel
from seqlab.ngram.packed import PackedModel
from seqlab.ngram.training import MARKS, START_INDEX, IndexedText, TrainingSettings, estimate_model
from seqlab.ngram.words import WordTable
from seqlab.text.vocab import Vocab

Segment = tuple[NDArray[Any], NDArray[np.int64]]  # indices of words, and the line ends before each, (words,)


def count_line_ends(text: str) -> NDArray[np.int64]:
    """Return the number of line ends between each word of `text` and the word before it, (words,)."""
    words = np.array([len(line.split()) for line in text.split("\n")])
    line = np.repeat(np.arange(len(words)), words)
    return np.diff(line, prepend=line[:1])


def train_on_lines(segments: Sequence[Segment], vocab: Vocab, smoothing: str, order: int) -> NgramModel:
    """Estimate the model of the lines of `segments`, over the words of `vocab`."""
    parts = [_mark_lines(*segment)[0] for segment in segments]
    symbols = np.concatenate(parts).astype(np.min_scalar_type(len(vocab) + MARKS))
    texts = [b""] * MARKS + [token.encode() for token in vocab.tokens[1:]]
    text = IndexedText(symbols, np.flatnonzero(symbols == START_INDEX), WordTable.of(texts))
    trained = estimate_model(text, TrainingSettings(order, "word", True, smoothing))
    return NgramModel(PackedModel.pack(trained.model, trained.table), trained.description)


def score_segments(model: NgramModel, segments: Sequence[Segment]) -> NDArray[np.float64]:
    """Return the bits of every word but the first of each segment, with those of the line ends before it."""
    parts = []
    for segment in segments:
        symbols, place = _mark_lines(*segment)
        bits = -model.score_symbols(symbols).log10 / np.log10(2)
        parts.append(np.add.reduceat(bits[: place[-1] + 1], place[:-1] + 1))
    return np.concatenate(parts)


def _mark_lines(words: NDArray[Any], ends: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the symbols of a model of lines for `words`, from `<s>` to `</s>`, and the place of every word."""
    borders = np.append(ends, 1)
    borders[0] = 0
    place = 1 + np.arange(len(words)) + 2 * np.cumsum(borders[:-1])
    symbols = np.empty(len(words) + 2 * int(borders.sum()), dtype=np.uint32)
    symbols[0] = START_INDEX
    is_mark = np.ones(len(symbols), dtype=bool)
    is_mark[place] = False
    marks = np.flatnonzero(is_mark)
    symbols[marks[1::2]], symbols[marks[2::2]] = START_INDEX + 1, START_INDEX
    symbols[place] = np.where(words > 0, words.astype(np.int64) + MARKS - 1, 0)
    return symbols, place
