"""What is recorded of a model is what its forecasts say, and the tables are what is recorded."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_forecasts import make_forecasts, make_series, make_vectors, scalar_autoregression

from seqlab.io.errors import InputError
from seqlab.io.runs import read_experiment
from seqlab.series.autoregression import Autoregression
from seqlab.series.forecaster import NetworkForecaster
from seqlab.series.network import ForecastNetwork
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
    values = prepared.values[:, 0]
    changes = np.array([values[t] - values[t - horizon] for t in range(start - 1 + horizon, stop)])
    row = at(models, "persistence", horizon)
    assert row["origins"] == len(changes) == stop - start - horizon + 1
    assert row["rmse"] == pytest.approx(np.sqrt((changes**2).mean()))
    assert row["mae"] == pytest.approx(np.abs(changes).mean())
    train = np.abs(np.diff(values[: prepared.splits["train"][1]])).mean()
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
    flat = scalar_autoregression(0.0, [0.0], 1.0)
    (made,) = forecast_series(flat, prepared, prepared.origins("test", 1), [1, 4], 2)
    scores, _ = forecast_score_rows("test", made, compute_losses(made, prepared, 240), [None])
    assert [row["spread"] for row in scores] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_with_differences_a_forecast_goes_on_from_the_last_value() -> None:
    prepared = make_series(difference=True)
    drift = scalar_autoregression(0.0, [0.0], 1e-9)  # every change is the mean change of train
    origins = prepared.origins("test", 1)
    (made,) = forecast_series(drift, prepared, origins, [1, 4], 3)
    expected = prepared.values[origins] + np.array([1, 4]) * prepared.scale.mean[0]
    np.testing.assert_allclose(made.points[0], expected)
    assert made.mixture is not None
    np.testing.assert_allclose(made.mixture.means.mean(-1)[0], expected, atol=1e-6)


def spread_of_trajectories(prepared: Prepared, steps: int) -> float:
    noise = scalar_autoregression(0.0, [0.0], 1.0)
    (made,) = forecast_series(noise, prepared, prepared.origins("test", 1), [steps], 64)
    assert made.mixture is not None
    return float(np.sqrt(made.mixture.means.var(-1).mean() + (made.mixture.deviations**2).mean()))


def test_with_differences_uncertainty_adds_up_from_step_to_step() -> None:
    prepared = make_series(difference=True)
    assert spread_of_trajectories(prepared, 4) == pytest.approx(2 * prepared.scale.deviation[0], rel=0.05)
    level = make_series()
    assert spread_of_trajectories(level, 4) == pytest.approx(level.scale.deviation[0], rel=0.05)


def test_metrics_are_strict_json_and_come_back(base: Path) -> None:
    text = (base / "forecast/persistence/metrics.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    metrics = read_forecast_metrics(base / "forecast/persistence/metrics.json")
    assert [row["seed"] for row in metrics["scores"]] == [None, None, None]


def test_errors_are_kept_with_the_forecasts(base: Path) -> None:
    arrays, values = read_forecasts(base / "forecast/gru-1x4/forecasts.npz"), make_series().values
    assert arrays["points"].shape == (2, len(arrays["origins"]), 2, 1)
    np.testing.assert_allclose(arrays["errors"][:, 0, 1], values[arrays["origins"][0] + 4] - arrays["points"][:, 0, 1])
    assert np.isnan(arrays["errors"][0, -1, 1, 0])  # its target lies beyond the end


def test_tables_need_persistence(base: Path) -> None:
    runs = read_experiment(base.parents[1] / "runs.json").runs
    with pytest.raises(InputError, match="persistence is not among the models"):
        summarize_forecasts(run for run in runs if run.model == "autoregression")


def test_metrics_of_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match="key 'series' is missing"):
        read_forecast_metrics(tmp_path / "metrics.json")


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow and a level, with rain as an input."""
    return make_forecasts(tmp_path_factory.mktemp("river"), prepared=make_vectors())


def rows_of(river: Path, model: str, horizon: int) -> dict[str, dict]:
    """The rows of a model on test by column, the mean under the empty name."""
    models = read_forecast_models(river / "models.csv")
    rows = models[(models["model"] == model) & (models["split"] == "test") & (models["horizon"] == horizon)]
    return {row["column"]: row for row in rows.to_dict("records")}


@pytest.mark.parametrize("horizon", [1, 4])
def test_scores_are_those_of_each_column_and_exogenous_ones_have_none(river: Path, horizon: int) -> None:
    prepared, rows = make_vectors(), rows_of(river, "persistence", horizon)
    assert list(rows) == ["", "flow", "level"]
    start, stop = prepared.splits["test"]
    for place, column in enumerate(prepared.columns):
        values = prepared.values[:, place]
        changes = values[start - 1 + horizon : stop] - values[start - 1 : stop - horizon]
        assert rows[column]["rmse"] == pytest.approx(np.sqrt((changes**2).mean()))
        assert rows[column]["mae"] == pytest.approx(np.abs(changes).mean())


