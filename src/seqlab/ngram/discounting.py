"""Absolute discounting and (modified) Kneser-Ney smoothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqlab.ngram.counts import continuation_counts
from seqlab.ngram.evidence import Estimate, Evidence, interpolate_orders

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)  # of an order whose counts of counts do not allow the formula


@dataclass(frozen=True)
class Discounts:
    """Discounts of counts of 1, 2, and 3 or more in one order; `fallback` where they are not those of the formula."""

    amounts: tuple[float, float, float]
    fallback: bool

    def of(self, count: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the discount of every count, shape as `count`; that of zero is zero."""
        return np.array([0.0, *self.amounts])[np.minimum(count, 3)]


def modified_discounts(count: NDArray[np.int64]) -> Discounts:
    """The three discounts of modified Kneser-Ney from the counts of one order (Chen & Goodman 1998, eq. 26).

    Falls back to (0.5, 1, 1.5) where n1, n2 or n3 is zero or a discount leaves [0, count]: the smallest orders of a
    text of characters have no n-gram seen only once. A discount of exactly zero is kept, as in KenLM.
    """
    n1, n2, n3, n4 = (int((count == times).sum()) for times in (1, 2, 3, 4))
    if 0 in (n1, n2, n3):
        return Discounts(FALLBACK_DISCOUNTS, True)
    y = n1 / (n1 + 2 * n2)
    amounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    seen = (n1, n2, n3, n4)
    if any((k + 1) * n1 * seen[k] > k * seen[k - 1] * (n1 + 2 * n2) for k in (1, 2, 3)):  # below zero, without rounding
        return Discounts(FALLBACK_DISCOUNTS, True)
    first, second, third = (max(amount, 0.0) for amount in amounts)
    return Discounts((first, second, third), False)


def single_discount(count: NDArray[np.int64]) -> Discounts:
    """The one discount n1 / (n1 + 2 n2) (Ney, Essen & Kneser 1994), or 0.5 where n1 or n2 is zero."""
    n1, n2 = int((count == 1).sum()), int((count == 2).sum())
    if 0 in (n1, n2):
        return Discounts((0.5, 0.5, 0.5), True)
    amount = n1 / (n1 + 2 * n2)
    return Discounts((amount, amount, amount), False)


def absolute(evidence: Evidence) -> Estimate:
    """Absolute discounting: one discount per order, subtracted from occurrences (Ney, Essen & Kneser 1994)."""
    return _discounted(evidence, evidence.counts, single_discount)


def kneser_ney(evidence: Evidence) -> Estimate:
    """Interpolated Kneser-Ney: one discount per order, below the highest order from continuation counts."""
    return _discounted(evidence, _continuations(evidence), single_discount)


def modified_kneser_ney(evidence: Evidence) -> Estimate:
    """Modified Kneser-Ney: three discounts per order (Chen & Goodman 1998, section 3)."""
    return _discounted(evidence, _continuations(evidence), modified_discounts)


def _continuations(evidence: Evidence) -> list[NDArray[np.int64]]:
    return continuation_counts(evidence.tables, lines=evidence.line_start is not None)


def _discounted(
    evidence: Evidence, counts: Sequence[NDArray[np.int64]], discounts_of: Callable[[NDArray[np.int64]], Discounts]
) -> Estimate:
    """Discounted counts, interpolated with the order below by the discounted mass (Chen & Goodman 1998, eq. 24)."""
    discounts = [discounts_of(count) for count in counts]
    shares, weights = [], []
    totals = evidence.totals(counts)
    for k, (table, count, total, discount) in enumerate(zip(evidence.tables, counts, totals, discounts, strict=True)):
        taken = discount.of(count)
        if evidence.dropped:
            taken = np.where(evidence.dropped[k], count, taken)
        divisor = np.maximum(total, 1)  # a context without successors passes all mass to the order below
        shares.append((count - taken) / divisor[table.context])
        weights.append(np.where(total > 0, np.bincount(table.context, taken, len(total)) / divisor, 1.0))
    return Estimate(
        interpolate_orders(evidence, shares, weights),
        {"discounts": [list(discount.amounts) for discount in discounts]},
        [
            f"order {k}: the counts of counts do not allow the discount formula, fall-back {discount.amounts} used"
            for k, discount in enumerate(discounts, start=1)
            if discount.fallback
        ]
        + [
            f"order {k}: a discount is exactly zero, so a context may leave nothing to the order below, as in KenLM"
            for k, discount in enumerate(discounts, start=1)
            if 0.0 in discount.amounts
        ],
    )
