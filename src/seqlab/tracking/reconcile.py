"""Bring the runs of one experiment on one text in line with a plan, whatever an earlier call or another program left.

MLflow chooses the ids of runs, so a run is found again by its tag `run_key` (what it is) and judged by its tag
`content` (what it came to), which is written last: a run without it was cut short, or is still in training.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from seqlab.tracking.runs import TIMES, PlannedRun, Point

BATCH = 1000  # metrics in one call; MLflow's limit
PAGE = 200  # runs in one answer, so that a busy server gives it in time
CREATED, UNCHANGED, SUPERSEDED = "created", "unchanged", "superseded"


def reconcile(
    client: Any, mlflow_experiment: str, planned: Sequence[PlannedRun], publisher: dict[str, str]
) -> tuple[Counter[str], dict[str, str]]:
    """Make the MLflow experiment with this id hold `planned`, the runs of one experiment, each once; returns how many
    runs were created (or completed), unchanged and superseded, and the ids of the runs by their keys.

    Runs with other keys are left alone, and those of other experiments are not even read. `publisher` are tags of new
    runs that say who wrote them; they are no part of the content, or each commit would renew every run.
    """
    name = planned[0].tags["experiment"]
    present = runs_by_key(client, mlflow_experiment, name)
    outcome: Counter[str] = Counter()
    ids: dict[str, str] = {}
    for run in planned:
        parent = {"mlflow.parentRunId": ids[run.parent]} if run.parent in ids else {}
        done, ids[run.key] = _one(client, mlflow_experiment, run, present.get(run.key, []), publisher, parent)
        outcome.update(done)
    if outcome[CREATED]:
        _remove_twins(client, mlflow_experiment, name, {run.key: run.content for run in planned})
    return outcome, ids


def runs_by_key(client: Any, mlflow_experiment: str, name: str) -> dict[str, list[Any]]:
    """All runs that the experiment `name` has in an MLflow experiment, deleted ones too, by the tag run_key."""
    from mlflow.entities import ViewType

    asked = {"filter_string": f"tags.experiment = '{name}'", "run_view_type": ViewType.ALL, "max_results": PAGE}
    runs = page = client.search_runs([mlflow_experiment], **asked)
    while page.token:
        page = client.search_runs([mlflow_experiment], **asked, page_token=page.token)
        runs = runs + page
    found: dict[str, list[Any]] = {}
    for run in runs:
        if "run_key" in run.data.tags:
            found.setdefault(run.data.tags["run_key"], []).append(run)
    return found


def unwritten(client: Any, run_id: str, points: Sequence[Point]) -> list[Point] | None:
    """Those of `points` that a run lacks; None where it holds a point that is not among them, so that it is a run of
    something else.
    """
    wanted = {(point.name, point.step): point for point in points}
    for name in dict.fromkeys(point.name for point in points):
        for held in client.get_metric_history(run_id, name):
            point = wanted.pop((name, held.step), None)
            same = point is not None and math.isclose(point.value, held.value, rel_tol=1e-9)
            if not same and name not in TIMES:
                return None
    return list(wanted.values())


def create(client: Any, mlflow_experiment: str, run: PlannedRun, tags: dict[str, str]) -> Any:
    """A new run with what is known of it from the start; still RUNNING."""
    tags = run.tags | run.standing | tags | {"run_key": run.key}
    made = client.create_run(mlflow_experiment, start_time=run.start, tags=tags, run_name=run.name).info
    write_params(client, made.run_id, run.params)
    if run.dataset:
        _write_dataset(client, made.run_id, run)
    return made


def write_params(client: Any, run_id: str, params: dict[str, str]) -> None:
    """Write parameters; none is no reason to ask the server."""
    from mlflow.entities import Param

    if params:
        client.log_batch(run_id, params=[Param(name, value) for name, value in params.items()])


def write_points(client: Any, run_id: str, start: int, points: Sequence[Point]) -> None:
    """Write points in large batches; one that is there already stays as it is."""
    from mlflow.entities import Metric

    metrics = [Metric(point.name, point.value, start + point.after, point.step) for point in points]
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[first : first + BATCH])


def discard(client: Any, run: Any, successor: str | None = None) -> None:
    """Delete a run softly, so that it can be restored; `successor` is the run that took its place."""
    from mlflow.exceptions import MlflowException

    try:
        if successor:
            client.set_tag(run.info.run_id, "superseded_by", successor)
        client.delete_run(run.info.run_id)
    except MlflowException:
        if client.get_run(run.info.run_id).info.lifecycle_stage != "deleted":  # another program was faster
            raise


def _one(
    client: Any,
    mlflow_experiment: str,
    run: PlannedRun,
    present: list[Any],
    publisher: dict[str, str],
    parent: dict[str, str],
) -> tuple[list[str], str]:
    """Make one run be as planned; returns what was done, and the id of the run."""
    content = run.content
    best = min((it for it in present if _usable(it, content)), key=lambda it: _rank(it, content), default=None)
    others = [it for it in present if it is not best and _active(it)]
    if best is not None and best.data.tags.get("content") == content:
        _restore(client, best)
        _update(client, best, run, parent)
        for twin in others:
            discard(client, twin)
        return [UNCHANGED], best.info.run_id
    left = unwritten(client, best.info.run_id, run.rounded_points) if best is not None else None
    if best is None or left is None:  # none, or a run of something else
        info = create(client, mlflow_experiment, run, publisher | parent)
        others, left = [it for it in present if _active(it)], run.rounded_points
    else:
        info = best.info
        _update(client, best, run, parent | run.tags)
    _complete(client, info.run_id, info.start_time, run, left, content)
    for old in others:
        discard(client, old, info.run_id)
    replaced = any("content" in old.data.tags or old is best for old in others)
    return [CREATED] + [SUPERSEDED] * replaced, info.run_id


def _usable(run: Any, content: str) -> bool:
    """Whether a run may become the planned one: it is that already, perhaps deleted, or it was never finished."""
    tags = run.data.tags
    return tags.get("content") == content or ("content" not in tags and _active(run))


def _rank(run: Any, content: str) -> tuple[bool, bool, bool, int, str]:
    """Which of several runs with one key stays: everybody who asks gets the same answer."""
    tags = run.data.tags
    unlike = tags.get("content") != content
    return unlike, not _active(run), "superseded_by" in tags, run.info.start_time, run.info.run_id


def _active(run: Any) -> bool:
    return bool(run.info.lifecycle_stage == "active")


def _restore(client: Any, run: Any) -> None:
    """Bring back a run that was deleted, by hand or because the results had changed, and are now as they were."""
    if not _active(run):
        client.restore_run(run.info.run_id)
    if "superseded_by" in run.data.tags:
        client.delete_tag(run.info.run_id, "superseded_by")


def _update(client: Any, run: Any, planned: PlannedRun, tags: dict[str, str]) -> None:
    """Write the tags and parameters that a run lacks or that have changed."""
    from mlflow.entities import RunTag

    wanted = planned.standing | tags
    changed = {name: value for name, value in wanted.items() if run.data.tags.get(name) != value}
    if changed:
        client.log_batch(run.info.run_id, tags=[RunTag(name, value) for name, value in changed.items()])
    write_params(client, run.info.run_id, {k: v for k, v in planned.params.items() if k not in run.data.params})


def _complete(client: Any, run_id: str, start: int, run: PlannedRun, points: list[Point], content: str) -> None:
    """Write what a run still lacks and close it."""
    write_points(client, run_id, start, points)
    for path, folder in run.artifacts:
        client.log_artifact(run_id, str(path), folder)
    client.set_terminated(run_id, status="FINISHED", end_time=start + round(1000 * run.seconds))
    client.set_tag(run_id, "content", content)  # last: it says that everything above is there


def _write_dataset(client: Any, run_id: str, run: PlannedRun) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    assert run.dataset is not None
    profile = None if run.dataset.symbols is None else f'{{"symbols": {run.dataset.symbols}}}'
    dataset = Dataset(run.dataset.name, run.dataset.digest, "code", '{"tags": {}}', None, profile)
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])


def _remove_twins(client: Any, mlflow_experiment: str, name: str, contents: dict[str, str]) -> None:
    """Delete all but one of the runs with the same key: a server whose answer was lost was asked again and made a
    second run, or another folder published the same runs at the same time.
    """
    for key, runs in runs_by_key(client, mlflow_experiment, name).items():
        active = [run for run in runs if _active(run)]
        if key in contents and len(active) > 1:
            ranked = sorted(active, key=lambda run: _rank(run, contents[key]))
            for twin in ranked[1:]:
                discard(client, twin)
