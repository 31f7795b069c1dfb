"""Module section 5.3: how a sequence is cut into pairs of inputs and targets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqlab.fleet.batches import random_batches, random_starts

TEXT = "the time machine by h g wells"  # Figure 4, T = 29


@st.composite
def cuts(draw):
    """T, n and d for which at least one subsequence fits."""
    n = draw(st.integers(1, 40))
    d = draw(st.integers(0, n - 1))
    return draw(st.integers(d + n + 1, 500)), n, d


def test_figure_4():
    starts = random_starts(len(TEXT), steps=5, offset=2)
    pairs = [(TEXT[start : start + 5], TEXT[start + 1 : start + 6]) for start in starts]
    assert pairs == [
        ("e tim", " time"),
        ("e mac", " mach"),
        ("hine ", "ine b"),
        ("by h ", "y h g"),
        ("g wel", " well"),
    ]


@given(cuts())
def test_number_of_subsequences(cut):
    T, n, d = cut
    assert len(random_starts(T, n, d)) == (T - d - 1) // n


@given(cuts())
def test_subsequences_follow_each_other_from_d(cut):
    T, n, d = cut
    starts = random_starts(T, n, d)
    assert starts.tolist() == [d + n * k for k in range(len(starts))]


@given(cuts())
def test_the_last_target_exists_and_no_further_subsequence_fits(cut):
    T, n, d = cut
    last = int(random_starts(T, n, d)[-1])
    assert last + n <= T - 1 < last + n + n


def test_an_epoch_takes_all_subsequences_of_one_offset_in_random_order():
    epoch = random_batches(len(TEXT), 5, 2, np.random.default_rng(1))
    starts = epoch.starts[epoch.lengths > 0]
    assert sorted(starts) == random_starts(len(TEXT), 5, int(min(starts))).tolist()
