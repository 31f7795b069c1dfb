"""Interface of language models, and continuations of texts: sampling and beam search.

Each family implements `SymbolModel` in its own package; the command line, the registry and the questions use models by
this interface alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError

Texts = Sequence[NDArray[Any]]  # indices of symbols, (symbols,)
Positions = Sequence[tuple[int, int]]  # of symbols: the number of a segment and the place in it
Progress = Callable[[int], object]  # called with the number of symbols done since its last call


def ignore_progress(symbols: int) -> None:
    """Ignore the number of symbols done."""


class Reading(Protocol):
    """State of a model after one text or several texts."""

    @property
    def probability(self) -> NDArray[np.floating]:
        """Probability of every next symbol of each text, (texts, vocabulary)."""

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "Reading":
        """Return the reading of the texts of these numbers, each followed by its symbol; numbers may repeat."""


@dataclass(frozen=True)
class Ahead:
    """Bits of symbols `steps` ahead under each replica, (replicas, positions).

    Where the symbols between were `sampled`, `error` is the standard error of the bits and `bias` their mean excess,
    both of first order and of the same shape; both are zero where the bits are exact.
    """

    steps: int
    bits: NDArray[np.float64]
    error: NDArray[np.float64]
    bias: NDArray[np.float64]
    sampled: bool

    @classmethod
    def exact(cls, steps: int, probability: NDArray[np.float64]) -> "Ahead":
        """Return the bits of symbols of this `probability`, (positions,), under a single replica."""
        with np.errstate(divide="ignore"):  # a probability of zero costs infinitely many bits
            bits = -np.log2(probability)[None]
        return cls(steps, bits, np.zeros_like(bits), np.zeros_like(bits), False)


class Foresight(Protocol):
    """A model of symbols further ahead than the next."""

    def look_ahead(self, segments: Texts, positions: Positions, steps: Sequence[int], samples: int) -> list[Ahead]:
        """Return the bits of the symbols at `positions` given their segment up to k symbols before each, for every k of
        `steps`; empty where that would cost too much.

        Every place has `max(steps)` symbols before it. Sums that would cost too much are estimated from `samples`
        draws.
        """


class SymbolModel(Foresight, Protocol):
    """A model of sequences of symbols, which are indices of its vocabulary."""

    @property
    def seeds(self) -> Sequence[int | None]:
        """The seed of every replica; a single None for a model without seeds."""

    def select_replica(self, number: int) -> "SymbolModel":
        """Return the model with the replica of this number alone."""

    def read(self, prompt: Sequence[int], replica: int = 0) -> Reading:
        """Return the reading of `prompt`, at least one symbol, by the replica of this number."""

    def score(self, segments: Texts, progress: Progress = ignore_progress) -> NDArray[np.float64]:
        """Return the bits of every symbol but the first of each segment, (replicas, symbols), each given all symbols of
        its segment before it.
        """

    def score_stretches(self, stretches: Texts) -> list[NDArray[np.float64]]:
        """Return the bits of every symbol but the first of each of many short texts, (replicas, symbols) for each."""


def draw_symbol(
    probability: NDArray[np.floating],
    random: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> int:
    """Draw an index from `probability`, (vocabulary,), sharpened by `temperature` and limited to the `top_k` likeliest
    symbols, and to the fewest likeliest with a total share of `top_p` (the nucleus of Holtzman et al. 2020).

    Temperature 0 takes the likeliest symbol, the first of equals. Raises InputError for a negative temperature, a top_k
    below 1 or a top_p outside (0, 1].
    """
    if not 0 <= temperature < np.inf or (top_k is not None and top_k < 1):
        raise InputError(f"temperature is {temperature} and top_k is {top_k}; they must be at least 0 and 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"top_p is {top_p}; it must be above 0 and at most 1")
    if temperature == 0:
        return int(np.argmax(probability))
    with np.errstate(divide="ignore"):
        scores = np.log(np.asarray(probability, dtype=np.float64)) / temperature
    order = np.argsort(-scores, kind="stable") if top_k is not None or top_p is not None else None
    if order is not None and top_k is not None:
        scores[order[top_k:]] = -np.inf
    share = np.exp(scores - scores.max())
    if order is not None and top_p is not None:
        falling = np.cumsum(share[order])
        share[order[np.searchsorted(falling, top_p * falling[-1]) + 1 :]] = 0
    cumulated = np.cumsum(share)
    return int(np.searchsorted(cumulated, random.random() * cumulated[-1], side="right"))


def drawn(
    reading: Reading,
    symbols: int,
    random: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Iterator[int]:
    """Yield `symbols` indices after the single text of `reading`, each drawn by `draw_symbol` given all before it."""
    for left in range(symbols, 0, -1):
        index = draw_symbol(reading.probability[0], random, temperature, top_k, top_p)
        yield index
        if left > 1:  # the last symbol need not be read
            reading = reading.followed([0], [index])


def search_likeliest(reading: Reading, symbols: int, beam: int) -> tuple[list[int], float]:
    """Return the likeliest continuation of the single text of `reading` by beam search, and its bits.

    The `beam` likeliest continuations of every length are kept and extended by every symbol; a beam of 1 equals
    temperature 0, a beam of all continuations is exact. Raises InputError for a beam below 1.
    """
    if beam < 1:
        raise InputError(f"beam is {beam}; it must be at least 1")
    texts: list[list[int]] = [[]]
    bits = np.zeros(1)
    for left in range(symbols, 0, -1):
        with np.errstate(divide="ignore"):
            cost = bits[:, None] - np.log2(reading.probability)
        cheapest = np.argsort(cost, axis=None, kind="stable")[:beam]
        rows, columns = (indices.tolist() for indices in np.unravel_index(cheapest, cost.shape))
        bits = cost[rows, columns]
        texts = [[*texts[row], column] for row, column in zip(rows, columns, strict=True)]
        if left > 1:
            reading = reading.followed(rows, columns)
    return texts[0], float(bits[0])
