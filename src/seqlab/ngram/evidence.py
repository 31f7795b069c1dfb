"""Inputs and outputs of smoothings: counts of a text, and the estimated model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.ngram.counts import OrderCounts
from seqlab.ngram.model import BackoffModel


@dataclass(frozen=True)
class Evidence:
    """Counts of the training text, and segments of the validation text for smoothings that fit weights.

    `line_start` is the index of `<s>` in line-wise models, where it opens every segment and is never predicted.
    `dropped` are masks of n-grams to remove, (G,) for each order, or empty: discounting gives their whole mass to the
    order below, as KenLM does.
    """

    tables: list[OrderCounts]
    vocabulary: int
    line_start: int | None = None
    valid: Sequence[NDArray[Any]] = ()
    dropped: Sequence[NDArray[np.bool_]] = ()

    @property
    def keys(self) -> list[NDArray[np.int64]]:
        """Keys of the n-grams of every order."""
        return [table.key for table in self.tables]

    @property
    def counts(self) -> list[NDArray[np.int64]]:
        """Occurrences of the n-grams of every order, of the shapes of `keys`."""
        return [table.count for table in self.tables]

    @property
    def uniform(self) -> float:
        """Probability of every symbol under the uniform distribution."""
        return 1 / (self.vocabulary - (self.line_start is not None))

    def totals(self, counts: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Sum the counts after each context, an n-gram of the order below, for each order; (1,) for order 1."""
        sizes = [1, *(len(table.key) for table in self.tables[:-1])]
        return [
            np.bincount(table.context, count, size).astype(np.int64)
            for table, count, size in zip(self.tables, counts, sizes, strict=True)
        ]


@dataclass(frozen=True)
class Estimate:
    """An estimated model; `details` holds fitted numbers for JSON, `notes` sentences for users of the results."""

    model: BackoffModel
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def interpolate_orders(
    evidence: Evidence, shares: Sequence[NDArray[np.float64]], weights: Sequence[NDArray[np.float64]]
) -> BackoffModel:
    """Return the model with p(w | h) = share(h w) + weight(h) p(w | h without its first symbol), down to the uniform
    distribution.

    `shares` has a value for each n-gram of each order and `weights` one for each context, (1,) for order 1.
    """
    lower = np.full(1, evidence.uniform)
    probability: list[NDArray[np.float64]] = []
    for table, share, weight in zip(evidence.tables, shares, weights, strict=True):
        lower = share + weight[table.context] * lower[table.suffix]
        if evidence.line_start is not None and not probability:
            lower[evidence.line_start] = 0.0
        probability.append(lower)
    return BackoffModel(evidence.vocabulary, True, evidence.keys, probability, list(weights[1:]))
