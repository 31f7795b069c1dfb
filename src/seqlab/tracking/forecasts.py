"""The runs of models of series: one for each model and seed, and one for the experiment that they belong to.

Figures are named after their horizon: test/rmse-4 is that of 4 steps ahead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqlab.io.cards import read_card
from seqlab.io.runs import Experiment, Place, Run
from seqlab.report.style import number
from seqlab.series.record import FIGURES, read_forecast_metrics
from seqlab.series.tables import best_on_valid, read_models
from seqlab.tracking.language_models import curves, params_of, read_history, started
from seqlab.tracking.page import made_by
from seqlab.tracking.runs import PlannedRun, Point, plan_parent, plan_seed

FILES = ("card.yaml", "orders.csv")
TABLES = ("summary.csv", "models.csv")


def plan(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """The runs in MLflow of the finished `runs` on one series, after that of the experiment itself."""
    best = _best_model(place)
    page = f"Forecasts of {place.corpus}: {best}\n\n{made_by(experiment.command)}"
    parent = plan_parent(experiment, place, TABLES, page, best)
    yield parent
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    params = params_of(cards, always=None)
    for run, card in cards.items():
        for planned in _plan_seeds(experiment, run, card, params[run]):
            yield replace(planned, parent=parent.key)


def _plan_seeds(experiment: Experiment, run: Run, card: dict[str, Any], params: dict[str, str]) -> Iterator[PlannedRun]:
    """One run for each seed, or a single one where the model has none."""
    metrics = read_forecast_metrics(run.file("metrics.json"))
    history, seconds = read_history(run.file("history.csv")), float(metrics["train_seconds"])
    paths = [Path(run.file(name)) for name in FILES]
    artifacts = tuple((path, None) for path in paths if path.exists())
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        data = card["data"]["table"]
        planned = plan_seed(experiment, run, card, seed, params, data, started(run, seconds), seconds)
        points = (*_figures(metrics, seed), *curves(history, seed))
        yield replace(planned, tags=planned.tags | {"card": metrics["card"]}, points=points, artifacts=artifacts)


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0; those that can't be told are left out, as MLflow would draw them."""
    for row in metrics["scores"]:
        for name in FIGURES:
            if row["seed"] == seed and row.get(name, float("nan")) == row.get(name):  # not NaN
                yield Point(f"{row['split']}/{name}-{row['horizon']}", float(row[name]))
    yield Point("model/parameters", float(metrics["parameters"]))
    yield Point("train/seconds", float(metrics["train_seconds"]))


def _best_model(place: Place) -> str:
    """The best model of an experiment on one series, in one line."""
    path = Path(place.file("models.csv"))
    if not path.exists():
        return "not summarised yet."
    models = read_models(path)
    best = best_on_valid(models)
    test = models[(models["split"] == "test") & (models["horizon"] == 1)].set_index("model")["rmse"]
    answer = f"{best} is best on valid one step ahead, test RMSE {number(test[best])}"
    return f"{answer}; persistence has {number(test['persistence'])}"
