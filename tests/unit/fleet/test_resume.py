"""A training that is stopped or killed at any moment ends, after the same command again, with the same bits."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gate import held
from made_fleets import settings_of

from seqlab.fleet import checkpoint as checkpoints
from seqlab.fleet.cells import CELLS
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError
from seqlab.machine.interruption import stop_on_signals
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask

torch.set_num_threads(1)

VOCABULARY = 5
TRAIN = np.random.default_rng(1).integers(0, VOCABULARY, 400)
VALID = [np.random.default_rng(2).integers(0, VOCABULARY, 60)]
NAME = "unfinished.safetensors"
SETTINGS = [
    pytest.param({"partition": "sequential", "dropout": 0.3}, id="sequential adam dropout"),
    pytest.param({"partition": "random", "optimiser": "sgd", "dropout": 0.5}, id="random sgd dropout"),
    pytest.param(
        {"dropout": 0.2, "locked_dropout": True, "embedding_dropout": 0.2, "recurrent_dropout": 0.3},
        id="every dropout",
    ),
    pytest.param({"embedding": 3, "tied": True, "dropout": 0.2, "embedding_dropout": 0.2}, id="tied"),
    pytest.param({"averaging": 0.9, "random_steps": True, "temporal_regularisation": 1.0}, id="moving mean"),
    pytest.param({"optimiser": "adamw", "schedule": "plateau", "early_stopping": 2}, id="adamw plateau early stopping"),
]
SERVER = multiprocessing.get_context("forkserver")  # has loaded torch once, and makes a process in some milliseconds
SERVER.set_forkserver_preload(["seqlab.fleet.training"])


def fleet_of(embedding: int = 0, tied: bool = False, cell: str = "lstm", **settings: Any) -> Fleet:
    values = {"epochs": 4, "steps": 5, "batch_size": 4, "learning_rate": 0.03} | settings
    architecture = Architecture(cell, 2, 6, VOCABULARY, embedding, tied)
    return Fleet.start(architecture, settings_of(**values), [1, 2], torch.device("cpu"))


def train(folder: Path, fleet: Fleet, stop: Callable[[], bool] = lambda: False) -> list[str]:
    """Train as the workflow does; returns what was reported."""
    lines: list[str] = []
    train_fleet(fleet, LanguageTask.of(fleet.network, TRAIN, VALID), lines.append, (folder / NAME, "this run"), stop)
    return lines


def after(calls: int) -> Callable[[], bool]:
    """False so many times, then true."""
    left = iter([False] * calls)
    return lambda: next(left, True)


def outcome(fleet: Fleet) -> dict[str, Any]:
    """All that a training leaves, but for its times."""
    history = [{key: row[key] for key in row if key not in ("seconds", "symbols_per_second")} for row in fleet.history]
    best = {name: value.numpy().tobytes() for name, value in fleet.best.items()}
    return best | {"history": history, "last": {name: v.numpy().tobytes() for name, v in fleet.parameters.items()}}


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_of_every_cell_is_kept(tmp_path, cell):
    whole, stopped, resumed = (fleet_of(cell=cell, epochs=1, dropout=0.3, recurrent_dropout=0.2) for _ in range(3))
    train(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stopped, after(7))
    train(tmp_path, resumed)
    assert outcome(resumed) == outcome(whole)


@pytest.mark.parametrize("batches", [0, 1, 7, 19, 20, 21, 53])
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_training_stopped_between_two_batches(tmp_path, settings, batches):
    whole, stopped, resumed = (fleet_of(**settings) for _ in range(3))
    train(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stopped, after(batches))
    lines = train(tmp_path, resumed)
    assert lines[0].startswith("continuing after epoch ") and lines[0].endswith(f" from {NAME}")
    assert outcome(resumed) == outcome(whole)


def test_a_training_stopped_again_and_again(tmp_path):
    whole, last = fleet_of(dropout=0.2), fleet_of(dropout=0.2)
    train(tmp_path / "whole", whole)
    for batches in (3, 5, 30):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, fleet_of(dropout=0.2), after(batches))
    assert "batches from" in train(tmp_path, last)[0]
    assert outcome(last) == outcome(whole)


def test_the_time_before_an_interruption_counts(tmp_path, monkeypatch):
    def hour() -> bool:
        hours.append(3600)
        return len(hours) > 5

    hours: list[int] = []
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(time, "perf_counter", lambda: float(sum(hours)))
        train(tmp_path, fleet_of(), hour)
    fleet = fleet_of()
    train(tmp_path, fleet)
    assert fleet.history[0]["seconds"] >= 5 * 3600


def _train_and_keep(folder: str, settings: dict[str, Any], broken_write: bool, gate: Path | None) -> None:
    """What a job does; with `broken_write` the machine dies in the middle of writing the second checkpoint."""
    torch.set_num_threads(1)
    if broken_write:
        whole_write, written = checkpoints.save_file, []

        def write(tensors: Any, path: Path, metadata: Any) -> None:
            whole_write(tensors, path, metadata)
            written.append(path)
            if len(written) == 2:
                os.truncate(path, path.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

        checkpoints.save_file = write
    fleet = fleet_of(**settings)
    stop = stop_on_signals()
    train(Path(folder), fleet, held(gate, fleet, stop) if gate else stop)
    checkpoints.save_checkpoint(Path(folder) / "done.safetensors", fleet.best, {"outcome": fleet.history}, "done")


def job(folder: Path, settings: dict[str, Any], broken_write: bool = False, gate: Path | None = None) -> Any:
    process = SERVER.Process(target=_train_and_keep, args=(str(folder), settings, broken_write, gate))
    process.start()
    return process


def kept(folder: Path) -> dict[str, Any]:
    tensors, state = checkpoints.load_checkpoint(folder / "done.safetensors", "done")
    history = [{key: row[key] for key in row if "second" not in key} for row in state["outcome"]]
    return {name: value.numpy().tobytes() for name, value in tensors.items()} | {"history": history}


def test_a_training_killed_at_twenty_random_moments(tmp_path):
    settings = {"dropout": 0.2, "epochs": 12}
    job(tmp_path / "first", settings).join()  # the server starts, which takes longer than the training
    started = time.perf_counter()
    process = job(tmp_path / "whole", settings)
    process.join()
    whole = time.perf_counter() - started
    moments, folder, killed = random.Random(1), tmp_path / "killed", 0
    while killed < 20:
        process = job(folder, settings)
        process.join(moments.uniform(0, whole / 4))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:  # it was faster than the kill
            assert kept(folder) == kept(tmp_path / "whole")
            shutil.rmtree(folder)
    process = job(folder, settings)
    process.join()
    assert process.exitcode == 0
    assert kept(folder) == kept(tmp_path / "whole")


def test_a_machine_that_dies_while_a_checkpoint_is_written(tmp_path):
    process = job(tmp_path, {}, broken_write=True)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert checkpoints.load_checkpoint(tmp_path / NAME, "this run")[1]["history"][-1]["epoch"] == 1  # the first
    process = job(tmp_path, {})
    process.join()
    whole = fleet_of()
    train(tmp_path / "whole", whole)
    assert process.exitcode == 0
    assert kept(tmp_path)["history"] == outcome(whole)["history"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_writes_a_checkpoint_and_ends_the_job_as_failed(tmp_path, gate, number):
    process = job(tmp_path, {}, gate=gate.folder)
    gate.next_arrival(process.is_alive, lambda: f"exit code {process.exitcode}")
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode not in (0, -number)  # it ended by itself, and not as if it were done
    fleet = fleet_of()
    assert fleet.restore(tmp_path / NAME, "this run") and fleet.progress is not None


def test_no_room_for_a_checkpoint_leaves_the_old_one(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, fleet_of(), after(30))
    before = (tmp_path / NAME).read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(InputError, match=r"No space left.*free disk space"):
        patched.setattr(checkpoints, "save_file", full)
        train(tmp_path, fleet_of())
    assert (tmp_path / NAME).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{NAME}.sha256", NAME]
    whole, resumed = fleet_of(), fleet_of()
    train(tmp_path / "whole", whole)
    train(tmp_path, resumed)
    assert outcome(resumed) == outcome(whole)
