"""The figures of forecasts draw what was forecast, and the report tells it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_forecasts import make_forecasts, make_series

from seqlab.forecast.record import read_forecasts
from seqlab.forecast.tables import read_models
from seqlab.report.forecast_figures import error_by_horizon, forecast_paths, markov_check, residual_autocorrelation
from seqlab.report.page import write_report
from seqlab.report.style import save


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_forecasts(folder)
    return folder


@pytest.fixture
def base(root: Path) -> Path:
    return root / "results" / "forecast" / "wave"


def test_paths_stand_at_the_times_they_were_forecast_for(base: Path) -> None:
    prepared, arrays = make_series(), read_forecasts(base / "autoregression" / "forecasts.npz")
    (axes,) = [axes for axes in forecast_paths(prepared, {"autoregression": arrays}).axes if axes.get_visible()]
    value, one, four, mean = axes.lines[:4]
    start, stop = prepared.splits["test"]
    np.testing.assert_array_equal(value.get_xdata(), np.arange(start, stop))
    np.testing.assert_array_equal(one.get_ydata(), arrays["points"][0, :, 0])
    assert four.get_xdata()[0] == start + 3
    np.testing.assert_array_equal(mean.get_ydata(), arrays["means"][0, : len(mean.get_ydata()), 1])


def test_only_the_end_of_test_is_shown_where_the_series_says_so(base: Path) -> None:
    from dataclasses import replace

    arrays = read_forecasts(base / "persistence" / "forecasts.npz")
    axes = forecast_paths(replace(make_series(), shown=10), {"persistence": arrays}).axes[0]
    assert axes.lines[0].get_xdata().tolist() == list(range(230, 240))


def test_errors_are_drawn_at_their_horizons(base: Path) -> None:
    models = read_models(base / "models.csv")
    axes = error_by_horizon(models, "m", {"predictable": 3.0}).axes[0]
    rows = models[(models["model"] == "persistence") & (models["split"] == "test")]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), rows["rmse"])
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [1, 4], rtol=0.2)
    assert [line.get_xdata()[0] for line in axes.lines][-1] == 3.0


def test_residuals_that_go_together_leave_the_band() -> None:
    noise = np.random.default_rng(1).standard_normal(400)
    figure = residual_autocorrelation({"white": noise, "sums": np.cumsum(noise)})
    titles = [axes.get_title("left") for axes in figure.axes[:2]]
    white, sums = (int(title.split(": ")[1].split()[0]) for title in titles)
    assert white < 5
    assert sums > 20


def test_errors_of_nothing_are_drawn() -> None:
    residual_autocorrelation({"perfect": np.zeros(50)})
    assert "too few" in residual_autocorrelation({"short": np.zeros(2)}).texts[0].get_text()


def test_the_markov_check_marks_both_orders(base: Path) -> None:
    orders = pd.read_csv(base / "autoregression" / "orders.csv")
    figure = markov_check(orders)
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    chosen = int(orders.loc[orders["chosen"], "order"].iloc[0])
    assert labels[0].startswith(f"lowest: {chosen}")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    base = root / "results" / "forecast" / "wave"
    save(markov_check(pd.read_csv(base / "autoregression" / "orders.csv")), base / "figures" / "markov_check.svg")
    write_report(root / "results", [], {"commit": "abc"}, root / "report.html", ["wave"])
    return (root / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        "<h1>How well is the series forecast?</h1>",
        "<title>seqlab: wave</title>",
        "A &lt;wave&gt;.",
        "240 values, in m: 120 to learn from, 48 to choose by, 72 to score",
        "reaches the spread of the series after 3.0 steps",
        "<li>A note.</li>",
        "Markov check: on valid an autoregression of order",
        "The figure forecast_paths.svg has not been drawn.",
        'aria-label="Markov check of wave',
        "a note on gru-1x4",
        "<h3>4 steps ahead</h3>",
    ],
)
def test_the_page_tells(page: str, words: str) -> None:
    assert words in page


def test_the_answer_is_that_of_the_best_on_valid(page: str, base: Path) -> None:
    models = read_models(base / "models.csv")
    valid = models[models["split"] == "valid"]
    best = valid.loc[valid["rmse"].idxmin(), "model"]
    assert f"Best on valid, one step ahead: {best}, test RMSE" in page
    assert page.count('<tr class="best">') == 2  # one for each horizon
