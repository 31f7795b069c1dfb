"""Learning curves are mirrored while networks train, and neither side can harm the other."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from gate import until
from made_fleets import settings_of
from tracked import Tree, grow

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.live import LIVE_HISTORY, LiveHistory
from seqlab.io.files import write_text
from seqlab.rnn.network import Architecture
from seqlab.tracking.live.follower import Follower
from seqlab.tracking.runs import read_history

SOURCES = Path(__file__).parents[3] / "src"
RUN = "lstm-1x8-s2"


class Training:
    """A job that trains lstm-1x8: it writes its history epoch by epoch, as the results say it once was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.finished = folder, (folder / "history.csv").read_text()
        self.rows = [
            {name: float(value) for name, value in row.items()} for row in read_history(folder / "history.csv")
        ]
        self.rows = [row | {"epoch": int(row["epoch"]), "seed": int(row["seed"])} for row in self.rows]
        (folder / "history.csv").unlink()
        self.fleet = Fleet.start(Architecture("lstm", 1, 8, 3), settings_of(), [1, 2, 3], torch.device("cpu"))
        self.live = LiveHistory(folder, self.fleet)

    def train(self, epochs: int) -> None:
        """Go on up to so many epochs."""
        self.fleet.history = [row for row in self.rows if row["epoch"] <= epochs]
        self.live.update()

    def end(self) -> None:
        write_text(self.folder / "history.csv", self.finished)
        self.live.remove()


@pytest.fixture
def tree(tmp_path: Path, empty_database: Path) -> Tree:
    return grow(tmp_path, empty_database, ("lstm-1x8",))


@pytest.fixture
def training(tree: Tree) -> Training:
    return Training(tree.run("lstm-1x8").folder)


@pytest.fixture
def follower(tree: Tree) -> Follower:
    return Follower(tree.listed, tree.results, tree.uri)


def epochs(tree: Tree) -> list[int]:
    return [step for name, step, *_ in tree.points(RUN) if name == "valid/epoch_loss"]


def status(tree: Tree) -> str:
    return str(tree.runs()[RUN].info.status)


def test_epochs_appear_while_the_network_trains(tree: Tree, training: Training, follower: Follower) -> None:
    seen = []
    for epoch in (1, 3):
        training.train(epoch)
        follower.turn()
        seen.append((epochs(tree), status(tree)))
    assert seen == [([1], "RUNNING"), ([1, 2, 3], "RUNNING")]


def test_a_list_of_runs_that_comes_later_is_read(tree: Tree, training: Training, follower: Follower) -> None:
    listed = tree.listed.rename(tree.listed.with_name("later.json"))
    training.train(1)
    follower.turn()
    assert follower.client is None
    listed.rename(tree.listed)
    follower.turn()
    assert epochs(tree) == [1]


def test_networks_of_another_experiment_are_left_to_its_own_follower(
    tree: Tree, training: Training, empty_database: Path
) -> None:
    other = grow(tree.results.parent, None, ("lstm-1x8",), experiment="other")
    training.train(1)
    Follower(other.listed, other.results, other.uri).turn()
    assert tree.client().get_experiment_by_name("toy/char") is None


def test_publishing_completes_what_was_begun_and_doubles_nothing(
    tree: Tree, training: Training, follower: Follower
) -> None:
    training.train(2)
    follower.turn()
    begun = tree.runs()[RUN].info
    training.end()
    follower.turn()
    assert tree.track()["superseded"] == 0
    whole = tree.runs()[RUN]
    assert (whole.info.run_id, whole.info.start_time, whole.info.status) == (begun.run_id, begun.start_time, "FINISHED")
    points = [point[:2] for point in tree.points(RUN)]
    assert len(points) == len(set(points)) == 8 + 6 * 4


def test_a_training_that_ended_is_finished_with_its_last_epoch(
    tree: Tree, training: Training, follower: Follower
) -> None:
    training.train(2)
    follower.turn()
    training.end()
    follower.turn()
    assert (epochs(tree), status(tree)) == ([1, 2, 3, 4], "FINISHED")


