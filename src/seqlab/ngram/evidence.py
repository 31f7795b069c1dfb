"""What a smoothing starts from, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.ngram.counts import OrderCounts
from seqlab.ngram.model import NgramModel


@dataclass(frozen=True)
class Evidence:
    """Counts of the training text, and for smoothings with weights the segments of the validation text.

    `line_start` is the index of `<s>` in line-wise models, where it opens every segment and is never predicted.
    """

    tables: list[OrderCounts]
    vocabulary: int
    line_start: int | None = None
    valid: Sequence[NDArray[Any]] = ()

    @property
    def keys(self) -> list[NDArray[np.int64]]:
        """The n-grams of every order, each array with one number for each."""
        return [table.key for table in self.tables]

    @property
    def counts(self) -> list[NDArray[np.int64]]:
        """Occurrences of the n-grams of every order, of the shapes of `keys`."""
        return [table.count for table in self.tables]

    @property
    def uniform(self) -> float:
        """The probability of a symbol of which nothing is known."""
        return 1 / (self.vocabulary - (self.line_start is not None))

    def totals(self, counts: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """For each order, the summed count of what follows each context, that is, of each n-gram of the order below;
        (1,) for order 1, whose context is the empty one.
        """
        sizes = [1, *(len(table.key) for table in self.tables[:-1])]
        return [
            np.bincount(table.context, count, size).astype(np.int64)
            for table, count, size in zip(self.tables, counts, sizes, strict=True)
        ]


@dataclass(frozen=True)
class Estimate:
    """A model; in `details` the numbers that were fitted, as JSON can hold them; in `notes` what its reader must
    know.
    """

    model: NgramModel
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def interpolated(
    evidence: Evidence, kept: Sequence[NDArray[np.float64]], weights: Sequence[NDArray[np.float64]]
) -> NgramModel:
    """The model with p(w | h) = kept(h w) + weight(h) p(w | h without its first symbol), down to the uniform
    distribution.

    `kept` has a value for each n-gram of each order and `weights` one for each context, (1,) for order 1.
    """
    lower = np.full(1, evidence.uniform)
    probability: list[NDArray[np.float64]] = []
    for table, share, weight in zip(evidence.tables, kept, weights, strict=True):
        lower = share + weight[table.context] * lower[table.suffix]
        if evidence.line_start is not None and not probability:
            lower[evidence.line_start] = 0.0
        probability.append(lower)
    return NgramModel(evidence.vocabulary, True, evidence.keys, probability, list(weights[1:]))
