"""Tracking beside the workflow: training needs no MLflow, and can be watched while it lasts."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from project import Project, without_mlflow

SMOKE = ("--configfile", "config/smoke.yaml")
WEIGHTS = "results/even_process/char/rnn/rnn-1x8/weights.safetensors"


def test_only_publishing_can_import_mlflow_where_the_smoke_experiment_ran(smoke: Project, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": without_mlflow(tmp_path)}
    done = subprocess.run([sys.executable, "-c", "import mlflow"], env=environment, capture_output=True, check=False)
    assert b"ModuleNotFoundError" in done.stderr
    assert (smoke.folder / WEIGHTS).exists()
    assert json.loads((smoke.folder / "results/tracking.json").read_text())["runs"] == 15


def followers(project: Project) -> list[int]:
    """The processes that follow trainings of a project."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end while it is looked at
            follows = b"seqlab.tracking.follower" in (process / "cmdline").read_bytes()
            if follows and (process / "cwd").resolve() == project.folder.resolve():
                found.append(int(process.name))
    return found


def test_curves_are_mirrored_live_and_the_follower_ends_with_snakemake(finished: Project) -> None:
    config = finished.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("epochs: 2", "epochs: 12") + "\ntracking: {live: true}\n")
    (finished.folder / "results/mlflow.db").unlink()
    done = finished.snakemake(*SMOKE, "--", WEIGHTS)
    assert done.returncode == 0, done.stdout
    deadline = time.monotonic() + 120
    while followers(finished) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert followers(finished) == []
    assert (finished.folder / "results/follower.log").read_text() == ""
    with sqlite3.connect(finished.folder / "results/mlflow.db") as database:
        runs = database.execute("SELECT name, status FROM runs ORDER BY name").fetchall()
        ((epochs,),) = database.execute("SELECT count(*) FROM metrics WHERE key = 'valid/epoch_loss'")
    assert runs == [("rnn-1x8-s1", "FINISHED"), ("rnn-1x8-s2", "FINISHED")]
    assert epochs == 24
    assert not list((finished.folder / "results").rglob("history.live.jsonl"))
