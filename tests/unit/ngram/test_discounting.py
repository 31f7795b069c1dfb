"""Discounts from counts of counts, by hand."""

from fractions import Fraction

import numpy as np
import pytest

from seqlab.ngram.discounting import FALLBACK_DISCOUNTS, modified_discounts, single_discount


def counts(n1: int, n2: int, n3: int, n4: int) -> np.ndarray:
    """Counts of which `n1` are one, `n2` two and so on, and some that no discount depends on."""
    return np.repeat([0, 1, 2, 3, 4, 9], [5, n1, n2, n3, n4, 6])


def test_modified_discounts_by_hand():
    # Y = 8 / (8 + 2 * 4) = 1/2; D1 = 1 - 2 Y 4/8, D2 = 2 - 3 Y 2/4, D3+ = 3 - 4 Y 1/2
    found = modified_discounts(counts(8, 4, 2, 1))
    assert found.amounts == pytest.approx((0.5, 1.25, 2.0))
    assert not found.fallback


def test_modified_discounts_need_no_count_of_four():
    assert modified_discounts(counts(8, 4, 2, 0)).amounts == pytest.approx((0.5, 1.25, 3.0))


@pytest.mark.parametrize(
    ("counts_of_counts", "zero"), [((4, 1, 1, 1), 1), ((3, 3, 4, 1), None), ((10, 5, 4, 6), 2), ((7, 7, 14, 1), 1)]
)
def test_a_discount_of_exactly_zero_is_kept(counts_of_counts, zero):
    n1, n2, n3, n4 = counts_of_counts
    exact = [
        Fraction(k) - (k + 1) * Fraction(n1, n1 + 2 * n2) * Fraction(after, before)
        for k, before, after in [(1, n1, n2), (2, n2, n3), (3, n3, n4)]
    ]
    discounts = modified_discounts(counts(*counts_of_counts))
    assert min(exact) >= 0 and not discounts.fallback
    assert discounts.amounts == pytest.approx(tuple(map(float, exact)))
    assert zero is None or discounts.amounts[zero] == exact[zero] == 0


@pytest.mark.parametrize(
    "counts_of_counts",
    [
        pytest.param((0, 4, 2, 1), id="n1 is zero"),
        pytest.param((8, 0, 2, 1), id="n2 is zero"),
        pytest.param((8, 4, 0, 1), id="n3 is zero"),
        pytest.param((4, 1, 10, 1), id="D2 is 2 - 3 * 4/6 * 10 and negative"),
        pytest.param((8, 4, 2, 4), id="D3+ is 3 - 4 * 1/2 * 2 and negative"),
    ],
)
def test_modified_discounts_fall_back(counts_of_counts):
    found = modified_discounts(counts(*counts_of_counts))
    assert found.fallback
    assert found.amounts == FALLBACK_DISCOUNTS == (0.5, 1.0, 1.5)


def test_single_discount_by_hand():
    assert single_discount(counts(8, 4, 2, 1)).amounts == (0.5, 0.5, 0.5)
    assert single_discount(counts(3, 1, 0, 0)).amounts == pytest.approx((0.6, 0.6, 0.6))


@pytest.mark.parametrize("counts_of_counts", [(0, 4, 2, 1), (8, 0, 2, 1)])
def test_single_discount_falls_back(counts_of_counts):
    found = single_discount(counts(*counts_of_counts))
    assert found.fallback
    assert found.amounts == (0.5, 0.5, 0.5)


def test_discount_of_each_count():
    found = modified_discounts(counts(8, 4, 2, 1)).of(np.array([0, 1, 2, 3, 4, 100]))
    assert found == pytest.approx([0, 0.5, 1.25, 2, 2, 2])
