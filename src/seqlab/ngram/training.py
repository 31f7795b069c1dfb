"""Estimation of n-gram models from texts: vocabulary, counts, smoothing and the summary."""

import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ngram.arpa_names import LINE_END, LINE_START
from seqlab.ngram.counts import OrderCounts, count_lines
from seqlab.ngram.evidence import Estimate
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.shards import COUNTING, count_shard, merge_shards, read_counts
from seqlab.ngram.smoothing import estimate_from_counts
from seqlab.ngram.words import WordTable
from seqlab.text.bpe import BytePairs, Merge
from seqlab.text.tokens import UNITS, tokenize
from seqlab.text.vocab import UNKNOWN, Vocab

TRAINED_SMOOTHINGS = ("mle", "wb", "abs", "kn", "mkn")  # those that need no validation text and back off
START_INDEX = 1  # of `<s>` in a model of lines; `</s>` follows
MARKS = 3  # unknown word, `<s>` and `</s>`: the first entries of the vocabulary of a model of lines
ESTIMATING = 100  # bytes of memory for each n-gram of all orders while a model is estimated, about
MEGABYTE = 1 << 20
SHOWN_WORDS = 3  # words that a note quotes


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of an n-gram model of texts.

    `lines` None means lines for words and a stream for other units; `thresholds` are those of `estimate_from_counts`;
    `memory` is in bytes, None without a bound; `merges` is the number of merges of unit bpe.
    """

    order: int = 5
    unit: str = "word"
    lines: bool | None = None
    smoothing: str = "mkn"
    thresholds: Sequence[int] = ()
    memory: int | None = None
    threads: int = 1
    merges: int = 4000

    @property
    def by_lines(self) -> bool:
        """True for a model of lines with `<s>` and `</s>`."""
        return self.unit == "word" if self.lines is None else self.lines


@dataclass
class TrainedModel:
    """A model, the words of its vocabulary, what model.json says about it, and the seconds and bytes that it took."""

    model: BackoffModel
    table: WordTable
    description: dict[str, Any]
    cost: dict[str, float]


@dataclass(frozen=True)
class IndexedText:
    """Symbols of a training text, (symbols,), the places at which its segments begin, its vocabulary and merges."""

    symbols: NDArray[Any]
    starts: NDArray[np.int64]
    table: WordTable
    merges: Sequence[Merge] = ()


def train_model(
    blocks: Iterable[bytes], settings: TrainingSettings, vocabulary: Sequence[str] | None = None
) -> TrainedModel:
    """Estimate an n-gram model from `blocks` of whole lines of UTF-8.

    With a `vocabulary` of words, all others are unknown words. Raises InputError for a smoothing that needs a
    validation text or does not back off, a vocabulary that lacks all words of the text, a text shorter than the order,
    and a `memory` that does not suffice, with the memory that is needed.
    """
    if settings.smoothing not in TRAINED_SMOOTHINGS:
        raise InputError(f"smoothing is {settings.smoothing!r}; allowed are {', '.join(TRAINED_SMOOTHINGS)}")
    if settings.unit not in UNITS:
        raise InputError(f"unit is {settings.unit!r}; allowed are {', '.join(UNITS)}")
    if vocabulary is not None and settings.unit != "word":
        raise InputError(f"a vocabulary is a list of words and the unit is {settings.unit}; use the unit word")
    started = time.perf_counter()
    text = _index_words(blocks, settings, vocabulary) if settings.unit == "word" else _tokenize(blocks, settings)
    counted = time.perf_counter()
    trained = estimate_model(text, settings)
    finished = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cost = {"text_seconds": counted - started, "model_seconds": finished - counted, "peak_bytes": peak}
    return replace(trained, cost=cost)


def estimate_model(text: IndexedText, settings: TrainingSettings) -> TrainedModel:
    """Estimate the model of a text that is cut into indices; InputError as `train_model`."""
    estimate = _estimate(text, settings)
    return TrainedModel(estimate.model, text.table, _describe(text, settings, estimate), {})


def read_vocabulary(path: str | Path) -> list[str]:
    """Return the words of a file with one word in each line; InputError for a line with a blank in it."""
    from seqlab.text.blocks import read_blocks

    text = b"".join(read_blocks([str(path)], [])).decode("utf-8")
    words = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        if len(parts := line.split()) > 1:
            raise InputError(f"{path}, line {number}: {line.strip()!r} has a blank in it; write one word in each line")
        words += parts
    return list(dict.fromkeys(words))


def _index_words(blocks: Iterable[bytes], settings: TrainingSettings, vocabulary: Sequence[str] | None) -> IndexedText:
    """Return the words of `blocks`; without a `vocabulary` it is made of them, by falling frequency."""
    marks = [b""] * (MARKS if settings.by_lines else 1)
    table = WordTable.of([*marks, *(word.encode() for word in vocabulary or [])])
    parts = []
    for block in blocks:
        if vocabulary is None:
            table.add(block)
        parts.append(table.index(block, settings.by_lines))
    symbols = np.concatenate([*parts, np.zeros(0, dtype=np.uint32)])
    del parts
    counts = np.bincount(symbols, minlength=table.number)
    if vocabulary is not None:
        if not counts[len(marks) :].any():
            raise InputError("the vocabulary holds no word of the text; give the vocabulary of this text")
        place, texts = np.arange(table.number), table.texts()
    else:
        seen = table.texts()
        ranked = sorted(range(len(marks), table.number), key=lambda index: (-counts[index], seen[index]))
        order = np.array([*range(len(marks)), *ranked])
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        texts = [seen[index] for index in order.tolist()]
    symbols = place.astype(np.min_scalar_type(len(texts)))[symbols]
    starts = np.flatnonzero(symbols == START_INDEX) if settings.by_lines else np.zeros(1, dtype=np.int64)
    return IndexedText(symbols, starts, WordTable.of(texts))


def _tokenize(blocks: Iterable[bytes], settings: TrainingSettings) -> IndexedText:
    """Return the characters, bytes or pieces of `blocks`; line ends are symbols of a stream."""
    text = b"".join(blocks).decode("utf-8")
    merges: Sequence[Merge] = BytePairs.learn([text], settings.merges).merges if settings.unit == "bpe" else ()
    stretches = text.removesuffix("\n").split("\n") if settings.by_lines else [text]
    tokens = [tokenize(stretch, settings.unit, merges) for stretch in stretches]
    vocab = Vocab((token for line in tokens for token in line), unit=settings.unit)
    marks = MARKS if settings.by_lines else 1
    segments = []
    for line in tokens:
        indices = vocab.encode(line).astype(np.uint32) + np.uint32(marks - 1)
        segments.append(np.array([START_INDEX, *indices, START_INDEX + 1]) if settings.by_lines else indices)
    symbols = np.concatenate(segments).astype(np.min_scalar_type(len(vocab) + marks))
    lengths = np.array([len(segment) for segment in segments])
    texts = [b""] * marks + [token.encode() for token in vocab.tokens[1:]]
    return IndexedText(symbols, np.cumsum(lengths) - lengths, WordTable.of(texts), merges)


def _estimate(text: IndexedText, settings: TrainingSettings) -> Estimate:
    """Count the n-grams, on disk where the memory does not hold all, and estimate the model."""
    vocabulary = text.table.number
    longest = int(np.diff(text.starts, append=len(text.symbols)).max())
    if settings.by_lines and longest < settings.order:
        raise InputError(
            f"the longest line has {longest} symbols with <s> and </s>, fewer than an n-gram of order "
            f"{settings.order}; lower the order"
        )
    needed = (COUNTING[0] + COUNTING[1] * settings.order) * len(text.symbols)
    if settings.memory is None or needed <= settings.memory:
        tables = count_lines(text.symbols, text.starts, settings.order, vocabulary, settings.threads)
        return _smooth(tables, text, settings)
    with tempfile.TemporaryDirectory(prefix="seqlab-ngram-") as folder:
        segments = np.split(text.symbols, text.starts[1:])
        bound = max(settings.memory // MEGABYTE, 1)
        count_shard(Path(folder) / "shard", segments, settings.order, vocabulary, 1, 1, bound)
        merge_shards(Path(folder) / "merged", [Path(folder) / "shard"], settings.order, vocabulary, bound)
        return _smooth(read_counts(Path(folder) / "merged", settings.order, vocabulary), text, settings)


def _smooth(tables: Sequence[OrderCounts], text: IndexedText, settings: TrainingSettings) -> Estimate:
    """Estimate the model from its counts; InputError where that needs more than the memory."""
    needed = ESTIMATING * sum(len(table.key) for table in tables)
    if settings.memory is not None and needed > settings.memory:
        raise InputError(
            f"the memory of {settings.memory / 1e9:.3g} GB is too small: the model needs {needed / 1e9:.3g} GB; raise "
            "--memory, or lower the order"
        )
    start = START_INDEX if settings.by_lines else None
    return estimate_from_counts(settings.smoothing, tables, text.table.number, start, thresholds=settings.thresholds)


def _describe(text: IndexedText, settings: TrainingSettings, estimate: Estimate) -> dict[str, Any]:
    """Return what model.json says about the training."""
    marks = len(text.starts) if settings.by_lines else 0
    return {
        "unit": settings.unit,
        "lines": settings.by_lines,
        "escaped": True,
        "smoothing": settings.smoothing,
        "thresholds": list(settings.thresholds),
        "merges": [list(merge) for merge in text.merges],
        "symbols": len(text.symbols) - 2 * marks,
        "sentences": marks,
        "discounts": estimate.details.get("discounts", []),
        "notes": [*estimate.notes, *_note_words(text.table, settings.unit)],
    }


def _note_words(table: WordTable, unit: str) -> list[str]:
    """Return notes on words that look like marks, and on words with white space or invisible characters in them."""
    if unit != "word":
        return []
    words = [text.decode() for text in table.texts()]
    notes = []
    if marks := [mark for mark in (UNKNOWN, LINE_START, LINE_END) if mark in words]:
        notes.append(f"{', '.join(marks)} in the text are words and no marks; remove them if they were meant as marks")
    if odd := [word for word in words if not word.isprintable()]:
        shown = ", ".join(ascii(word) for word in odd[:SHOWN_WORDS])
        notes.append(
            f"{len(odd):,} words have unusual white space or invisible characters in them ({shown}); they are parts of "
            "words, as in KenLM"
        )
    return notes
