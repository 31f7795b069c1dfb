"""MLflow runs of an experiment on disk."""

from pathlib import Path

from seqlab.io.runs import SERIES, Experiment, Place, Run
from seqlab.tracking.forecasts import plan_series
from seqlab.tracking.language_models import plan_texts
from seqlab.tracking.runs import PlannedRun


def plan_runs(experiment: Experiment) -> list[PlannedRun]:
    """Return the MLflow runs of the finished models of `experiment` by corpus and unit, parents before their children.

    Raise InputError where a file of a model is damaged.
    """
    runs: dict[Place, list[Run]] = {}
    for run in list_finished_runs(experiment):
        runs.setdefault(run.place, []).append(run)
    planned: list[PlannedRun] = []
    for place, models in runs.items():
        planned += (plan_series if place.unit == SERIES else plan_texts)(experiment, place, models)
    return sorted(planned, key=lambda run: (run.mlflow_experiment, bool(run.parent), run.name))


def list_finished_runs(experiment: Experiment) -> list[Run]:
    """Return the runs of `experiment` that have a metrics.json."""
    return [run for run in experiment.runs if Path(run.file("metrics.json")).exists()]
