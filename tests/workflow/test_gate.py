"""The gate at which trainings of other tests wait, whatever program trains."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import made_fleets
import pytest
from gate import PATIENCE, Gate
from project import Project

TRAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from made_fleets import fleet_of, task_of
from seqlab.machine.interruption import stop_on_signals
from seqlab.fleet.training import train_fleet
fleet = fleet_of([1], epochs=2)
train_fleet(fleet, task_of(fleet), checkpoint=(Path("checkpoint"), ""), stop=stop_on_signals())
"""
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(gate: Gate, tmp_path: Path) -> Iterator[Start]:
    """Start a program that trains two epochs and leaves a checkpoint after each; returns it at the gate."""
    started: list[subprocess.Popen[str]] = []

    def one() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", TRAIN, str(Path(made_fleets.__file__).parent)]
        environment = Project(tmp_path).environment(**gate.environment)
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        arrival = gate.next_arrival(lambda: process.poll() is None, lambda: "nothing")
        assert (arrival.process, arrival.epoch) == (process.pid, 1)
        return process

    yield one
    gate.open()
    for process in started:
        process.communicate()


def test_a_training_waits_with_its_checkpoint_and_goes_on_when_the_gate_opens(
    start: Start, gate: Gate, tmp_path: Path
) -> None:
    process = start()
    assert (tmp_path / "checkpoint").exists()
    gate.open()
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert [line.split("  train")[0] for line in printed.splitlines()] == ["epoch   1/2", "epoch   2/2"]


def test_a_training_that_is_told_to_stop_does_not_wait(start: Start) -> None:
    process = start()
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "epoch   2/2" not in printed
