"""Protocols: one network scored in the ways of other tools.

The stream protocol of the ledger scores every symbol given all before it. The others reset the state, omit symbols or
average differently, and print another number for the same network.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.files import damaged
from seqlab.ledger.record import read_ledger
from seqlab.questions.subject import Subject
from seqlab.sampling import Texts

WINDOW_REPEATS = 10  # estimates from random windows, for their spread
Scorer = Callable[[Texts], list[NDArray[np.float64]]]  # `SymbolModel.score_stretches`


@dataclass(frozen=True)
class ProtocolRow:
    """A row of protocols.csv: the number of scored symbols, their mean bits, and the perplexity that a protocol prints.

    `gap` is the difference of the mean to that of the stream protocol, `meaning` a description.
    """

    model: str
    protocol: str
    symbols: int
    bits_per_symbol: float
    perplexity: float
    gap: float
    meaning: str


def answer(subject: Subject, windows: int) -> list[ProtocolRow]:
    """Return the figures of the best network on test under every protocol; empty without a network.

    `windows` is the number of random windows, and the largest number of overlapping ones.
    """
    run = subject.best("rnn")
    if run is None:
        return []
    metrics, bits = read_ledger(run)
    steps, batch_size = (metrics["settings"].get(name) for name in ("steps", "batch_size"))
    if not all(isinstance(value, int) and value > 0 for value in (steps, batch_size)):
        raise damaged(run.file("metrics.json"), f"its steps and batch_size are {steps} and {batch_size}")
    newline, scorer = subject.vocab.index.get("\n"), subject.model(run).score_stretches
    test = subject.segments["test"]
    return list(score_protocols(run.model, bits["test"], test, scorer, steps, batch_size, windows, newline))


def score_protocols(
    model: str,
    stream: NDArray[Any],
    segments: Texts,
    scorer: Scorer,
    steps: int,
    batch_size: int,
    windows: int,
    newline: int | None,
) -> Iterator[ProtocolRow]:
    """Yield the figures of every protocol; `stream` holds the bits of the ledger, (R, symbols), of the same `segments`.

    `steps` and `batch_size` are those of the training. The line protocol needs a `newline` in the vocabulary, the
    protocols with random and overlapping windows a segment of at least one window.
    """
    ledger = _pooled(model, "stream", [np.asarray(stream)], "every symbol given all symbols before it")
    protocols = [ledger]
    if newline is not None and any((segment == newline).any() for segment in segments):
        bits = scorer(cut_lines(segments, newline))
        protocols.append(_pooled(model, "a new state for every line", bits, "as tools that score line by line"))
    bits = scorer(cut_windows(segments, steps))
    protocols.append(_pooled(model, f"disjoint windows of {steps}", bits, "state reset at every border"))
    longest = max(segments, key=len)
    possible = len(longest) - steps  # places at which a whole window begins
    if possible >= 1:
        draws = np.random.default_rng(1).integers(0, possible, (WINDOW_REPEATS, max(1, windows // WINDOW_REPEATS)))
        estimates = [np.concatenate(scorer(cut_at(longest, steps, starts)), axis=1) for starts in draws.tolist()]
        spread = np.std([bits.mean() for bits in estimates], ddof=1)
        meaning = f"as nanoGPT; {WINDOW_REPEATS} repeats have a standard deviation of {spread:.4f} bits"
        protocols.append(_pooled(model, f"random windows of {steps}", estimates, meaning))
        bits = scorer(spread_windows(longest, steps, windows))
        pooled = _pooled(
            model,
            f"overlapping windows of {steps}, mean of batches",
            bits,
            "as d2l; a mean of perplexities, not 2 to the mean",
        )
        protocols.append(replace(pooled, perplexity=_mean_over_batches(bits, batch_size)))
    for row in protocols:
        yield replace(row, gap=row.bits_per_symbol - ledger.bits_per_symbol)


def cut_lines(segments: Texts, newline: int) -> list[NDArray[Any]]:
    """Return every line of the segments with the line end before it, which serves as `<s>`."""
    lines = []
    for segment in segments:
        borders = np.unique([0, *np.flatnonzero(segment == newline), len(segment) - 1])
        lines += [segment[start : stop + 1] for start, stop in pairwise(borders)]
    return lines


def cut_windows(segments: Texts, steps: int) -> list[NDArray[Any]]:
    """Return consecutive windows of at most `steps` scored symbols, which together score every symbol once."""
    return [window for segment in segments for window in cut_at(segment, steps, range(0, len(segment) - 1, steps))]


def cut_at(segment: NDArray[Any], steps: int, starts: Iterable[int]) -> list[NDArray[Any]]:
    """Return the windows of `steps` scored symbols that begin at `starts`."""
    return [segment[start : start + steps + 1] for start in starts]


def spread_windows(segment: NDArray[Any], steps: int, number: int) -> list[NDArray[Any]]:
    """Return at most `number` windows of `steps` scored symbols, evenly spaced in a longer segment.

    Their mean bits are the expectation of those of random windows, as in nanoGPT, where windows overlap.
    """
    possible = len(segment) - steps
    starts = np.unique(np.linspace(0, possible - 1, min(number, possible)).astype(int))
    return cut_at(segment, steps, starts.tolist())


def _mean_over_batches(bits: Sequence[NDArray[np.float64]], batch_size: int) -> float:
    """Return the mean over batches of 2 to the mean of a batch, which is larger than 2 to the mean of all."""
    batches = [bits[start : start + batch_size] for start in range(0, len(bits), batch_size)]
    return float(np.mean([float(np.exp2(np.concatenate(batch, axis=1).mean(1)).mean()) for batch in batches]))


def _pooled(model: str, protocol: str, bits: Sequence[NDArray[np.floating]], meaning: str) -> ProtocolRow:
    """Return the row of a protocol, with 2 to the mean as perplexity, averaged over replicas."""
    means = np.concatenate([np.asarray(part, dtype=np.float64) for part in bits], axis=1).mean(1)
    symbols = sum(part.shape[1] for part in bits)
    return ProtocolRow(model, protocol, symbols, float(means.mean()), float(np.exp2(means).mean()), 0.0, meaning)
