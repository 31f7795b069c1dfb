"""Reconciliation of the runs in MLflow with planned runs.

MLflow chooses the ids of runs, so runs are identified by their tag `run_key` (experiment, card and seed) and compared
by their tag `content` (a digest of results), which is written last: a run without it is incomplete or in training.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from seqlab.tracking.runs import TIME_METRICS, PlannedRun, Point

BATCH_SIZE = 1000  # metrics in one call, the limit of MLflow
PAGE_SIZE = 200  # runs in one answer, small enough for a busy server
CREATED, UNCHANGED, SUPERSEDED = "created", "unchanged", "superseded"


def reconcile_runs(
    client: Any, mlflow_experiment: str, planned: Sequence[PlannedRun], publisher: dict[str, str]
) -> tuple[Counter[str], dict[str, str]]:
    """Write the runs `planned` of one experiment into the MLflow experiment with this id, each once; return the numbers
    of created (or completed), unchanged and superseded runs, and the ids of the runs by key.

    Other runs are not changed. `publisher` are tags of new runs that describe the writer; they are no part of the
    content, since otherwise each commit would renew every run.
    """
    name = planned[0].tags["experiment"]
    present = fetch_runs_by_key(client, mlflow_experiment, name)
    outcome: Counter[str] = Counter()
    ids: dict[str, str] = {}
    for run in planned:
        parent = {"mlflow.parentRunId": ids[run.parent]} if run.parent in ids else {}
        changes, ids[run.key] = _reconcile_run(
            client, mlflow_experiment, run, present.get(run.key, []), publisher, parent
        )
        outcome.update(changes)
    if outcome[CREATED]:
        _remove_twins(client, mlflow_experiment, name, {run.key: run.content for run in planned})
    return outcome, ids


def fetch_runs_by_key(client: Any, mlflow_experiment: str, name: str) -> dict[str, list[Any]]:
    """Return all runs of the experiment `name` in an MLflow experiment, including deleted ones, by run_key."""
    from mlflow.entities import ViewType

    query = {"filter_string": f"tags.experiment = '{name}'", "run_view_type": ViewType.ALL, "max_results": PAGE_SIZE}
    runs = page = client.search_runs([mlflow_experiment], **query)
    while page.token:
        page = client.search_runs([mlflow_experiment], **query, page_token=page.token)
        runs = runs + page
    groups: dict[str, list[Any]] = {}
    for run in runs:
        if "run_key" in run.data.tags:
            groups.setdefault(run.data.tags["run_key"], []).append(run)
    return groups


def find_unwritten_points(client: Any, run_id: str, points: Sequence[Point]) -> list[Point] | None:
    """Return those of `points` that a run lacks; None where the run holds other points."""
    missing = {(point.name, point.step): point for point in points}
    for name in dict.fromkeys(point.name for point in points):
        for held in client.get_metric_history(run_id, name):
            point = missing.pop((name, held.step), None)
            same = point is not None and math.isclose(point.value, held.value, rel_tol=1e-9)
            if not same and name not in TIME_METRICS:
                return None
    return list(missing.values())


def create_run(client: Any, mlflow_experiment: str, run: PlannedRun, tags: dict[str, str]) -> Any:
    """Create a run, in state RUNNING, with its tags, parameters and dataset."""
    tags = run.tags | run.standing | tags | {"run_key": run.key}
    info = client.create_run(mlflow_experiment, start_time=run.start, tags=tags, run_name=run.name).info
    write_params(client, info.run_id, run.params)
    if run.dataset:
        _write_dataset(client, info.run_id, run)
    return info


def write_params(client: Any, run_id: str, params: dict[str, str]) -> None:
    """Write parameters, without a request where there are none."""
    from mlflow.entities import Param

    if params:
        client.log_batch(run_id, params=[Param(name, value) for name, value in params.items()])


def write_points(client: Any, run_id: str, start: int, points: Sequence[Point]) -> None:
    """Write points in large batches; existing points stay unchanged."""
    from mlflow.entities import Metric

    metrics = [Metric(point.name, point.value, start + point.after, point.step) for point in points]
    for first in range(0, len(metrics), BATCH_SIZE):
        client.log_batch(run_id, metrics=metrics[first : first + BATCH_SIZE])


def discard_run(client: Any, run: Any, successor: str | None = None) -> None:
    """Mark a run as deleted, so that it can be restored; `successor` is the run that replaces it."""
    from mlflow.exceptions import MlflowException

    try:
        if successor:
            client.set_tag(run.info.run_id, "superseded_by", successor)
        client.delete_run(run.info.run_id)
    except MlflowException:
        if client.get_run(run.info.run_id).info.lifecycle_stage != "deleted":  # another program was faster
            raise


def _reconcile_run(
    client: Any,
    mlflow_experiment: str,
    run: PlannedRun,
    present: list[Any],
    publisher: dict[str, str],
    parent: dict[str, str],
) -> tuple[list[str], str]:
    """Write one run as planned; return the changes and the id of the run."""
    content = run.content
    usable = [candidate for candidate in present if _usable(candidate, content)]
    best = min(usable, key=lambda candidate: _rank(candidate, content), default=None)
    superseded = [candidate for candidate in present if candidate is not best and _active(candidate)]
    if best is not None and best.data.tags.get("content") == content:
        _restore(client, best)
        _update(client, best, run, parent)
        for twin in superseded:
            discard_run(client, twin)
        return [UNCHANGED], best.info.run_id
    left = find_unwritten_points(client, best.info.run_id, run.rounded_points) if best is not None else None
    if best is None or left is None:  # no run, or one with other content
        info = create_run(client, mlflow_experiment, run, publisher | parent)
        superseded, left = list(filter(_active, present)), run.rounded_points
    else:
        info = best.info
        _update(client, best, run, parent | run.tags)
    _complete(client, info.run_id, info.start_time, run, left, content)
    for old in superseded:
        discard_run(client, old, info.run_id)
    replaced = any("content" in old.data.tags or old is best for old in superseded)
    return [CREATED] + [SUPERSEDED] * replaced, info.run_id


def _usable(run: Any, content: str) -> bool:
    """Return whether a run can become the planned one: it has its content, or is unfinished and not deleted."""
    tags = run.data.tags
    return tags.get("content") == content or ("content" not in tags and _active(run))


def _rank(run: Any, content: str) -> tuple[bool, bool, bool, int, str]:
    """Return a sort key of runs with the same run_key; the first one stays, for every program that sorts them."""
    tags = run.data.tags
    unlike = tags.get("content") != content
    return unlike, not _active(run), "superseded_by" in tags, run.info.start_time, run.info.run_id


def _active(run: Any) -> bool:
    return bool(run.info.lifecycle_stage == "active")


def _restore(client: Any, run: Any) -> None:
    """Restore a run that was deleted, by hand or because the results had changed in between."""
    if not _active(run):
        client.restore_run(run.info.run_id)
    if "superseded_by" in run.data.tags:
        client.delete_tag(run.info.run_id, "superseded_by")


def _update(client: Any, run: Any, planned: PlannedRun, tags: dict[str, str]) -> None:
    """Write missing and changed tags and missing parameters."""
    from mlflow.entities import RunTag

    tags = planned.standing | tags
    changed = {name: value for name, value in tags.items() if run.data.tags.get(name) != value}
    if changed:
        client.log_batch(run.info.run_id, tags=[RunTag(name, value) for name, value in changed.items()])
    write_params(client, run.info.run_id, {k: v for k, v in planned.params.items() if k not in run.data.params})


def _complete(client: Any, run_id: str, start: int, run: PlannedRun, points: list[Point], content: str) -> None:
    """Write the missing points and the artifacts of a run and close it."""
    write_points(client, run_id, start, points)
    for path, folder in run.artifacts:
        client.log_artifact(run_id, str(path), folder)
    client.set_terminated(run_id, status="FINISHED", end_time=start + round(1000 * run.seconds))
    client.set_tag(run_id, "content", content)  # last, since it marks the run as complete


def _write_dataset(client: Any, run_id: str, run: PlannedRun) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    assert run.dataset is not None
    profile = None if run.dataset.symbols is None else f'{{"symbols": {run.dataset.symbols}}}'
    dataset = Dataset(run.dataset.name, run.dataset.digest, "code", '{"tags": {}}', None, profile)
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])


def _remove_twins(client: Any, mlflow_experiment: str, name: str, contents: dict[str, str]) -> None:
    """Delete duplicates of runs with the same key, from repeated requests after a lost answer or from parallel
    programs that published the same runs.
    """
    for key, runs in fetch_runs_by_key(client, mlflow_experiment, name).items():
        active = [run for run in runs if _active(run)]
        if key in contents and len(active) > 1:
            ranked = sorted(active, key=lambda run: _rank(run, contents[key]))
            for twin in ranked[1:]:
                discard_run(client, twin)
