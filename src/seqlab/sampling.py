"""Models as they are asked, whatever their family, and going on with a text: drawn symbols, the likeliest continuation.

Each family implements `SymbolModel` in its own package; the command line, the registry and the questions use nothing
else of a model.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError

Texts = Sequence[NDArray[Any]]  # each as indices of symbols, (symbols,)
Positions = Sequence[tuple[int, int]]  # of symbols: the number of a segment, and the place in it
Progress = Callable[[int], object]  # is called with the number of symbols done since its last call


def ignore_progress(symbols: int) -> None:
    """Do nothing with the number of symbols done."""


class Reading(Protocol):
    """One text or several, side by side, as far as a model has read them."""

    @property
    def probability(self) -> NDArray[np.floating]:
        """Of every symbol to come next in each text, shape (texts, vocabulary)."""

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "Reading":
        """The texts of these numbers, each followed by its symbol; a number may come more than once."""


@dataclass(frozen=True)
class Ahead:
    """Bits of symbols `steps` ahead under each replica, (replicas, positions).

    Where the symbols between were `sampled`, `error` is the standard error that this leaves in the bits and `bias` by
    how much it makes them larger on average, of the same shape and of first order; both are zero where they are exact.
    """

    steps: int
    bits: NDArray[np.float64]
    error: NDArray[np.float64]
    bias: NDArray[np.float64]
    sampled: bool

    @classmethod
    def exact(cls, steps: int, probability: NDArray[np.float64]) -> "Ahead":
        """Return the bits of symbols that a single replica gives this `probability`, (positions,)."""
        with np.errstate(divide="ignore"):  # a probability of zero costs infinitely many bits
            bits = -np.log2(probability)[None]
        return cls(steps, bits, np.zeros_like(bits), np.zeros_like(bits), False)


class Foresight(Protocol):
    """What can be asked for symbols further ahead than the next."""

    def look_ahead(self, segments: Texts, positions: Positions, steps: Sequence[int], samples: int) -> list[Ahead]:
        """Return the bits of the symbols at `positions` given their segment up to k symbols before each, for every k of
        `steps`; empty where that would cost too much.

        Every place has `max(steps)` symbols before it. What is too much to sum over is drawn `samples` times.
        """


class SymbolModel(Foresight, Protocol):
    """A model of sequences of symbols, which are indices of its vocabulary.

    `seeds` are those of its replicas, a single None for a model without seeds.
    """

    @property
    def seeds(self) -> Sequence[int | None]:
        """The seed of every replica."""

    def read(self, prompt: Sequence[int], replica: int = 0) -> Reading:
        """Return `prompt`, at least one symbol, as the replica of this number has read it."""

    def score(self, segments: Texts, progress: Progress = ignore_progress) -> NDArray[np.float64]:
        """Return the bits of every symbol but the first of each segment, (replicas, symbols), each given all symbols of
        its segment before it.
        """

    def score_stretches(self, stretches: Texts) -> list[NDArray[np.float64]]:
        """Return the bits of every symbol but the first of each of many short texts, (replicas, symbols) for each."""


def draw(
    probability: NDArray[np.floating],
    random: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> int:
    """An index drawn from `probability`, shape (vocabulary,), sharpened by `temperature` and cut to the `top_k`
    likeliest, and to the fewest likeliest that hold a share of `top_p` (the nucleus of Holtzman et al. 2020).

    Temperature 0 takes the likeliest symbol (the first of equals). Raises InputError for a negative temperature, a
    top_k below 1 or a top_p outside (0, 1].
    """
    if not 0 <= temperature < np.inf or (top_k is not None and top_k < 1):
        raise InputError(f"temperature is {temperature} and top_k {top_k}; they must be at least 0 and 1")
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
    """`symbols` indices that follow the single text of `reading`, each drawn by `draw` given all before it."""
    for left in range(symbols, 0, -1):
        index = draw(reading.probability[0], random, temperature, top_k, top_p)
        yield index
        if left > 1:  # nothing is read that nobody asks about
            reading = reading.followed([0], [index])


def likeliest(reading: Reading, symbols: int, beam: int) -> tuple[list[int], float]:
    """The likeliest continuation of the single text of `reading` that a beam search finds, and its bits.

    The `beam` likeliest continuations of every length are kept and all their continuations looked at; with a beam of 1
    that is temperature 0, with one as wide as there are continuations the exact answer. Raises InputError for a beam
    below 1.
    """
    if beam < 1:
        raise InputError(f"beam is {beam}; it must be at least 1")
    texts: list[list[int]] = [[]]
    bits = np.zeros(1)
    for left in range(symbols, 0, -1):
        with np.errstate(divide="ignore"):
            cost = bits[:, None] - np.log2(reading.probability)
        kept = np.argsort(cost, axis=None, kind="stable")[:beam]
        rows, columns = (each.tolist() for each in np.unravel_index(kept, cost.shape))
        bits = cost[rows, columns]
        texts = [[*texts[row], column] for row, column in zip(rows, columns, strict=True)]
        if left > 1:
            reading = reading.followed(rows, columns)
    return texts[0], float(bits[0])
