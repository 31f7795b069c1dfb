"""From counts to probabilities: what an n-gram model gives to what it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError
from seqlab.ngram.counts import OrderCounts, continuation_counts, count_ngrams
from seqlab.ngram.model import NgramModel

FALLBACK = (0.5, 1.0, 1.5)  # discounts of an order whose counts of counts do not allow the formula


@dataclass(frozen=True)
class Discounts:
    """What is taken from counts of 1, 2, and 3 or more, in one order; `fallback` where it is not the formula's."""

    amounts: tuple[float, float, float]
    fallback: bool

    def of(self, count: NDArray[np.int64]) -> NDArray[np.float64]:
        """The discount of every count, shape as `count`; nothing is taken from a count of zero."""
        return np.array([0.0, *self.amounts])[np.minimum(count, 3)]


@dataclass(frozen=True)
class Estimate:
    """A model, and the discounts of its orders where its smoothing has any."""

    model: NgramModel
    discounts: list[Discounts]

    @property
    def notes(self) -> list[str]:
        """A sentence for each order whose discounts are the fall-back."""
        return [
            f"order {k}: the counts of counts do not allow the discount formula, fall-back {discounts.amounts} used"
            for k, discounts in enumerate(self.discounts, start=1)
            if discounts.fallback
        ]


def modified_discounts(count: NDArray[np.int64]) -> Discounts:
    """The three discounts of modified Kneser-Ney from the counts of one order (Chen & Goodman 1998, eq. 26).

    Falls back to (0.5, 1, 1.5) where n1, n2 or n3 is zero or a discount leaves [0, count]: the smallest orders of a
    text of
    characters have no n-gram seen only once.
    """
    n1, n2, n3, n4 = (int((count == times).sum()) for times in (1, 2, 3, 4))
    if 0 in (n1, n2, n3):
        return Discounts(FALLBACK, True)
    y = n1 / (n1 + 2 * n2)
    amounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    if any(not 0 <= amount <= times for times, amount in enumerate(amounts, start=1)):
        return Discounts(FALLBACK, True)
    return Discounts(amounts, False)


def single_discount(count: NDArray[np.int64]) -> Discounts:
    """The one discount n1 / (n1 + 2 n2) of Kneser-Ney (Ney, Essen & Kneser 1994), or 0.5 where n1 or n2 is zero."""
    n1, n2 = int((count == 1).sum()), int((count == 2).sum())
    if 0 in (n1, n2):
        return Discounts((0.5, 0.5, 0.5), True)
    amount = n1 / (n1 + 2 * n2)
    return Discounts((amount, amount, amount), False)


def estimate(
    smoothing: str, segments: Sequence[NDArray[Any]], order: int, vocabulary: int, line_start: int | None = None
) -> Estimate:
    """The n-gram model of `order` with the smoothing `mle`, `laplace`, `kn` or `mkn`, over indices below `vocabulary`.

    For line-wise models `line_start` is the index of `<s>`, which opens every segment and is never predicted.
    Raises InputError for another smoothing and for what `count_ngrams` refuses.
    """
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing is {smoothing!r}; allowed are {', '.join(SMOOTHINGS)}")
    tables = count_ngrams(segments, order, vocabulary)
    if line_start is not None:
        tables[0].count[line_start] = 0
        tables[0].opens[line_start] = False  # so that its continuation count is zero as well
    return SMOOTHINGS[smoothing](tables, vocabulary, line_start)


def _maximum_likelihood(tables: list[OrderCounts], vocabulary: int, line_start: int | None) -> Estimate:
    """Relative frequencies, module Table 1; a context never seen is shortened, an n-gram never seen is impossible."""
    counts = [table.count for table in tables]
    totals = _totals(tables, counts)
    probability = [count / total[table.context] for table, count, total in zip(tables, counts, totals, strict=True)]
    backoff = [np.where(total > 0, 0.0, 1.0) for total in totals[1:]]
    return Estimate(NgramModel(vocabulary, True, [table.key for table in tables], probability, backoff), [])


def _add_one(tables: list[OrderCounts], vocabulary: int, line_start: int | None) -> Estimate:
    """Laplace: every symbol is seen once more after every context than it was."""
    if line_start is not None:
        raise InputError("laplace is not defined line by line here; use the stream protocol")
    counts = [table.count for table in tables]
    totals = _totals(tables, counts)
    probability = [
        (count + 1) / (total[table.context] + vocabulary)
        for table, count, total in zip(tables, counts, totals, strict=True)
    ]
    backoff = [vocabulary / (total + vocabulary) for total in totals[1:]]
    return Estimate(NgramModel(vocabulary, False, [table.key for table in tables], probability, backoff), [])


def _kneser_ney(tables: list[OrderCounts], vocabulary: int, line_start: int | None) -> Estimate:
    return _interpolate(tables, vocabulary, line_start, single_discount)


def _modified_kneser_ney(tables: list[OrderCounts], vocabulary: int, line_start: int | None) -> Estimate:
    return _interpolate(tables, vocabulary, line_start, modified_discounts)


def _interpolate(tables: list[OrderCounts], vocabulary: int, line_start: int | None, discounts_of: Any) -> Estimate:
    """Discounted counts plus what was taken times the order below, down to the uniform distribution (Chen & Goodman,
    eq. 24).
    """
    counts = continuation_counts(tables, lines=line_start is not None)
    totals = _totals(tables, counts)
    lower = np.full(1, 1 / (vocabulary - (line_start is not None)))  # <s> is never predicted
    probability: list[NDArray[np.float64]] = []
    backoff: list[NDArray[np.float64]] = []
    discounts: list[Discounts] = []
    for table, count, total in zip(tables, counts, totals, strict=True):
        discounts.append(discounts_of(count))
        taken = discounts[-1].of(count)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(total > 0, np.bincount(table.context, taken, len(total)) / total, 1.0)
            kept = np.where(count > 0, (count - taken) / total[table.context], 0.0)
        lower = kept + weight[table.context] * lower[table.suffix]
        if line_start is not None and not probability:
            lower[line_start] = 0.0
        probability.append(lower)
        backoff.append(weight)
    return Estimate(NgramModel(vocabulary, True, [table.key for table in tables], probability, backoff[1:]), discounts)


def _totals(tables: list[OrderCounts], counts: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """For each order, the summed count of what follows each context; the context of order 1 is the empty one."""
    sizes = [1, *(len(table.key) for table in tables[:-1])]
    return [
        np.bincount(table.context, count, size).astype(np.int64)
        for table, count, size in zip(tables, counts, sizes, strict=True)
    ]


SMOOTHINGS = {"mle": _maximum_likelihood, "laplace": _add_one, "kn": _kneser_ney, "mkn": _modified_kneser_ney}
