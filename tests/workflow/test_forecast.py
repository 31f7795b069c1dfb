"""A series of the user's, from its file to the report; and series that are refused."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from project import ROOT, Project, bare_project

FORECAST = ("--configfile", str(ROOT / "tests/workflow/forecast.yaml"))
MODELS = ["persistence", "autoregression", "mlp-1x4"]


def write_series(path: Path, rows: int, gap: int | None = None) -> Path:
    lines = [f"{day},{'' if day == gap else math.sin(day) + day % 7 / 10}" for day in range(1, rows + 1)]
    path.write_text("\n".join(["day,height", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def tides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, tuple[str, ...]]:
    folder = tmp_path_factory.mktemp("forecast")
    project = bare_project(folder)
    arguments = (*FORECAST, "--config", f"series={write_series(folder / 'tides.csv', 120)}", "column=height")
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stdout
    return project, arguments


def test_every_model_is_in_the_table(tides: tuple[Project, tuple[str, ...]]) -> None:
    models = pd.read_csv(tides[0].folder / "results/forecast/tides_height/series/models.csv")
    assert list(dict.fromkeys(models["model"])) == MODELS
    assert models.loc[models["split"] == "test", "horizon"].tolist() == [1, 4] * 3


def test_no_text_is_read(tides: tuple[Project, tuple[str, ...]]) -> None:
    folders = {path.name for path in (tides[0].folder / "results").iterdir() if path.is_dir()}
    assert folders == {"corpora", "forecast", "mlflow-artifacts"}
    assert {path.name for path in (tides[0].folder / "results/corpora").iterdir()} == {"tides_height"}


def test_every_seed_and_the_summary_are_runs(tides: tuple[Project, tuple[str, ...]]) -> None:
    receipt = json.loads((tides[0].folder / "results/forecast/tracking.json").read_text())
    assert receipt["places"] == {"tides_height/series": 5}


def test_the_report_holds_every_figure(tides: tuple[Project, tuple[str, ...]]) -> None:
    page = (tides[0].folder / "results/forecast/report.html").read_text()
    assert page.count("<figure>") == 4
    assert ".svg is missing" not in page


def test_what_runs_again(tides: tuple[Project, tuple[str, ...]]) -> None:
    project, arguments = tides
    assert project.planned(*arguments) == {}
    settings = project.folder / "src/seqlab/fleet/settings.py"
    settings.write_text(settings.read_text() + "\n# edited\n")
    planned = project.planned(*arguments)
    assert planned["train_forecaster"] == 1
    assert {"train_autoregression", "score_persistence", "build_series"} & set(planned) == set()


def write_river(path: Path, rows: int) -> Path:
    """Write three columns, whose numbers differ in size."""
    lines = [f"{day},{math.sin(day) + day % 7 / 10},{1000 + day % 11},{day % 5 / 1000}" for day in range(1, rows + 1)]
    path.write_text("\n".join(["day,flow,level,rain", *lines]) + "\n")
    return path


def test_columns_are_forecast_together(tmp_path: Path) -> None:
    """Every model of a vector, its tables, figures, report and runs; and every later run has nothing to do."""
    project, path = bare_project(tmp_path), write_river(tmp_path / "river.csv", 160)
    arguments = (*FORECAST, "--config", f"series={path}", "columns=[flow, level]", "exogenous=[rain]")
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stdout
    folder = project.folder / "results/forecast/river_flow_level/series"
    models = pd.read_csv(folder / "models.csv", keep_default_na=False)
    assert list(dict.fromkeys(models["model"])) == MODELS
    assert models.loc[models["split"] == "test", "column"].tolist() == ["", "", "flow", "flow", "level", "level"] * 3
    network = json.loads((folder / "forecast/mlp-1x4/network.json").read_text())
    assert (network["columns"], network["cell"]) == (3, "mlp")
    page = (project.folder / "results/forecast/report.html").read_text()
    assert page.count("<figure>") == 4 and ".svg is missing" not in page
    receipt = json.loads((project.folder / "results/forecast/tracking.json").read_text())
    assert receipt["places"] == {"river_flow_level/series": 5}
    assert project.planned(*arguments) == {}


def test_a_column_that_is_not_there(empty_project: Project, tmp_path: Path) -> None:
    path = write_river(tmp_path / "river.csv", 160)
    done = empty_project.snakemake(*FORECAST, "--config", f"series={path}", "columns=[flow, wind]")
    assert done.returncode != 0
    assert f"error: {path} has no column 'wind'; it has day, flow, level, rain" in done.stdout
    assert "Traceback" not in done.stdout
    assert list(empty_project.folder.glob("results/corpora/river*/series/*.json")) == []


def test_a_gap_is_refused_with_row_and_column(empty_project: Project, tmp_path: Path) -> None:
    path = write_series(tmp_path / "gappy.csv", 120, gap=17)
    done = empty_project.snakemake(*FORECAST, "--config", f"series={path}")
    assert done.returncode != 0
    assert f"error: row 17 of column 'height' of {path} is empty; fill the gap" in done.stdout
    assert "Traceback" not in done.stdout
    assert list(empty_project.folder.glob("results/corpora/gappy/series/*.json")) == []


def test_a_series_that_is_not_there(empty_project: Project) -> None:
    done = empty_project.snakemake(*FORECAST, "--config", "series=nowhere.csv")
    assert done.returncode != 0
    assert "series 'nowhere.csv' is neither a CSV file nor a name in config/series.yaml (logistic_map, " in done.stdout
