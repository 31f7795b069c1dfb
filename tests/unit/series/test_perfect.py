"""Series that follow a rule without noise: the fit is perfect, its forecasts are points, and every score is defined."""

import numpy as np
import pytest

from seqlab.series.autoregression import Autoregression, sufficient_order, try_orders
from seqlab.series.record import compute_losses, forecast_score_rows, forecast_series, score_columns
from seqlab.series.series import Series
from seqlab.series.splits import Prepared, prepare_series

SHARES, NEEDS = {"train": 0.5, "valid": 0.2, "test": 0.3}, {"order": 8, "horizon": 4, "steps": 8}
TIME = np.arange(500.0)
RULES = {
    "alternating": (TIME % 2, 1),
    "a line": (3 * TIME - 7, 1),
    "a period": (TIME % 3, 2),
    "a sine": (np.sin(0.1 * TIME), 2),
    "a tiny unit": (1e-13 * np.sin(0.1 * TIME), 2),
}


def prepared(values: np.ndarray) -> Prepared:
    return prepare_series(
        "s", Series(["x"], [str(t) for t in range(len(values))], values[:, None], {}, []), {}, SHARES, NEEDS
    )


@pytest.mark.parametrize("name", RULES)
def test_a_perfect_fit_has_a_defined_score(name: str) -> None:
    values, order = RULES[name]
    given = prepared(values)
    orders = try_orders(given.scaled, given.learnt, given.splits["valid"], 8)
    assert sufficient_order(orders) == order and orders.loc[orders["chosen"], "valid_rmse"].item() == 0
    model = Autoregression.fit(given.scaled[slice(*given.learnt)], order)
    assert model.deviation == 0
    with np.errstate(divide="raise", invalid="raise"):
        (made,) = forecast_series(model, given, given.origins("test", 1), [1, 4], 5)
        rows, means = forecast_score_rows(
            "test", made, compute_losses(made, given, given.splits["test"][1]), model.seeds
        )
    for row in rows:
        assert row["crps"] == pytest.approx(row["mae"], abs=1e-12 * np.abs(values).max())
        assert row["crps"] <= 1e-10 * np.abs(values).max()
        assert (np.isnan(row["nll"]), row["coverage"]) == (True, 1.0)
    assert np.isnan(means[0]["nll_low"]) and means[0]["crps_low"] <= means[0]["crps"] <= means[0]["crps_high"]


def test_a_test_split_that_does_not_change_has_no_spread() -> None:
    values = np.random.default_rng(1).standard_normal(500)
    values[300:] = 0.25
    given = prepared(values)
    model = Autoregression.fit(given.scaled[slice(*given.learnt)], 1)
    with np.errstate(divide="raise", invalid="raise"):
        (made,) = forecast_series(model, given, given.origins("test", 1), [1], 5)
        rows, _ = forecast_score_rows("test", made, compute_losses(made, given, given.splits["test"][1]), model.seeds)
    assert np.isnan(rows[0]["spread"]) and np.isfinite(rows[0]["rmse"])


def test_scores_do_not_depend_on_the_unit() -> None:
    values, unit = np.random.default_rng(1).standard_normal(500).cumsum(), 2.0**-43
    found = []
    for given in (prepared(values), prepared(values * unit)):
        model = Autoregression.fit(given.scaled[slice(*given.learnt)], 2)
        (made,) = forecast_series(model, given, given.origins("test", 1), [1, 4], 5)
        found.append(
            forecast_score_rows("test", made, compute_losses(made, given, given.splits["test"][1]), model.seeds)[1][1]
        )
    plain, tiny = found
    for name in ("rmse", "mae", "crps", "crps_low", "mae_high"):
        assert tiny[name] == plain[name] * unit
    for name in ("mase", "coverage", "coverage_low", "spread"):
        assert tiny[name] == plain[name]


def test_a_perfect_fit_of_vectors_has_a_defined_score() -> None:
    """Sine and cosine are a vector autoregression of order 1 without noise; one scaled, one tiny."""
    values = np.column_stack([np.sin(0.1 * TIME), 1e-9 * np.cos(0.1 * TIME)])
    definition = {"columns": ["x", "y"]}
    given = prepare_series(
        "s", Series(["x", "y"], [str(t) for t in range(500)], values, {}, []), definition, SHARES, NEEDS
    )
    orders = try_orders(given.scaled, given.learnt, given.splits["valid"], 4, scored=2)
    assert sufficient_order(orders) == 1
    model = Autoregression.fit(given.scaled[slice(*given.learnt)], 1)
    assert model.deviation.tolist() == [0, 0] and model.correlation.tolist() == [[1, 0], [0, 1]]
    with np.errstate(divide="raise", invalid="raise"):
        forecasts = forecast_series(model, given, given.origins("test", 1), [1, 4], 5)
        losses = [compute_losses(column, given, 500) for column in forecasts]
        rows, _ = score_columns("test", forecasts, losses, model.seeds, given)
    assert [row["column"] for row in rows] == [None, None, "x", "x", "y", "y"]
    for row in rows:
        assert row["crps"] == pytest.approx(row["mae"], abs=1e-12)
        assert (np.isnan(row["nll"]), row["coverage"]) == (True, 1.0)