def test_the_mean_over_columns_is_in_units_of_their_deviations_on_train(river: Path) -> None:
    train = make_vectors().values[:120]
    deviations = {"flow": train[:, 0].std(), "level": train[:, 1].std()}
    rows = rows_of(river, "gru-1x4", 4)
    mean, columns = rows[""], {name: rows[name] for name in deviations}
    for name in ("mae", "crps"):
        assert mean[name] == pytest.approx(np.mean([row[name] / deviations[key] for key, row in columns.items()]))
    squares = [(row["rmse"] / deviations[key]) ** 2 for key, row in columns.items()]
    assert mean["rmse"] == pytest.approx(np.sqrt(np.mean(squares)))
    nats = [row["nll"] - np.log(deviations[key]) for key, row in columns.items()]
    assert mean["nll"] == pytest.approx(np.mean(nats))
    for name in ("mase", "coverage", "spread", "trajectory_spread"):
        assert mean[name] == pytest.approx(np.mean([row[name] for row in columns.values()]))
    against = [row["mae_less_persistence"] / deviations[key] for key, row in columns.items()]
    assert mean["mae_less_persistence"] == pytest.approx(np.mean(against))
    assert mean["mae_low"] < mean["mae"] < mean["mae_high"]


def test_the_mean_over_columns_does_not_depend_on_their_units(tmp_path: Path, river: Path) -> None:
    prepared = make_vectors()
    powers = np.array([2.0**20, 2.0**-30, 1.0])
    scale = replace(
        prepared.scale,
        mean=tuple(prepared.scale.mean * powers),
        deviation=tuple(prepared.scale.deviation * powers),
    )
    other = make_forecasts(tmp_path, prepared=replace(prepared, values=prepared.values * powers, scale=scale))
    for name, value in rows_of(river, "autoregression", 4)[""].items():
        assert rows_of(other, "autoregression", 4)[""][name] == pytest.approx(value, nan_ok=True), name


def test_the_best_of_vectors_is_that_of_the_mean(river: Path) -> None:
    models = read_forecast_models(river / "models.csv")
    changed = models.copy()
    changed.loc[changed["column"] != "", "rmse"] = range((changed["column"] != "").sum(), 0, -1)
    assert find_best_forecaster(changed) == find_best_forecaster(models)


def test_errors_of_vectors_are_kept_with_the_names_of_their_columns(river: Path) -> None:
    arrays, prepared = read_forecasts(river / "forecast/gru-1x4/forecasts.npz"), make_vectors()
    assert arrays["columns"].tolist() == prepared.columns
    assert arrays["deviations"].tolist() == list(prepared.scale.deviation[:2])
    assert arrays["points"].shape == arrays["crps"].shape == (2, len(arrays["origins"]), 2, 2)
    values = prepared.values[arrays["origins"][0] + 4, :2]
    np.testing.assert_allclose(arrays["errors"][:, 0, 1], values - arrays["points"][:, 0, 1])


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("model", ["autoregression", "mlp", "gru"])
def test_no_value_after_the_origin_is_read(model: str, difference: bool) -> None:
    """Least of all those of an exogenous column."""
    prepared, origin = make_vectors(difference), np.array([200])
    changed = prepared.values.copy()
    changed[201:] = 1e6
    later = replace(prepared, values=changed)
    if model == "autoregression":
        forecaster = Autoregression.fit(prepared.scaled[slice(*prepared.learnt)], 3)
    else:
        network = ForecastNetwork(model, 1, 4, 2 if model == "mlp" else 1, columns=3)
        forecaster = NetworkForecaster(network, network.initial_parameters([1]), [1])
    for before, after in zip(
        *(forecast_series(forecaster, series, origin, [1, 8], 3) for series in (prepared, later)), strict=True
    ):
        np.testing.assert_array_equal(before.points, after.points)
        np.testing.assert_array_equal(before.mixture.means, after.mixture.means)


def test_an_exogenous_column_is_read_up_to_the_origin() -> None:
    prepared, origin = make_vectors(), np.array([200])
    changed = prepared.values.copy()
    changed[200, 2] += 3.0
    model = Autoregression.fit(prepared.scaled[slice(*prepared.learnt)], 3)
    flow, wetter = (
        forecast_series(model, series, origin, [1], 1)[0].points.item()
        for series in (prepared, replace(prepared, values=changed))
    )
    assert wetter > flow + 20


def test_with_differences_vectors_go_on_from_their_last_values() -> None:
    prepared = make_vectors(difference=True)
    drift = Autoregression(np.zeros(3), np.zeros((1, 3, 3)), np.full(3, 1e-9), np.eye(3))
    origins = prepared.origins("test", 1)
    for place, made in enumerate(forecast_series(drift, prepared, origins, [1, 4], 3)):
        expected = prepared.values[origins][:, [place]] + np.array([1, 4]) * prepared.scale.mean[place]
        np.testing.assert_allclose(made.points[0], expected)
        np.testing.assert_allclose(made.mixture.means.mean(-1)[0], expected, rtol=1e-6)
