"""What is recorded of a model is what its forecasts say, and the tables are what is recorded."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_forecasts import make_forecasts, make_series

from seqlab.io.errors import InputError
from seqlab.io.runs import read_experiment
from seqlab.series.autoregression import Autoregression
from seqlab.series.record import (
    compute_losses,
    forecast_score_rows,
    forecast_series,
    read_forecast_metrics,
    read_forecasts,
)
from seqlab.series.splits import Prepared
from seqlab.series.tables import find_best_forecaster, read_forecast_models, summarize_forecasts


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_forecasts(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def models(base: Path) -> pd.DataFrame:
    return read_forecast_models(base / "models.csv")


def at(models: pd.DataFrame, model: str, horizon: int, split: str = "test") -> pd.Series:
    rows = (models["model"] == model) & (models["horizon"] == horizon) & (models["split"] == split)
    (row,) = models[rows].to_dict("records")
    return pd.Series(row)


@pytest.mark.parametrize("horizon", [1, 4])
def test_errors_of_persistence_are_the_changes_of_the_series(models: pd.DataFrame, horizon: int) -> None:
    prepared = make_series()
    start, stop = prepared.splits["test"]
    changes = np.array([prepared.values[t] - prepared.values[t - horizon] for t in range(start - 1 + horizon, stop)])
    row = at(models, "persistence", horizon)
    assert row["origins"] == len(changes) == stop - start - horizon + 1
    assert row["rmse"] == pytest.approx(np.sqrt((changes**2).mean()))
    assert row["mae"] == pytest.approx(np.abs(changes).mean())
    train = np.abs(np.diff(prepared.values[: prepared.splits["train"][1]])).mean()
    assert row["mase"] == pytest.approx(np.abs(changes).mean() / train)


def test_a_model_without_a_distribution_has_no_likelihood(models: pd.DataFrame) -> None:
    assert at(models, "persistence", 1)[["nll", "crps", "coverage"]].isna().all()
    assert at(models, "autoregression", 1)[["nll", "crps", "coverage"]].notna().all()


def test_one_step_ahead_the_trajectories_have_the_error_of_the_points(models: pd.DataFrame) -> None:
    row = at(models, "autoregression", 1)
    assert row["trajectory_rmse"] == pytest.approx(row["rmse"])


def test_intervals_lie_around_their_figures(models: pd.DataFrame) -> None:
    for name in ("rmse", "mae", "mase", "nll", "crps", "mae_less_persistence"):
        told = models[models[f"{name}_low"].notna()]
        assert len(told) > 2, name
        assert ((told[f"{name}_low"] <= told[name]) & (told[name] <= told[f"{name}_high"])).all(), name


def test_a_difference_to_persistence_is_that_of_the_errors(models: pd.DataFrame) -> None:
    row, naive = at(models, "autoregression", 4), at(models, "persistence", 4)
    assert row["mae_less_persistence"] == pytest.approx(row["mae"] - naive["mae"])
    assert naive[["mae_less_persistence", "mae_less_persistence_low", "mae_less_persistence_high"]].tolist() == [
        0,
        0,
        0,
    ]


def test_every_seed_has_rows_of_its_own_and_the_mean_is_over_them(base: Path, models: pd.DataFrame) -> None:
    summary = pd.read_csv(base / "summary.csv")
    own = summary[(summary["model"] == "gru-1x4") & (summary["split"] == "test") & (summary["horizon"] == 4)]
    assert own["seed"].tolist() == [1, 2]
    row = at(models, "gru-1x4", 4)
    assert row["seeds"] == 2
    assert row["mae"] == pytest.approx(own["mae"].mean())
    assert row["rmse"] == pytest.approx(np.sqrt((own["rmse"] ** 2).mean()))


def test_the_best_is_chosen_on_valid(models: pd.DataFrame) -> None:
    changed = models.copy()
    changed.loc[changed["split"] == "test", "rmse"] = range((changed["split"] == "test").sum(), 0, -1)
    assert find_best_forecaster(changed) == find_best_forecaster(models)
    valid = models[models["split"] == "valid"]
    assert at(models, find_best_forecaster(models), 1, "valid")["rmse"] == valid["rmse"].min()


def test_forecasts_that_collapse_have_no_spread() -> None:
    prepared = make_series()
    flat = Autoregression(0.0, [0.0], 1.0)
    made = forecast_series(flat, prepared, prepared.origins("test", 1), [1, 4], 2)
    scores, _ = forecast_score_rows("test", made, compute_losses(made, prepared, 240), [None])
    assert [row["spread"] for row in scores] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_with_differences_a_forecast_goes_on_from_the_last_value() -> None:
    prepared = make_series(difference=True)
    drift = Autoregression(0.0, [0.0], 1e-9)  # every change is the mean change of train
    origins = prepared.origins("test", 1)
    made = forecast_series(drift, prepared, origins, [1, 4], 3)
    expected = prepared.values[origins][:, None] + np.array([1, 4]) * prepared.scale.mean
    np.testing.assert_allclose(made.points[0], expected)
    assert made.mixture is not None
    np.testing.assert_allclose(made.mixture.means.mean(-1)[0], expected, atol=1e-6)


def spread_of_trajectories(prepared: Prepared, steps: int) -> float:
    noise = Autoregression(0.0, [0.0], 1.0)
    made = forecast_series(noise, prepared, prepared.origins("test", 1), [steps], 64)
    assert made.mixture is not None
    return float(np.sqrt(made.mixture.means.var(-1).mean() + (made.mixture.deviations**2).mean()))


def test_with_differences_uncertainty_adds_up_from_step_to_step() -> None:
    prepared = make_series(difference=True)
    assert spread_of_trajectories(prepared, 4) == pytest.approx(2 * prepared.scale.deviation, rel=0.05)
    level = make_series()
    assert spread_of_trajectories(level, 4) == pytest.approx(level.scale.deviation, rel=0.05)


def test_metrics_are_strict_json_and_come_back(base: Path) -> None:
    text = (base / "forecast/persistence/metrics.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    metrics = read_forecast_metrics(base / "forecast/persistence/metrics.json")
    assert [row["seed"] for row in metrics["scores"]] == [None, None, None]


def test_errors_are_kept_with_the_forecasts(base: Path) -> None:
    arrays, values = read_forecasts(base / "forecast/gru-1x4/forecasts.npz"), make_series().values
    assert arrays["points"].shape == (2, len(arrays["origins"]), 2)
    np.testing.assert_allclose(arrays["errors"][:, 0, 1], values[arrays["origins"][0] + 4] - arrays["points"][:, 0, 1])
    assert np.isnan(arrays["errors"][0, -1, 1])  # its target lies beyond the end


def test_tables_need_persistence(base: Path) -> None:
    runs = read_experiment(base.parents[1] / "runs.json").runs
    with pytest.raises(InputError, match="persistence is not among the models"):
        summarize_forecasts(run for run in runs if run.model == "autoregression")


def test_metrics_of_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match="key 'series' is missing"):
        read_forecast_metrics(tmp_path / "metrics.json")
