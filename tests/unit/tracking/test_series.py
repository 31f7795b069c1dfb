"""Models of series become runs: one for each seed, with its figures and curves, and one for the experiment."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from made_forecasts import make_forecasts, make_vectors
from made_results import COMMAND
from mlflow.utils.validation import _validate_metric_name

from seqlab.io.runs import read_experiment
from seqlab.tracking.plan import plan_runs
from seqlab.tracking.runs import PlannedRun
from seqlab.tracking.views.catalogue import list_views


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def base(root: Path) -> Path:
    return make_forecasts(root)


@pytest.fixture(scope="module")
def runs(root: Path, base: Path) -> dict[str, PlannedRun]:
    return {run.name: run for run in plan_runs(read_experiment(root / "results/made/runs.json"))}


def test_every_seed_and_the_experiment_are_runs(runs: dict[str, PlannedRun]) -> None:
    assert list(runs) == ["experiment made", "autoregression", "gru-1x4-s1", "gru-1x4-s2", "persistence",
                          "seasonal-persistence"]  # fmt: skip
    assert {run.mlflow_experiment for run in runs.values()} == {"wave/series"}
    assert len({run.key for run in runs.values()}) == 6
    assert {run.parent for run in runs.values()} == {"", runs["experiment made"].key}


def test_figures_are_those_of_the_seed(base: Path, runs: dict[str, PlannedRun]) -> None:
    figures = {point.name: point.value for point in runs["gru-1x4-s1"].points}
    summary = pd.read_csv(base / "summary.csv")
    rows = summary[(summary["model"] == "gru-1x4") & (summary["seed"] == 1) & (summary["split"] == "test")]
    assert [figures["test/crps-1"], figures["test/crps-4"]] == pytest.approx(rows["crps"].tolist())
    assert runs["gru-1x4-s1"].points[0].name == "valid/rmse-1"  # what selects a model comes first


def test_curves_are_those_of_the_seed(runs: dict[str, PlannedRun]) -> None:
    points = runs["gru-1x4-s2"].points
    assert [(point.value, point.step) for point in points if point.name == "valid/epoch_loss"] == [(1.0, 1), (0.5, 2)]


def test_a_model_without_a_distribution_has_no_figures_of_one(runs: dict[str, PlannedRun]) -> None:
    names = {point.name for point in runs["persistence"].points}
    assert "test/rmse-4" in names
    assert not {name for name in names if "crps" in name or "nll" in name}


def test_an_underfitted_network_has_the_reason_as_a_tag(runs: dict[str, PlannedRun]) -> None:
    tags = {name: run.standing.get("underfitted") for name, run in runs.items() if name != "experiment made"}
    assert tags == {
        "autoregression": None,
        "gru-1x4-s1": "still falling",
        "gru-1x4-s2": "still falling",
        "persistence": None,
        "seasonal-persistence": None,
    }


def test_the_experiment_holds_the_tables_and_the_answer(base: Path, runs: dict[str, PlannedRun]) -> None:
    run = runs["experiment made"]
    assert [path.name for path, _ in run.artifacts] == ["summary.csv", "models.csv"]
    assert run.standing["mlflow.note.content"].startswith("Forecasts of wave: ")
    assert f"\n    {COMMAND}\n" in run.standing["mlflow.note.content"]


def test_series_have_views_of_their_own() -> None:
    links = {view.link for view in list_views("wave/series", [])}
    assert links == {"leaderboard", "experiments", "horizons", "curves"}
    assert "ngram-rnn" in {view.link for view in list_views("toy/char", [])}


def test_figures_of_vectors_are_means_and_those_of_columns_are_named(tmp_path: Path) -> None:
    base = make_forecasts(tmp_path, prepared=make_vectors())
    runs = {run.name: run for run in plan_runs(read_experiment(tmp_path / "results/made/runs.json"))}
    figures = {point.name: point.value for point in runs["gru-1x4-s1"].points}
    summary = pd.read_csv(base / "summary.csv", keep_default_na=False)
    rows = summary[(summary["model"] == "gru-1x4") & (summary["seed"] == "1") & (summary["split"] == "test")]
    crps = {(row["column"], row["horizon"]): float(row["crps"]) for row in rows.to_dict("records")}
    assert figures["test/crps-4"] == pytest.approx(crps["", 4])
    assert figures["test/crps-4/flow"] == pytest.approx(crps["flow", 4])
    assert not [name for name in figures if name.endswith("/rain")]
    assert runs["gru-1x4-s1"].points[0].name == "valid/rmse-1"


def test_names_of_columns_that_mlflow_does_not_allow_stay_apart(tmp_path: Path) -> None:
    make_forecasts(tmp_path, prepared=replace(make_vectors(), columns=["flow (l/s)", "flow [l/s]"]))
    runs = {run.name: run for run in plan_runs(read_experiment(tmp_path / "results/made/runs.json"))}
    names = {point.name for point in runs["persistence"].points}
    assert {"test/rmse-1", "test/rmse-1/flow _l_s_", "test/rmse-1/flow _l_s__"} <= names
    for name in names:
        _validate_metric_name(name)
