"""A real MLflow server that is killed in the middle of a sweep, and comes back."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate import Gate, until
from mlflow_server import MlflowServer
from project import Project

SMOKE = ("--configfile", "config/smoke.yaml")
NETWORK = "rnn-1x8"


class Server(MlflowServer):
    """A server that tells what it has stored."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder}/served.db", "--artifacts-destination", str(folder / "served"))
        self.folder = folder

    def mirrors(self) -> bool:
        """Whether an epoch of any run has come."""
        with sqlite3.connect(self.folder / "served.db") as database:
            ((epochs,),) = database.execute("SELECT count(*) FROM metrics WHERE key = 'valid/epoch_loss'")
        return epochs > 0

    def points(self) -> dict[str, int]:
        """How many epochs each finished run of a network has; a run that stands there twice ends with a star."""
        with sqlite3.connect(self.folder / "served.db") as database:
            rows = database.execute(
                "SELECT runs.name, count(metrics.step), count(DISTINCT metrics.step) FROM runs LEFT JOIN metrics ON "
                "metrics.run_uuid = runs.run_uuid AND metrics.key = 'valid/epoch_loss' "
                "WHERE runs.lifecycle_stage = 'active' AND runs.status = 'FINISHED' AND runs.name LIKE '%-1x8-s_' "
                "GROUP BY runs.run_uuid ORDER BY runs.name"
            ).fetchall()
        found: dict[str, int] = {}
        for name, count, different in rows:
            found[name + "*" * (name in found)] = count if count == different else -count
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


def test_nothing_is_lost_and_nothing_doubled(finished: Project, server: Server, gate: Gate) -> None:
    config = finished.folder / "config/smoke.yaml"
    live = f"\ntracking: {{live: true, uri: '{server.uri}'}}\n"
    changed = config.read_text().replace("epochs: 2", "epochs: 3").replace("cells: [rnn, lstm]", "cells: [rnn]")
    config.write_text(changed + live)
    results = finished.folder / "results"
    metrics = f"results/smoke/even_process/char/rnn/{NETWORK}/metrics.json"
    sweep = finished.start(*SMOKE, "--", metrics, **gate.environment)
    until("the first epoch is mirrored", server.mirrors, lambda: sweep.poll() is None, finished.printed)
    server.kill()
    gate.open()
    assert sweep.wait() == 0  # trainings go on without it

    (results / "smoke/tracking.json").unlink()
    done = finished.snakemake(*SMOKE, "--", "results/smoke/tracking.json")
    assert done.returncode != 0
    assert f"error: cannot publish to {server.uri}: no server listens there; start it" in done.stdout, done.stdout
    assert not (results / "smoke/tracking.json").exists()

    server.start()
    done = finished.snakemake(*SMOKE, "--", "results/smoke/tracking.json")
    assert done.returncode == 0, done.stdout
    assert server.points() == {f"{NETWORK}-s{seed}": 3 for seed in (1, 2)}
