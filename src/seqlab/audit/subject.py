"""Model, text and known facts that an audit judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.audit.candidate import DOUBLE, Bits, Candidate, Precision, charge_bits, has_bits, read_distributions

PROBED_SYMBOLS = 2000  # of the text
PROBED_STEPS = 200  # of the text, where every symbol costs a call of its own
READ_PLACES = 30  # of the text, evenly spaced, after which the distribution is read
BORDERS = tuple(2**power + 1 for power in range(1, 11))  # and the first places of a second chunk of usual length


@dataclass(frozen=True)
class Subject:
    """A candidate, a text for the probes, and facts; a law whose facts are missing is skipped.

    `ids` are indices of the vocabulary, (symbols,). `train` holds those of the training text, and `parts` pieces that
    occur in it within longer pieces only. `divisors` are the numbers of characters, bytes and words that the bits of
    the symbols in `scored_texts`, one string for each segment, are divided by. `ledger` holds the stored bits of `ids`
    and `test_bits` those of the whole test split; `floor_bits` are those of the source that generated it, of the same
    shape. `compressor_bits` are the bits per symbol of the best compressor. At most `most_symbols` of the text are
    probed.
    """

    candidate: Candidate
    ids: NDArray[Any]
    precision: Precision = DOUBLE
    seed: int = 1
    train: NDArray[Any] | None = None
    parts: frozenset[int] = frozenset()
    divisors: dict[str, int] | None = None
    scored_texts: Sequence[str] | None = None
    ledger: NDArray[Any] | None = None
    test_bits: NDArray[Any] | None = None
    floor_bits: NDArray[Any] | None = None
    compressor_bits: float | None = None
    most_symbols: int = PROBED_SYMBOLS

    @cached_property
    def text(self) -> list[int]:
        """The symbols for the probes."""
        limit = self.most_symbols if has_bits(self.candidate) else min(self.most_symbols, PROBED_STEPS)
        return [int(index) for index in self.ids[:limit]]

    @cached_property
    def bits(self) -> Bits:
        """The bits of every symbol of the text but the first, charged once."""
        return charge_bits(self.candidate, self.text)

    @cached_property
    def distributions(self) -> dict[int, Bits]:
        """The distribution after the first symbols of the text, by their number, each read once."""
        places = sorted({*self.places(READ_PLACES), *(place for place in BORDERS if place < len(self.text))})
        return read_distributions(self.candidate, self.text, places)

    @property
    def vocabulary(self) -> int:
        """The number of symbols, V."""
        return len(self.candidate.symbols())

    def random_texts(self, count: int, length: int) -> list[list[int]]:
        """Return texts of random symbols, which are hardly ever seen in training."""
        drawn: list[list[int]] = (
            np.random.default_rng(self.seed).integers(self.vocabulary, size=(count, length)).tolist()
        )
        return drawn

    def places(self, count: int, last: int | None = None) -> list[int]:
        """Return at most `count` places of the text, evenly spaced from 1 to `last` or to its end."""
        end = min(last or len(self.text) - 1, len(self.text) - 1)
        return np.unique(np.linspace(1, end, count).round().astype(int)).tolist()
