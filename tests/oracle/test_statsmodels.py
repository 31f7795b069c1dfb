"""Autoregression of one column and of vectors and partial autocorrelation agree with statsmodels."""

import numpy as np
import pytest
from made_forecasts import scalar_autoregression
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.arima_process import ArmaProcess
from statsmodels.tsa.stattools import pacf

from seqlab.series.autoregression import Autoregression, try_orders
from seqlab.series.rollout import draw_trajectories, roll_out
from seqlab.series.series import sine, sunspots, us_economy

SERIES = {"sine": sine(600, 0.01, 0.2, 1).values, "sunspots": sunspots().values}  # (T, 1)
VECTORS = {"growth": us_economy().values[:, :3], "growth and rate": us_economy().values}  # (T, 3) and (T, 4)


@pytest.mark.parametrize("order", [1, 4, 30])
@pytest.mark.parametrize("name", SERIES)
def test_least_squares_are_those_of_autoreg(name: str, order: int) -> None:
    values = SERIES[name]
    theirs = AutoReg(values, order).fit()
    ours = Autoregression.fit(values, order)
    np.testing.assert_allclose([*ours.intercept, *ours.coefficients.ravel()], theirs.params, rtol=1e-8, atol=1e-8)
    equations = len(values) - order
    assert ours.deviation.item() == pytest.approx(
        np.sqrt(theirs.sigma2 * equations / (equations - order - 1)), rel=1e-8
    )


@pytest.mark.parametrize("name", SERIES)
def test_a_roll_out_is_the_dynamic_prediction_of_autoreg(name: str) -> None:
    values = SERIES[name]
    theirs = AutoReg(values[:-64], 4).fit().predict(len(values) - 64, len(values) - 1, dynamic=True)
    model = Autoregression.fit(values[:-64], 4)
    ours = roll_out(model, values, np.array([len(values) - 65]), 64)
    np.testing.assert_allclose(ours[0, 0, :, 0], theirs, rtol=1e-8)


@pytest.mark.parametrize("name", SERIES)
def test_the_last_coefficients_are_the_partial_autocorrelation(name: str) -> None:
    values = SERIES[name]
    table = try_orders(values, (0, len(values) - 50), (len(values) - 50, len(values)), 12)
    theirs = pacf(values[:-50], nlags=12, method="ols")[1:]
    np.testing.assert_allclose(table["partial_autocorrelation"], theirs, atol=1e-8)


def test_trajectories_have_the_mean_and_variance_of_the_process() -> None:
    """k steps ahead the variance is sigma^2 times the sum of the first k squared weights of the moving average."""
    model = scalar_autoregression(0.3, [0.9, -0.4], 0.5)
    weights = ArmaProcess([1, -0.9, 0.4], [1]).arma2ma(8)
    values, origin = np.array([[0.2], [1.5], [-0.7]]), np.array([2])
    horizons, count = [1, 2, 8], 200_000
    _, means, deviations = draw_trajectories(model, values, origin, horizons, count)
    exact = roll_out(model, values, origin, 8)[0, 0, :, 0]
    for place, horizon in enumerate(horizons):
        variance = 0.25 * (weights[:horizon] ** 2).sum()
        drawn = means[0, 0, place]
        assert drawn.mean() == pytest.approx(exact[horizon - 1], abs=4 * np.sqrt(variance / count))
        assert drawn.var() + (deviations[0, 0, place] ** 2).mean() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("name", VECTORS)
def test_least_squares_of_vectors_are_those_of_var(name: str, order: int) -> None:
    theirs = VAR(VECTORS[name]).fit(order)
    ours = Autoregression.fit(VECTORS[name], order)
    np.testing.assert_allclose(ours.intercept, theirs.intercept, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(ours.coefficients, theirs.coefs, rtol=1e-8, atol=1e-8)
    covariance = np.outer(ours.deviation, ours.deviation) * ours.correlation
    np.testing.assert_allclose(covariance, theirs.sigma_u, rtol=1e-8)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("name", VECTORS)
def test_a_roll_out_of_vectors_is_the_forecast_of_var(name: str, order: int) -> None:
    values = VECTORS[name]
    theirs = VAR(values[:-8]).fit(order).forecast(values[:-8], 8)
    ours = roll_out(Autoregression.fit(values[:-8], order), values, np.array([len(values) - 9]), 8)
    np.testing.assert_allclose(ours[0, 0], theirs, rtol=1e-8, atol=1e-8)


def test_trajectories_of_vectors_have_the_covariance_of_var() -> None:
    values, horizons, count = VECTORS["growth"], [1, 2, 8], 100_000
    exact = VAR(values).fit(2).forecast_cov(8)
    model = Autoregression.fit(values, 2)
    _, means, deviations = draw_trajectories(model, values, np.array([150]), horizons, count)
    for place, horizon in enumerate(horizons):
        ours = np.cov(means[0, 0, place].T) + np.outer(model.deviation, model.deviation) * model.correlation
        np.testing.assert_allclose(ours, exact[horizon - 1], rtol=0.03)
        np.testing.assert_array_equal(deviations[0, 0, place], np.broadcast_to(model.deviation, (count, 3)))


def test_the_vector_correlation_is_the_ratio_of_residual_covariances_of_var() -> None:
    values = VECTORS["growth"]
    table = try_orders(values, (0, 150), (150, len(values)), 6, scored=3)
    for order in range(2, 7):
        whole, between = VAR(values[:150]).fit(order), VAR(values[1:150]).fit(order - 1)  # of the same values
        ratio = np.linalg.det(whole.sigma_u_mle) / np.linalg.det(between.sigma_u_mle)
        assert table["partial_autocorrelation"][order - 1] == pytest.approx(np.sqrt(1 - ratio), rel=1e-8)
