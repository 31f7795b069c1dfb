"""Publication of finished runs to MLflow.

The database is a cache of the files in results/ and is rebuilt after a deletion. One process writes one run after the
other; training never imports this module.
"""

import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from seqlab.io.files import remove_file, write_json
from seqlab.io.provenance import collect_provenance
from seqlab.io.runs import Experiment, Place
from seqlab.tracking.champions.registry import find_champions, publish_champions
from seqlab.tracking.connection import connect, ensure_experiment, is_server, sole_writer
from seqlab.tracking.faults import explain_faults
from seqlab.tracking.plan import list_finished_runs, plan_runs
from seqlab.tracking.reconcile import CREATED, SUPERSEDED, UNCHANGED, reconcile_runs
from seqlab.tracking.runs import ANSWER_TAG, PlannedRun
from seqlab.tracking.views.catalogue import PAGE_RUNS, install_views, list_views

ATTEMPTS = 3  # while other programs publish the same runs to the same server


def track_runs(experiment: Experiment, results: Path, uri: str, receipt: Path) -> None:
    """Publish the finished runs of `experiment`, which lies in `results`, to MLflow at `uri`.

    Every model and seed becomes a run of the MLflow experiment `{corpus}/{unit}`, which holds all experiments on that
    text; the experiment itself is one more run, with its page, tables and figures. Repeated calls change nothing. A run
    with changed files replaces the old one, which can be restored; runs of other experiments and of removed models
    stay. `receipt` (tracking.json in docs/files.md) is written last; its `created` includes completed runs, so that
    `created + unchanged == runs`; it names the server, if `uri` is one. Raise InputError where a card is damaged or the
    database or server fails.
    """
    remove_file(receipt)  # written by an earlier call
    planned = plan_runs(experiment)
    total: Counter[str] = Counter({CREATED: 0, UNCHANGED: 0, SUPERSEDED: 0})
    places: dict[str, int] = {}
    ids: dict[str, tuple[str, str]] = {}  # run key -> MLflow experiment and run
    with explain_faults(uri), sole_writer(results):
        client, publisher = connect(uri), publisher_tags()
        for name, group in groupby(planned, key=lambda run: run.mlflow_experiment):
            runs = list(group)
            mlflow_experiment = ensure_experiment(client, name, results, uri)
            outcome, run_ids = _reconcile(client, mlflow_experiment, runs, publisher, uri)
            ids |= {key: (mlflow_experiment, run_id) for key, run_id in run_ids.items()}
            _arrange(client, mlflow_experiment, runs[0].place)
            total.update(outcome)
            places[name] = outcome[CREATED] + outcome[UNCHANGED]
            counts = (f"{outcome[state]} {state}" for state in (CREATED, UNCHANGED, SUPERSEDED))
            print(f"{name}: {places[name]} runs", *counts, sep=", ", file=sys.stderr)
        models = publish_champions(client, find_champions(experiment), ids)
        print(f"champions: {models} new models", file=sys.stderr)
    if missing := len(experiment.runs) - len(list_finished_runs(experiment)):
        print(f"{missing} of {len(experiment.runs)} runs are not finished and were not published", file=sys.stderr)
    server = {"server": uri} if is_server(uri) else {}
    write_json(receipt, {"experiment": experiment.name, "runs": len(planned), **total, "places": places} | server)


def publisher_tags() -> dict[str, str]:
    """Return commit, hardware and versions as tags of a run."""
    lines = collect_provenance()
    head, _, dirty = lines.pop("commit").partition(" ")
    hardware = f"{lines.pop('processor')}, {lines.pop('system')}"
    tags = {"commit": head, "dirty": str(bool(dirty)).lower(), "hardware": hardware}
    tags["versions"] = ", ".join(f"{package} {version}" for package, version in lines.items())
    tags |= {"mlflow.source.name": "snakemake", "mlflow.source.type": "LOCAL"}
    return tags if head == "unknown" else tags | {"mlflow.source.git.commit": head}


def _reconcile(
    client: Any, experiment: str, runs: list[PlannedRun], publisher: dict[str, str], uri: str
) -> tuple[Counter[str], dict[str, str]]:
    """Call `reconcile_runs`, again where another program deleted a run of the same server during its writing."""
    from mlflow.exceptions import MlflowException

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return reconcile_runs(client, experiment, runs, publisher)
        except MlflowException as error:
            if not is_server(uri) or "deleted" not in str(error) or attempt == ATTEMPTS:
                raise
    raise AssertionError  # unreachable


def _arrange(client: Any, mlflow_experiment: str, place: Place) -> None:
    """Write the views of an MLflow experiment, and as its description the answers of the experiments in it."""
    experiment = client.get_experiment(mlflow_experiment)
    parents = client.search_runs([mlflow_experiment], PAGE_RUNS)
    install_views(client, mlflow_experiment, experiment.tags, list_views(experiment.name, parents))
    answers = sorted((run.data.tags["experiment"], run.data.tags.get(ANSWER_TAG, "")) for run in parents)
    lines = [f"{name}: {answer}" if len(answers) > 1 else answer for name, answer in answers]
    tags = {"mlflow.experimentKind": "custom_model_development"}
    tags["mlflow.note.content"] = f"{place.corpus} by {place.unit}: " + "; ".join(lines)
    for key, value in tags.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(mlflow_experiment, key, value)
