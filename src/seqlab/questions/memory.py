"""Memory: bits against the length of the context, for n-grams and the best network."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqlab.io.runs import Run
from seqlab.ledger.record import read_ledger
from seqlab.questions.subject import Subject, choose_positions, find_in_ledger, select_lengths
from seqlab.sampling import Positions, SymbolModel, Texts

MEMORY_FAMILIES = ("source", "ngram", "rnn")


@dataclass(frozen=True)
class MemoryRow:
    """A row of memory.csv: mean bits on some symbols of test, with `context` symbols before them.

    `series` is the smoothing of an n-gram or the name of a network. A known source has an infinite context; its bits
    are the expected minimum. The deviation is over the seeds of a network.
    """

    series: str
    model: str
    context: float
    symbols: int
    bits_per_symbol: float
    bits_per_symbol_std: float = math.nan


def answer(subject: Subject, contexts: Sequence[int], symbols: int) -> Iterator[MemoryRow]:
    """Yield a row for each source and each unpruned n-gram, and for each of `contexts` of the best network.

    All rows use the same positions of test, at most `symbols`, evenly spaced, behind the longest context.
    """
    test = subject.segments["test"]
    contexts = select_lengths(contexts, test)
    positions = choose_positions(test, contexts[-1], symbols)
    yield from look_up_rows(subject.runs, find_in_ledger(test, positions))
    if run := subject.best("rnn"):
        yield from measure_cut(run.model, subject.model(run), test, positions, contexts)


def measure_cut(
    name: str, model: SymbolModel, segments: Texts, positions: Positions, contexts: Iterable[int]
) -> Iterator[MemoryRow]:
    """Yield a row for each of `contexts`: the model scores the symbols at `positions` given that number of symbols
    before them.
    """
    for context in contexts:
        windows = [segments[number][place - context : place + 1] for number, place in positions]
        bits = np.stack([scored[:, -1] for scored in model.score_stretches(windows)], axis=1)  # (replicas, positions)
        spread = float(bits.mean(1).std(ddof=1)) if len(bits) > 1 else math.nan
        yield MemoryRow(name, name, context, len(positions), float(np.mean(bits)), spread)


def look_up_rows(runs: Iterable[Run], indices: NDArray[np.int64]) -> list[MemoryRow]:
    """Return the rows of sources, then of n-grams, from their bits of test at `indices` of the ledger."""
    sources, ngrams = [], []
    for run in runs:
        if run.family in ("source", "ngram"):
            metrics, bits = read_ledger(run)
            mean = float(bits["test"][0, indices].mean(dtype=np.float64))
            if run.family == "source":
                sources.append(MemoryRow("source", run.model, math.inf, len(indices), mean))
            elif "pruned_from" not in metrics:
                smoothing, order = metrics["settings"]["smoothing"], metrics["settings"]["order"]
                ngrams.append(MemoryRow(smoothing, run.model, order - 1, len(indices), mean))
    return sources + sorted(ngrams, key=lambda row: (row.series, row.context))
