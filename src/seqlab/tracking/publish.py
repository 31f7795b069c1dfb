"""Mirror finished runs into MLflow, where they can be compared.

The files under results/ are the truth and the database is a cache of them: deleted, it is rebuilt by the next call.
One process writes, one run after the other; training never comes here.
"""

import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from seqlab.io.files import remove, write_json
from seqlab.io.provenance import provenance
from seqlab.io.runs import Experiment, Place
from seqlab.tracking.champions.registry import champions, publish_champions
from seqlab.tracking.connection import connect, experiment_id, is_server, sole_writer
from seqlab.tracking.faults import faults_named
from seqlab.tracking.plan import finished, plan_runs
from seqlab.tracking.reconcile import CREATED, SUPERSEDED, UNCHANGED, reconcile
from seqlab.tracking.runs import ANSWER, PlannedRun
from seqlab.tracking.views.catalogue import PAGE_RUNS, install_views, views_of

ATTEMPTS = 3  # when others publish the same runs to the same server


def track_runs(experiment: Experiment, results: Path, uri: str, receipt: Path) -> None:
    """Publish the finished runs of `experiment`, which lies in `results`, to MLflow at `uri`.

    Every model and seed becomes a run of the MLflow experiment `{corpus}/{unit}`, which holds all experiments on that
    text, and the experiment itself one more, with its page, its tables and its figures. A repeat changes nothing; a run
    whose files have changed takes the place of the old one, which stays restorable; runs of other experiments, and of
    models that `experiment` has no more, are left alone. `receipt` (tracking.json in docs/files.md) is written
    last, when all has succeeded; its `created` counts completed runs too, and `created + unchanged == runs`; it names
    the server, if `uri` is one. Raises InputError where a card is damaged or the database or server fails.
    """
    remove(receipt)  # a receipt of an earlier call must not vouch for this one
    planned = plan_runs(experiment)
    total: Counter[str] = Counter({CREATED: 0, UNCHANGED: 0, SUPERSEDED: 0})
    places: dict[str, int] = {}
    ids: dict[str, tuple[str, str]] = {}  # of a run by its key: its MLflow experiment and itself
    with faults_named(uri), sole_writer(results):
        client, publisher = connect(uri), publisher_tags()
        for name, group in groupby(planned, key=lambda run: run.mlflow_experiment):
            runs = list(group)
            mlflow_experiment = experiment_id(client, name, results, uri)
            outcome, found = _reconcile(client, mlflow_experiment, runs, publisher, uri)
            ids |= {key: (mlflow_experiment, run_id) for key, run_id in found.items()}
            _arrange(client, mlflow_experiment, runs[0].place)
            total.update(outcome)
            places[name] = outcome[CREATED] + outcome[UNCHANGED]
            told = (f"{outcome[what]} {what}" for what in (CREATED, UNCHANGED, SUPERSEDED))
            print(f"{name}: {places[name]} runs", *told, sep=", ", file=sys.stderr)
        models = publish_champions(client, champions(experiment), ids)
        print(f"champions: {models} new models", file=sys.stderr)
    if missing := len(experiment.runs) - len(finished(experiment)):
        print(f"{missing} of {len(experiment.runs)} runs are not finished and were left out", file=sys.stderr)
    server = {"server": uri} if is_server(uri) else {}
    write_json(receipt, {"experiment": experiment.name, "runs": len(planned), **total, "places": places} | server)


def publisher_tags() -> dict[str, str]:
    """Who publishes: the code, the machine and the versions, as tags of a run."""
    known = provenance()
    head, _, dirty = known.pop("commit").partition(" ")
    hardware = f"{known.pop('processor')}, {known.pop('system')}"
    tags = {"commit": head, "dirty": str(bool(dirty)).lower(), "hardware": hardware}
    tags["versions"] = ", ".join(f"{package} {version}" for package, version in known.items())
    tags |= {"mlflow.source.name": "snakemake", "mlflow.source.type": "LOCAL"}
    return tags if head == "unknown" else tags | {"mlflow.source.git.commit": head}


def _reconcile(
    client: Any, experiment: str, runs: list[PlannedRun], publisher: dict[str, str], uri: str
) -> tuple[Counter[str], dict[str, str]]:
    """`reconcile`, once more where another folder that publishes to the same server deleted a run that was being
    written.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return reconcile(client, experiment, runs, publisher)
        except MlflowException as error:
            if not is_server(uri) or "deleted" not in str(error) or attempt == ATTEMPTS:
                raise
    raise AssertionError  # unreachable


def _arrange(client: Any, mlflow_experiment: str, place: Place) -> None:
    """Give an MLflow experiment its views, and the answers of the experiments in it as its description."""
    found = client.get_experiment(mlflow_experiment)
    install_views(client, mlflow_experiment, found.tags, views_of(found.name))
    parents = client.search_runs([mlflow_experiment], PAGE_RUNS)
    answers = sorted((run.data.tags["experiment"], run.data.tags.get(ANSWER, "")) for run in parents)
    lines = [f"{name}: {answer}" if len(answers) > 1 else answer for name, answer in answers]
    wanted = {"mlflow.experimentKind": "custom_model_development"}
    wanted["mlflow.note.content"] = f"{place.corpus} by {place.unit}: " + "; ".join(lines)
    for key, value in wanted.items():
        if found.tags.get(key) != value:
            client.set_experiment_tag(mlflow_experiment, key, value)
