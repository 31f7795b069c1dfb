"""The figures of forecasts draw what was forecast, and the report tells it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_forecasts import make_forecasts, make_series, make_vectors

from seqlab.fleet.fit import UNDERFITTED_COLUMN
from seqlab.io.errors import InputError
from seqlab.io.files import replacing, write_json
from seqlab.io.runs import Experiment, read_experiment
from seqlab.io.tables import write_table
from seqlab.report.contents import SERIES_FIGURES, figure_file, list_figure_files, list_report_files
from seqlab.report.drawing import draw_figure
from seqlab.report.forecast import compose_forecast_summary
from seqlab.report.forecast_figures import (
    plot_error_by_horizon,
    plot_forecast_paths,
    plot_markov_check,
    plot_residual_autocorrelation,
)
from seqlab.report.page import write_report
from seqlab.report.style import save_figure
from seqlab.series.record import read_forecasts
from seqlab.series.splits import Prepared
from seqlab.series.tables import find_best_forecaster, read_forecast_models, summarize_forecasts


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_forecasts(folder)
    return folder


@pytest.fixture(scope="module")
def experiment(root: Path) -> Experiment:
    return read_experiment(root / "results" / "made" / "runs.json")


@pytest.fixture
def base(experiment: Experiment) -> Path:
    (place,) = experiment.prepared
    return Path(place.file(""))


def forecasts_of(experiment: Experiment, model: str) -> dict[str, np.ndarray]:
    run = next(run for run in experiment.runs if run.model == model)
    return read_forecasts(run.file("forecasts.npz"))


def values_of(prepared: Prepared) -> tuple[tuple[list[str], np.ndarray], dict[str, Any]]:
    """What series.csv and series.json hold."""
    return (prepared.index, prepared.values), asdict(prepared)


def test_paths_stand_at_the_times_they_were_forecast_for(experiment: Experiment) -> None:
    prepared, arrays = make_series(), forecasts_of(experiment, "autoregression")
    figure = plot_forecast_paths(*values_of(prepared), {"autoregression": arrays})
    (axes,) = [axes for axes in figure.axes if axes.get_visible()]
    value, one, four, mean = axes.lines[:4]
    start, stop = prepared.splits["test"]
    np.testing.assert_array_equal(value.get_xdata(), np.arange(start, stop))
    np.testing.assert_array_equal(value.get_ydata(), prepared.values[start:stop, 0])
    np.testing.assert_array_equal(one.get_ydata(), arrays["points"][0, :, 0, 0])
    assert four.get_xdata()[0] == start + 3
    np.testing.assert_array_equal(mean.get_ydata(), arrays["means"][0, : len(mean.get_ydata()), 1, 0])


def test_only_the_end_of_test_is_shown_where_the_series_says_so(experiment: Experiment) -> None:
    series, description = values_of(make_series())
    arrays = forecasts_of(experiment, "persistence")
    axes = plot_forecast_paths(series, description | {"shown": 10}, {"persistence": arrays}).axes[0]
    assert axes.lines[0].get_xdata().tolist() == list(range(230, 240))


def test_errors_are_drawn_at_their_horizons(base: Path) -> None:
    models = read_forecast_models(base / "models.csv")
    axes = plot_error_by_horizon(models, {"units": ["m"], "known": {"predictable": 3.0}}).axes[0]
    rows = models[(models["model"] == "persistence") & (models["split"] == "test")]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), rows["rmse"])
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [1, 4], rtol=0.2)
    assert [line.get_xdata()[0] for line in axes.lines][-1] == 3.0


@pytest.mark.parametrize("name", SERIES_FIGURES)
def test_every_figure_of_a_series_is_drawn_from_its_files(experiment: Experiment, name: str) -> None:
    ((place, prepared),) = experiment.prepared.items()
    files = list_figure_files(SERIES_FIGURES[name], place, experiment.runs, prepared)
    assert any(panel.lines or panel.collections for panel in draw_figure(SERIES_FIGURES[name], files, series=True).axes)


def test_settings_of_networks_are_columns(base: Path) -> None:
    models = read_forecast_models(base / "models.csv").drop_duplicates("model").set_index("model")
    assert models.loc["gru-1x4", ["cell", "layers", "hidden"]].to_list() == ["gru", 1, 4]
    assert models.loc["persistence", "cell"] == "" and models.loc["persistence", ["layers", "hidden"]].isna().all()


def test_forecasts_that_are_not_those_of_the_metrics_are_refused(tmp_path: Path) -> None:
    make_forecasts(tmp_path)
    experiment = read_experiment(tmp_path / "results" / "made" / "runs.json")
    first, second = (Path(run.file("forecasts.npz")) for run in experiment.runs[2:4])
    with replacing(first) as temporary:
        temporary.write_bytes(second.read_bytes())
    with pytest.raises(InputError, match=r"forecasts\.npz is damaged \(its SHA-256 is not that in metrics\.json"):
        summarize_forecasts(experiment.runs)


def test_a_forecasting_run_that_failed_is_named(tmp_path: Path) -> None:
    make_forecasts(tmp_path)
    experiment = read_experiment(tmp_path / "results" / "made" / "runs.json")
    failed = next(run for run in experiment.runs if run.model == "gru-1x4")
    models = pd.read_csv(failed.place.file("models.csv"))
    write_table(failed.place.file("models.csv"), models[models["model"] != "gru-1x4"])
    with pytest.raises(InputError, match=r"models\.csv is damaged \(it lacks gru-1x4"):
        write_report(experiment, {}, tmp_path / "report.html")
    Path(failed.file("metrics.json")).unlink()
    with pytest.raises(FileNotFoundError, match=r"gru-1x4/metrics\.json"):
        summarize_forecasts(experiment.runs)
    assert failed.file("metrics.json") in list_report_files(experiment.prepared, experiment.runs)
    assert not (tmp_path / "report.html").exists()


def one_ahead(errors: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a model that makes these errors one step ahead, and others four ahead."""
    return {"horizons": np.array([4, 1]), "errors": np.stack([np.ones_like(errors), errors], axis=-1)[None, ..., None]}


