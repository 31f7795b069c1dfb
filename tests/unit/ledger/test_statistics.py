"""Verdicts on differences: intervals that hold what they promise, against simulation and formulas worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nct, t, ttest_1samp

from seqlab.ledger.statistics import (
    adjust_p_values,
    choose_block_length,
    compare_bits,
    detect_difference,
    estimate_block_variance,
    estimate_interval,
)


def correlated(random: np.random.Generator, symbols: int, share: float) -> np.ndarray:
    """Noise of which a `share` goes on from symbol to symbol."""
    noise = random.standard_normal(symbols + 100)
    for place in range(1, len(noise)):
        noise[place] += share * noise[place - 1]
    return noise[100:]


def simulated(trials: int, difference: float, share: float, replicas: int, seed_spread: float = 0.0) -> list[float]:
    """The p values of two models that differ by `difference` bits per symbol in the mean."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(trials):
        first = 2 + difference + correlated(random, 1000, share) + seed_spread * random.standard_normal((replicas, 1))
        second = 2 + seed_spread * random.standard_normal((replicas, 1)) + np.zeros((replicas, 1000))
        found.append(compare_bits(first, second).p)
    return found


@pytest.mark.parametrize(("share", "replicas", "spread"), [(0.0, 1, 0.0), (0.5, 1, 0.0), (0.0, 3, 0.05)])
def test_equal_models_are_called_different_one_time_in_twenty(share, replicas, spread):
    wrong = np.mean(np.array(simulated(400, 0.0, share, replicas, spread)) < 0.05)
    assert 0.02 <= wrong <= 0.085  # three standard errors of 400 trials about 5 %


def test_the_minimum_detectable_difference_is_found_four_times_in_five():
    symbols, share = 1000, 0.5
    error = 1 / (1 - share) / math.sqrt(symbols)  # of the mean of such noise
    found = np.mean(np.array(simulated(400, (1.96 + 0.84) * error, share, 1)) < 0.05)
    assert 0.72 <= found <= 0.88


def test_of_independent_symbols_it_is_the_paired_t_test():
    random = np.random.default_rng(1)
    first, second = random.random((1, 500)), random.random((1, 500))
    ours, theirs = compare_bits(first, second, block=1), ttest_1samp((first - second)[0], 0)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval()))


def test_the_block_variance_is_that_of_drawing_blocks():
    random = np.random.default_rng(2)
    values = correlated(random, 60, 0.5)
    starts = random.integers(0, 60, (40_000, 12))
    means = values[(starts[..., None] + np.arange(5)) % 60].mean((1, 2))
    assert estimate_block_variance(values, 5) == pytest.approx(means.var() * 12 / 11, rel=0.03)


def test_blocks_are_longer_where_neighbours_agree():
    random = np.random.default_rng(3)
    short, long = (choose_block_length(correlated(random, 4000, share)) for share in (0.0, 0.9))
    assert short <= 3
    assert 30 <= long <= 4000 // 8


def test_the_spread_of_seeds_widens_the_interval():
    random = np.random.default_rng(4)
    text = random.random(1000)
    alike = np.tile(text, (3, 1))
    apart = alike + np.array([[-0.1], [0.0], [0.1]])
    narrow, wide = compare_bits(alike, alike + random.normal(0, 0.01, 1000)), compare_bits(apart, alike)
    assert narrow.seed_error == pytest.approx(0, abs=1e-12)
    assert wide.seed_error == pytest.approx(0.1 / math.sqrt(3))
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)


def test_identical_models_have_no_difference():
    bits = np.random.default_rng(5).random((1, 100))
    found = compare_bits(bits, bits)
    assert (found.difference, found.p, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (np.ones((1, 20)), np.ones((1, 21)), "20 symbols cannot be compared with 21"),
        (np.ones((1, 20)), np.full((1, 20), np.inf), "infinitely many bits"),
        (np.ones((1, 10)), np.zeros((1, 10)), "10 symbols are too few"),
    ],
)
def test_what_cannot_be_compared_is_refused(first, second, said):
    with pytest.raises(ValueError, match=said):
        compare_bits(first, second)


def test_holm_on_the_example_worked_by_hand():
    # sorted: 0.01 * 4, then 0.015 * 3 = 0.045, then 0.03 * 2 = 0.06, then max(0.04 * 1, 0.06)
    assert adjust_p_values([0.03, 0.01, 0.04, 0.015]) == pytest.approx([0.06, 0.04, 0.06, 0.045])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_a_p_value_nor_changes_the_order(values):
    adjusted = adjust_p_values(values)
    assert all(value <= new <= 1 for value, new in zip(values, adjusted, strict=True))
    assert sorted(adjusted) == [adjusted[place] for place in sorted(range(len(values)), key=lambda n: values[n])]


@pytest.mark.parametrize("freedom", [3.0, 12.0, 400.0, 5000.0])
def test_what_can_be_detected_has_the_power_it_promises(freedom):
    critical = t.ppf(0.975, freedom)
    assert nct.sf(critical, freedom, detect_difference(1.0, freedom)) == pytest.approx(0.8, abs=0.002)


@pytest.mark.parametrize(("replicas", "spread"), [(1, 0.0), (3, 0.05)])
def test_an_interval_holds_the_mean_nineteen_times_in_twenty(replicas, spread):
    random = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        bits = 2 + correlated(random, 600, 0.3) + spread * random.standard_normal((replicas, 1))
        low, high = estimate_interval(bits)
        hits += low < 2 < high
    assert 0.91 < hits / 400 < 0.98


def test_no_interval_is_told_where_none_can_be():
    assert np.isnan(estimate_interval(np.array([[1.0, math.inf] * 20]))).all()
    assert np.isnan(estimate_interval(np.ones((1, 15)))).all()
