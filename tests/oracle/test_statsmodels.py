"""Autoregression and partial autocorrelation agree with statsmodels, computed another way."""

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.arima_process import ArmaProcess
from statsmodels.tsa.stattools import pacf

from seqlab.series.autoregression import Autoregression, try_orders
from seqlab.series.rollout import draw_trajectories, roll_out
from seqlab.series.series import sine, sunspots

SERIES = {"sine": sine(600, 0.01, 0.2, 1).values, "sunspots": sunspots().values}


@pytest.mark.parametrize("order", [1, 4, 30])
@pytest.mark.parametrize("name", SERIES)
def test_least_squares_are_those_of_autoreg(name: str, order: int) -> None:
    values = SERIES[name]
    theirs = AutoReg(values, order).fit()
    ours = Autoregression.fit(values, order)
    np.testing.assert_allclose([ours.intercept, *ours.coefficients], theirs.params, rtol=1e-8, atol=1e-8)
    equations = len(values) - order
    assert ours.deviation == pytest.approx(np.sqrt(theirs.sigma2 * equations / (equations - order - 1)), rel=1e-8)


@pytest.mark.parametrize("name", SERIES)
def test_a_roll_out_is_the_dynamic_prediction_of_autoreg(name: str) -> None:
    values = SERIES[name]
    theirs = AutoReg(values[:-64], 4).fit().predict(len(values) - 64, len(values) - 1, dynamic=True)
    model = Autoregression.fit(values[:-64], 4)
    ours = roll_out(model, values, np.array([len(values) - 65]), 64)
    np.testing.assert_allclose(ours[0, 0], theirs, rtol=1e-8)


@pytest.mark.parametrize("name", SERIES)
def test_the_last_coefficients_are_the_partial_autocorrelation(name: str) -> None:
    values = SERIES[name]
    table = try_orders(values, (0, len(values) - 50), (len(values) - 50, len(values)), 12)
    theirs = pacf(values[:-50], nlags=12, method="ols")[1:]
    np.testing.assert_allclose(table["partial_autocorrelation"], theirs, atol=1e-8)


def test_trajectories_have_the_mean_and_variance_of_the_process() -> None:
    """k steps ahead the variance is sigma^2 times the sum of the first k squared weights of the moving average."""
    model = Autoregression(0.3, [0.9, -0.4], 0.5)
    weights = ArmaProcess([1, -0.9, 0.4], [1]).arma2ma(8)
    values, origin = np.array([0.2, 1.5, -0.7]), np.array([2])
    horizons, count = [1, 2, 8], 200_000
    _, means, deviations = draw_trajectories(model, values, origin, horizons, count)
    exact = roll_out(model, values, origin, 8)[0, 0]
    for place, horizon in enumerate(horizons):
        variance = 0.25 * (weights[:horizon] ** 2).sum()
        drawn = means[0, 0, place]
        assert drawn.mean() == pytest.approx(exact[horizon - 1], abs=4 * np.sqrt(variance / count))
        assert drawn.var() + (deviations[0, 0, place] ** 2).mean() == pytest.approx(variance, rel=0.02)
