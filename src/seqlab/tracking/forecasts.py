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
from seqlab.series.record import FORECAST_FIGURES, read_forecast_metrics
from seqlab.series.tables import find_best_forecaster, read_forecast_models
from seqlab.tracking.language_models import params_of
from seqlab.tracking.page import made_by
from seqlab.tracking.runs import PlannedRun, Point, plan_parent, plan_seeds

SERIES_ARTIFACTS = ("card.yaml", "orders.csv")
FORECAST_TABLES = ("summary.csv", "models.csv")


def plan_series(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """The runs in MLflow of the finished `runs` on one series, after that of the experiment itself."""
    best = _best_model(place)
    page = f"Forecasts of {place.corpus}: {best}\n\n{made_by(experiment.command)}"
    parent = plan_parent(experiment, place, FORECAST_TABLES, page, best)
    yield parent
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    params = params_of(cards, always=None)
    for run, card in cards.items():
        metrics = read_forecast_metrics(run.file("metrics.json"))
        for planned in plan_seeds(experiment, run, card, params[run], metrics, SERIES_ARTIFACTS, _figures):
            yield replace(planned, parent=parent.key)


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0; those that can't be told are left out, as MLflow would draw them."""
    for row in metrics["scores"]:
        for name in FORECAST_FIGURES:
            if row["seed"] == seed and row.get(name, float("nan")) == row.get(name):  # not NaN
                yield Point(f"{row['split']}/{name}-{row['horizon']}", float(row[name]))


def _best_model(place: Place) -> str:
    """The best model of an experiment on one series, in one line."""
    path = Path(place.file("models.csv"))
    if not path.exists():
        return "not summarised yet."
    models = read_forecast_models(path)
    best = find_best_forecaster(models)
    test = models[(models["split"] == "test") & (models["horizon"] == 1)].set_index("model")["rmse"]
    answer = f"{best} is best on valid one step ahead, test RMSE {number(test[best])}"
    return f"{answer}; persistence has {number(test['persistence'])}"
