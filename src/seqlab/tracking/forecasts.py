"""MLflow runs of forecasting models: one for each model and seed, and one for their experiment.

Metrics are named after their horizon: test/rmse-4 is the RMSE 4 steps ahead. Those of a series with several columns
are means over these, and those of a column are named after it: test/rmse-4/flow.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqlab.io.cards import read_card
from seqlab.io.runs import Experiment, Place, Run
from seqlab.report.style import format_number
from seqlab.series.record import FORECAST_FIGURES, read_forecast_metrics
from seqlab.series.tables import COLUMN_NAME, find_best_forecaster, read_forecast_models, select_column
from seqlab.tracking.language_models import select_params
from seqlab.tracking.page import format_command
from seqlab.tracking.runs import PlannedRun, Point, plan_parent, plan_seeds, read_fit_tags

SERIES_ARTIFACTS = ("card.yaml", "orders.csv")
MAX_COLUMN_LENGTH = 100  # characters of a column in the name of a metric
FORECAST_TABLES = ("summary.csv", "models.csv")


def plan_series(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """Yield the MLflow run of the experiment on one series, then those of its finished `runs`."""
    best = _best_model(place)
    page = f"Forecasts of {place.corpus}: {best}\n\n{format_command(experiment.command)}"
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    parent = plan_parent(experiment, place, FORECAST_TABLES, page, best, cards.values())
    yield parent
    params, fits = select_params(cards, always=None), read_fit_tags(place)
    for run, card in cards.items():
        metrics = read_forecast_metrics(run.file("metrics.json"))
        for planned in plan_seeds(experiment, run, card, params[run], metrics, SERIES_ARTIFACTS, _figures):
            yield replace(planned, standing=fits.get(run.model, {}), parent=parent.key)


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Yield single figures at step 0, without NaN, which MLflow would draw."""
    ends = _metric_ends([row[COLUMN_NAME] for row in metrics["scores"] if row.get(COLUMN_NAME)])
    for row in metrics["scores"]:
        for name in FORECAST_FIGURES:
            if row["seed"] == seed and row.get(name, float("nan")) == row.get(name):  # not NaN
                end = ends.get(row.get(COLUMN_NAME), "")
                yield Point(f"{row['split']}/{name}-{row['horizon']}{end}", float(row[name]))


def _metric_ends(columns: Iterable[str]) -> dict[str, str]:
    """Return the end of the metrics of each column: its name in characters that MLflow allows, and never the same."""
    ends: dict[str, str] = {}
    for column in dict.fromkeys(columns):
        end = "/" + re.sub(r"[^\w -]", "_", column)[:MAX_COLUMN_LENGTH]
        while end in ends.values():
            end += "_"
        ends[column] = end
    return ends


def _best_model(place: Place) -> str:
    """Describe the best model of an experiment on one series in one line."""
    path = Path(place.file("models.csv"))
    if not path.exists():
        return "no summary yet."
    models = read_forecast_models(path)
    best = find_best_forecaster(models)
    models = select_column(models)
    test = models[(models["split"] == "test") & (models["horizon"] == 1)].set_index("model")["rmse"]
    answer = f"{best} is best on validation one step ahead, test RMSE {format_number(test[best])}"
    return f"{answer}; persistence has {format_number(test['persistence'])}"