def test_residuals_that_go_together_leave_the_band() -> None:
    noise = np.random.default_rng(1).standard_normal(400)
    figure = plot_residual_autocorrelation({"white": one_ahead(noise), "sums": one_ahead(np.cumsum(noise))})
    titles = [axes.get_title("left") for axes in figure.axes[:2]]
    white, sums = (int(title.split(": ")[1].split()[0]) for title in titles)
    assert white < 5
    assert sums > 20


def test_errors_of_nothing_are_drawn() -> None:
    plot_residual_autocorrelation({"perfect": one_ahead(np.zeros(50))})
    assert "too few" in plot_residual_autocorrelation({"short": one_ahead(np.zeros(2))}).texts[0].get_text()


def orders_of(experiment: Experiment) -> pd.DataFrame:
    return pd.read_csv(next(run for run in experiment.runs if run.model == "autoregression").file("orders.csv"))


def test_the_markov_check_marks_both_orders(experiment: Experiment) -> None:
    orders = orders_of(experiment)
    figure = plot_markov_check(orders)
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    chosen = int(orders.loc[orders["chosen"], "order"].iloc[0])
    assert labels[0].startswith(f"lowest: {chosen}")


@pytest.fixture(scope="module")
def page(root: Path, experiment: Experiment) -> str:
    (place,) = experiment.prepared
    save_figure(plot_markov_check(orders_of(experiment)), figure_file(place, "markov_check"))
    write_json(
        root / "results/corpora/wave/series/source.json", {"title": "A <wave>", "source": "data/waves.csv, height"}
    )
    write_report(experiment, {"commit": "abc"}, root / "report.html")
    return (root / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        "<h1>How well is the series forecast?</h1>",
        "<title>seqlab, made: wave</title>",
        "A &lt;wave&gt; (data/waves.csv, height).",
        "240 values, in m, split along time: 120 for training, 48 for validation and 72 for test",
        "reaches the spread of the series after 3.0 steps",
        "<li>A note.</li>",
        "Markov check: the best autoregression on validation has order",
        "The figure forecast_paths.svg is missing.",
        'aria-label="Markov check of wave',
        "a note on gru-1x4",
        '<p class="summary">seasonal-persistence forecasts this series best one step ahead: RMSE ',
        "<h3>4 steps ahead</h3>",
        "The comparison is not settled, because a network is underfitted: gru-1x4 (still falling).",
        "Remedy for still falling: more forecast.training.epochs.",
        'gru-1x4<br><span class="badge">underfitted: still falling</span>',
    ],
)
def test_the_page_tells(page: str, words: str) -> None:
    assert words in page


