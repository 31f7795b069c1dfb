"""The runs that an experiment on disk should have in the database."""

from pathlib import Path

from seqlab.io.runs import SERIES, Experiment, Place, Run
from seqlab.tracking.forecasts import plan_series
from seqlab.tracking.language_models import plan_texts
from seqlab.tracking.runs import PlannedRun


def plan_runs(experiment: Experiment) -> list[PlannedRun]:
    """The runs that the finished models of `experiment` should have, by corpus and unit, a parent before its children.

    Raises InputError where a card or another file of a model is damaged.
    """
    runs: dict[Place, list[Run]] = {}
    for run in finished(experiment):
        runs.setdefault(run.place, []).append(run)
    planned: list[PlannedRun] = []
    for place, models in runs.items():
        planned += (plan_series if place.unit == SERIES else plan_texts)(experiment, place, models)
    return sorted(planned, key=lambda run: (run.mlflow_experiment, bool(run.parent), run.name))


def finished(experiment: Experiment) -> list[Run]:
    """The runs of `experiment` that have a metrics.json."""
    return [run for run in experiment.runs if Path(run.file("metrics.json")).exists()]
