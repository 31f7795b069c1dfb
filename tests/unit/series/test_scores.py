"""Scores are what their definitions say, computed another way; intervals hold what they promise."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from seqlab.series.rollout import Mixture
from seqlab.series.scores import (
    MeanInterval,
    coverage,
    crps,
    estimate_mean,
    naive_error,
    negative_log_likelihood,
    probability_below,
)

MEANS, DEVIATIONS = np.array([-1.0, 0.5, 2.0]), np.array([0.3, 1.0, 0.5])


def mixture(means: np.ndarray, deviations: np.ndarray) -> Mixture:
    """A mixture for one replica, origin and horizon."""
    return Mixture(means[None, None, None], deviations[None, None, None])


def below(value: float) -> float:
    return float(norm.cdf(value, MEANS, DEVIATIONS).mean())


@pytest.mark.parametrize("value", [-3.0, 0.1, 1.7])
def test_crps_is_the_integral_over_the_squared_difference_of_distributions(value: float) -> None:
    """Gneiting & Raftery 2007, Eq. 20, with the opposite sign."""
    left = quad(lambda y: below(y) ** 2, -12, value)[0]
    right = quad(lambda y: (1 - below(y)) ** 2, value, 12)[0]
    found = crps(mixture(MEANS, DEVIATIONS), np.array([[value]]))
    assert found.item() == pytest.approx(left + right, rel=1e-6)


@pytest.mark.parametrize("value", [-2.0, 0.5, 4.0])
def test_crps_of_one_gaussian_is_its_closed_form(value: float) -> None:
    mean, deviation = 0.7, 1.3
    standard = (value - mean) / deviation
    exact = deviation * (standard * (2 * norm.cdf(standard) - 1) + 2 * norm.pdf(standard) - 1 / np.sqrt(np.pi))
    for copies in (1, 5):  # trajectories that agree are one
        found = crps(mixture(np.full(copies, mean), np.full(copies, deviation)), np.array([[value]]))
        assert found.item() == pytest.approx(exact, rel=1e-10)


def test_crps_of_a_narrow_forecast_is_the_absolute_error() -> None:
    found = crps(mixture(np.array([2.0]), np.array([1e-9])), np.array([[3.5]]))
    assert found.item() == pytest.approx(1.5)


def test_the_true_distribution_has_the_lowest_crps_and_nll() -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, (4000, 1))
    shape = (1, 4000, 1, 1)
    for score in (crps, negative_log_likelihood):
        right, shifted, narrow, wide = (
            score(Mixture(np.full(shape, mean), np.full(shape, deviation)), values).mean()
            for mean, deviation in ((0, 1), (0.5, 1), (0, 0.5), (0, 2))
        )
        assert right < min(shifted, narrow, wide)


def test_negative_log_likelihood_is_that_of_the_mixture() -> None:
    found = negative_log_likelihood(mixture(MEANS, DEVIATIONS), np.array([[0.4]]))
    assert found.item() == pytest.approx(-np.log(norm.pdf(0.4, MEANS, DEVIATIONS).mean()))


def test_probability_below_and_what_the_central_interval_covers() -> None:
    single = Mixture(np.zeros((1, 3, 1, 1)), np.ones((1, 3, 1, 1)))
    found = probability_below(single, np.array([[-1.7], [0.0], [1.6]]))
    np.testing.assert_allclose(found[0, :, 0], norm.cdf([-1.7, 0.0, 1.6]))
    assert coverage(found)[0, :, 0].tolist() == [0.0, 1.0, 1.0]


def test_the_scale_of_mase_is_the_error_of_persistence_on_train() -> None:
    assert naive_error(np.array([1.0, 3.0, 2.0, 6.0])) == pytest.approx((2 + 1 + 4) / 3)


def moving_sums(rng: np.random.Generator, length: int, width: int) -> np.ndarray:
    """Errors that go together as those of forecasts `width` steps ahead do."""
    return np.convolve(rng.standard_normal(length + width - 1), np.ones(width), "valid")


@pytest.mark.parametrize("horizon", [1, 8])
def test_an_interval_holds_the_mean_about_as_often_as_it_says(horizon: int) -> None:
    rng = np.random.default_rng(1)
    told = [estimate_mean(moving_sums(rng, 400, horizon)[None], horizon) for _ in range(300)]
    share = np.mean([one.low < 0 < one.high for one in told])
    assert 0.89 < share < 0.99


def test_an_interval_over_seeds_is_wider_than_over_origins_alone() -> None:
    rng = np.random.default_rng(1)
    losses = rng.standard_normal((1, 200)) + np.array([[-1.0], [0.0], [1.0]])
    seeds, none = estimate_mean(losses, 1), estimate_mean(losses[1:2], 1)
    assert seeds.high - seeds.low > 5 * (none.high - none.low)


def test_too_few_origins_have_no_interval() -> None:
    told = estimate_mean(np.arange(150.0)[None], 64)
    assert told.mean == 74.5
    assert np.isnan([told.low, told.high]).all()


def test_equal_losses_have_an_interval_of_no_width() -> None:
    assert estimate_mean(np.full((1, 50), 2.0), 1) == estimate_mean(np.full((2, 50), 2.0), 4)


def test_a_forecast_that_is_a_point_has_a_score_and_no_likelihood():
    values, points = np.array([[1.0], [2.5]]), Mixture(np.ones((1, 2, 1, 3)), np.zeros((1, 2, 1, 3)))
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(crps(points, values), [[[0.0], [1.5]]])
        np.testing.assert_array_equal(probability_below(points, values), [[[0.5], [1.0]]])
        assert np.isnan(negative_log_likelihood(points, values)).all()


def test_points_and_gaussians_together_are_scored_as_almost_points():
    means, values = np.array([-1.0, 0.5, 2.0])[None, None, None], np.array([[0.7]])
    exact = Mixture(means, np.array([0.0, 1.0, 0.0])[None, None, None])
    almost = Mixture(means, np.array([1e-9, 1.0, 1e-9])[None, None, None])
    np.testing.assert_allclose(crps(exact, values), crps(almost, values), atol=1e-8)
    np.testing.assert_allclose(probability_below(exact, values), probability_below(almost, values), atol=1e-8)


def test_a_value_that_a_point_misses_by_rounding_is_covered():
    points = Mixture(np.full((1, 1, 1, 1), 0.1 + 0.2), np.zeros((1, 1, 1, 1)))
    assert coverage(probability_below(points, np.array([[0.3]]))) == 1.0
    assert coverage(probability_below(points, np.array([[0.3001]]))) == 0.0


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**40])
def test_an_interval_does_not_depend_on_the_unit(unit):
    losses = np.random.default_rng(1).standard_normal((1, 200)).cumsum(1) ** 2
    found, scaled = estimate_mean(losses, 4), estimate_mean(losses * unit**2, 4)
    assert scaled == MeanInterval(found.mean * unit**2, found.low * unit**2, found.high * unit**2)


def test_the_interval_of_losses_that_are_not_numbers_is_none():
    assert np.isnan(estimate_mean(np.full((1, 100), np.nan), 1).low)