def test_the_answer_is_that_of_the_best_on_valid(page: str, base: Path) -> None:
    models = read_forecast_models(base / "models.csv")
    valid = models[models["split"] == "valid"]
    best = valid.loc[valid["rmse"].idxmin(), "model"]
    assert f"Best model on validation, one step ahead: {best}, test RMSE" in page
    assert page.count('<tr class="best">') == 2  # one for each horizon


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Flow and level of a river, with rain as an input."""
    folder = tmp_path_factory.mktemp("river")
    make_forecasts(folder, prepared=make_vectors())
    return read_experiment(folder / "results" / "made" / "runs.json")


@pytest.mark.parametrize("name", SERIES_FIGURES)
def test_every_figure_of_vectors_is_drawn_from_its_files(river: Experiment, name: str) -> None:
    ((place, prepared),) = river.prepared.items()
    files = list_figure_files(SERIES_FIGURES[name], place, river.runs, prepared)
    figure = draw_figure(SERIES_FIGURES[name], files, series=True)
    visible = [panel for panel in figure.axes if panel.get_visible()]
    assert all(panel.lines or panel.collections for panel in visible)
    assert (
        len(visible)
        == {
            "forecast_paths": 4 * 2,  # models, columns
            "error_by_horizon": 3 * 3,  # mean and columns, figures
            "residual_autocorrelation": 4 * 2,
            "markov_check": 2,
        }[name]
    )


def test_paths_of_vectors_stand_in_the_panel_of_their_column(river: Experiment) -> None:
    prepared, arrays = make_vectors(), forecasts_of(river, "autoregression")
    figure = plot_forecast_paths(*values_of(prepared), {"autoregression": arrays})
    start, stop = prepared.splits["test"]
    for place, (axes, unit) in enumerate(zip(figure.axes, ["l/s", "m"], strict=True)):
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), prepared.values[start:stop, place])
        np.testing.assert_array_equal(axes.lines[1].get_ydata(), arrays["points"][0, :, 0, place])
        assert axes.get_ylabel() == unit
        assert axes.get_title("left") == f"autoregression, {prepared.columns[place]}"


def test_errors_of_vectors_are_drawn_by_column(river: Experiment) -> None:
    ((place, _),) = river.prepared.items()
    models = read_forecast_models(place.file("models.csv"))
    figure = plot_error_by_horizon(models, {"units": ["l/s", "m"], "known": {}})
    labels = [axes.get_ylabel() for axes in figure.axes[::3]]
    assert labels == [f"RMSE of the roll-out ({unit})" for unit in ("deviations on train", "l/s", "m")]
    rows = models[(models["model"] == "persistence") & (models["split"] == "test") & (models["column"] == "level")]
    np.testing.assert_array_equal(figure.axes[6].lines[0].get_ydata(), rows["rmse"])


def summarize(models: pd.DataFrame, **figures: Any) -> str:
    """The summary of a series after a change of the `figures` of its best model on test."""
    best = find_best_forecaster(models)
    rows = (models["model"] == best) & (models["split"] == "test")
    changed = models.assign(**{UNDERFITTED_COLUMN: ""})
    for name, value in figures.items():
        changed.loc[rows, name] = value
    summary = " ".join(compose_forecast_summary(changed, {"units": ["m"]}))
    return summary.replace(best, "BEST")


def test_the_summary_of_a_series_says_its_lead_its_cost_and_what_comes_next(base: Path) -> None:
    models = read_forecast_models(base / "models.csv")
    lead = {"mae_less_persistence": -0.5, "mae_less_persistence_low": -0.75, "mae_less_persistence_high": -0.25}
    costs = {"rmse": 1.5, "parameters": 1234, "train_seconds": 2.0, "seeds": 3}
    summary = summarize(models, **lead, **costs)
    assert summary.startswith("BEST forecasts this series best one step ahead: RMSE 1.500 (m). ")
    assert (
        "It is 0.5 of mean absolute error (m) better than persistence (95 % interval 0.25 to 0.75), and this is "
        "settled on this series. It has 1,234 parameters and took 2.0 s of training of 3 seeds. Next: try values"
    ) in summary
    tied = summarize(models, **lead | {"mae_less_persistence_high": 0.25})
    assert "not settled: the two are tied" in tied and "Next: use a longer series or more seeds" in tied
    worse = summarize(models, **{name: -value for name, value in lead.items()})
    assert "worse than persistence" in worse
    assert "too few origins" in summarize(models, **dict.fromkeys(lead, np.nan))
    persistence = models[models["model"] == "persistence"]
    alone = " ".join(compose_forecast_summary(persistence, {"units": ["m"]}))
    assert "No other model has a lower RMSE on validation." in alone and "train a recurrent network" in alone


@pytest.mark.parametrize(
    "words",
    [
        "240 vectors of flow (l/s), level (m), split along time",
        "Inputs, which are known up to the origin only: rain.",
        ", a mean over columns in units of their deviations on train; persistence has",
        "<p>level: ",
        "<h3>Mean over columns: 1 step ahead</h3>",
        "<h3>flow (l/s): 4 steps ahead</h3>",
        "each column has its standard deviation on train as unit",
    ],
)
def test_the_page_of_vectors_tells(river: Experiment, tmp_path: Path, words: str) -> None:
    write_report(river, {"commit": "abc"}, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert words in page
    assert page.count('<tr class="best">') == 3 * 2  # mean and columns, horizons