def test_a_job_that_is_gone_has_failed(tree: Tree, training: Training, follower: Follower) -> None:
    training.train(2)
    follower.turn()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    live = training.folder / LIVE_HISTORY
    head, *lines = live.read_text().splitlines(keepends=True)
    follower.files[tree.run("lstm-1x8")].header["process"] = gone.pid
    write_text(live, head.replace(f'"process": {os.getpid()}', f'"process": {gone.pid}') + "".join(lines))
    follower.turn()
    assert status(tree) == "FAILED"
    follower.turn()
    assert status(tree) == "FAILED"


def test_what_trains_when_snakemake_has_ended_has_failed(tree: Tree, training: Training, follower: Follower) -> None:
    training.train(1)
    follower.turn()
    follower.close()
    assert (status(tree), epochs(tree)) == ("FAILED", [1])


def test_a_training_that_goes_on_goes_on_in_its_run(tree: Tree, training: Training, follower: Follower) -> None:
    training.train(2)
    follower.turn()
    follower.close()
    before = tree.runs()[RUN].info.run_id
    again = LiveHistory(training.folder, training.fleet)  # another job, which takes up the checkpoint
    again.update()
    training.live = again
    training.train(3)
    Follower(tree.listed, tree.results, tree.uri).turn()
    assert (tree.runs()[RUN].info.run_id, status(tree), epochs(tree)) == (before, "RUNNING", [1, 2, 3])


def test_a_training_of_other_code_gets_a_new_run(tree: Tree, training: Training, follower: Follower) -> None:
    training.train(2)
    follower.turn()
    before = tree.runs()[RUN].info.run_id
    training.rows = [row | {"valid_loss": row["valid_loss"] + 0.1} for row in training.rows]
    training.fleet.history = []
    training.live = LiveHistory(training.folder, training.fleet)
    training.train(1)
    follower.turn()
    assert tree.runs()[RUN].info.run_id != before
    assert epochs(tree) == [1]


def test_a_run_deleted_by_hand_is_begun_again(tree: Tree, training: Training, follower: Follower) -> None:
    training.train(1)
    follower.turn()
    tree.client().delete_run(tree.runs()[RUN].info.run_id)
    training.train(2)
    assert not follower.turn()
    assert follower.turn()
    assert epochs(tree) == [1, 2]


def test_an_absent_server_is_told_once_and_caught_up_with(
    tree: Tree, training: Training, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    follower = Follower(tree.listed, tree.results, "http://127.0.0.1:9")
    for epoch in (1, 2):
        training.train(epoch)
        assert not follower.turn()
    assert capsys.readouterr().err.count("no server listens there") == 1
    follower.uri, follower.client = tree.uri, None  # the server is back
    assert follower.turn()
    assert epochs(tree) == [1, 2]


def test_it_waits_for_whoever_publishes(tree: Tree, training: Training, follower: Follower) -> None:
    from seqlab.tracking.connection import sole_writer

    training.train(1)
    with sole_writer(tree.results):
        assert follower.turn()
        assert tree.client().get_experiment_by_name("toy/char") is None
    follower.turn()
    assert epochs(tree) == [1]


def test_a_file_system_without_locks_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqlab.tracking.connection import sole_writer

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", fail)
    for wait in (True, False):
        with sole_writer(tmp_path, wait) as alone:
            assert alone


def test_a_disk_that_is_full_does_not_end_a_training(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    training.train(1)


def test_the_program_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    starts = (
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-m', 'seqlab.tracking.live.follower', '--parent', str(os.getpid())]\n"
        "command += ['--experiment', 'results/made/runs.json']\n"
        "print(subprocess.Popen(command, start_new_session=True, stdout=2).pid)"
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    parent = subprocess.Popen([sys.executable, "-c", starts], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                              text=True)  # fmt: skip
    process = int((parent.stdout or sys.stdin).readline())
    parent.wait()
    until("the follower ends", lambda: not Path(f"/proc/{process}").exists())
