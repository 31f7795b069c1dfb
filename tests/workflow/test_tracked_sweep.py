"""Tracking beside the workflow: training needs no MLflow, and can be watched while it lasts."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from gate import Gate, until
from project import Project, without_mlflow

SMOKE = ("--configfile", "config/smoke.yaml")
WEIGHTS = "results/smoke/even_process/char/rnn/rnn-1x8/weights.safetensors"


def test_only_publishing_can_import_mlflow_where_the_smoke_experiment_ran(smoke: Project, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": without_mlflow(tmp_path)}
    done = subprocess.run([sys.executable, "-c", "import mlflow"], env=environment, capture_output=True, check=False)
    assert b"ModuleNotFoundError" in done.stderr
    assert (smoke.folder / WEIGHTS).exists()
    assert json.loads((smoke.folder / "results/smoke/tracking.json").read_text())["runs"] == 15


def followers(project: Project) -> list[int]:
    """The processes that follow trainings of a project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end while it is looked at
            follows = b"seqlab.tracking.live.follower" in (process / "cmdline").read_bytes()
            if follows and (process / "cwd").resolve() == project.folder.resolve():
                found.append(int(process.name))
    return found


def mirrored(project: Project) -> list[tuple[str, str, int]]:
    """The runs in the database of a project: name, status, how many epochs; none where there is no database yet."""
    with suppress(sqlite3.OperationalError), sqlite3.connect(project.folder / "results/mlflow.db") as database:
        return database.execute(
            "SELECT runs.name, runs.status, count(metrics.step) FROM runs LEFT JOIN metrics ON "
            "metrics.run_uuid = runs.run_uuid AND metrics.key = 'valid/epoch_loss' "
            "GROUP BY runs.run_uuid ORDER BY runs.name"
        ).fetchall()
    return []


def test_curves_are_mirrored_live_and_the_follower_ends_with_snakemake(finished: Project, gate: Gate) -> None:
    config = finished.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("epochs: 2", "epochs: 3") + "\ntracking: {live: true}\n")
    (finished.folder / "results/mlflow.db").unlink()
    snakemake = finished.start(*SMOKE, "--", WEIGHTS, **gate.environment)
    first_epoch = [("rnn-1x8-s1", "RUNNING", 1), ("rnn-1x8-s2", "RUNNING", 1)]
    until(
        "the first epoch of both seeds is mirrored",
        lambda: mirrored(finished) == first_epoch,
        lambda: snakemake.poll() is None,
        finished.printed,
    )
    gate.open()
    assert snakemake.wait() == 0, finished.printed()
    until("the follower ends", lambda: not followers(finished))
    assert (finished.folder / "results/follower.log").read_text() == ""
    assert mirrored(finished) == [("rnn-1x8-s1", "FINISHED", 3), ("rnn-1x8-s2", "FINISHED", 3)]
    assert not list((finished.folder / "results").rglob("history.live.jsonl"))
