"""A gate at which the trainings of a test wait, so that no test relies on a training that lasts long enough.

A test closes a `Gate` in a folder and gives the environment of the gate to the program that trains. There Python runs
a copy of this file at its start, as sitecustomize, and a training stops after its first epoch, with its checkpoint on
the disk, until the gate is open or the training is told to stop. It leaves a file when it has arrived.
"""

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

# What is wrapped: a function that trains, with the arguments `fleet`, whose `epoch` is the number of finished epochs,
# and `stop`, which it asks before every batch.
MODULE, FUNCTION = "seqlab.fleet.training", "train_fleet"
PATIENCE = 900  # seconds until a test or a training that waits in vain gives up; no test asserts that anything is fast
MEMORY = 2_000_000_000  # bytes that a training takes where it meets the order to
CLOSED, GREEDY = "closed", "greedy"
_taken: list[bytearray] = []


@dataclass(frozen=True)
class Arrival:
    """A training that has reached the gate: its process, its job of Slurm, its finished epochs."""

    process: int
    job: str
    epoch: int


@dataclass
class Gate:
    """A gate that is closed at first, seen from the test."""

    folder: Path
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        shutil.copyfile(__file__, self.folder / "sitecustomize.py")
        (self.folder / CLOSED).touch()

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *_: object) -> None:
        self.open()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which programs and all that they start wait here."""
        return {"PYTHONPATH": str(self.folder.resolve())}

    def open(self) -> None:
        (self.folder / CLOSED).unlink(missing_ok=True)

    def order_memory(self) -> None:
        """Let a training that waits take MEMORY bytes."""
        (self.folder / GREEDY).touch()

    def next_arrival(self, runs: Callable[[], bool], printed: Callable[[], str]) -> Arrival:
        """Wait for a training that has not been returned yet. Raises AssertionError with what was `printed` where the
        program that was to train no longer `runs`, or after PATIENCE.
        """

        def arrived() -> list[Path]:
            return [path for path in self.folder.glob("arrived-*.json") if path.name not in self.seen]

        until("a training arrives at the gate", lambda: bool(arrived()), runs, printed)
        path = arrived()[0]
        self.seen.add(path.name)
        return Arrival(**json.loads(path.read_text()))


def until(
    what: str,
    happened: Callable[[], object],
    runs: Callable[[], bool] = lambda: True,
    printed: Callable[[], str] = lambda: "",
) -> None:
    """Wait until something has `happened`. Raises AssertionError, with `what` and what was `printed`, when the program
    that makes it happen no longer `runs`, or after PATIENCE.
    """
    end = time.monotonic() + PATIENCE
    while not happened():
        if not runs():
            assert happened(), f"the program ended before {what}:\n{printed()}"
            return
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain until {what}:\n{printed()}"
        time.sleep(0.05)


def held(folder: Path, fleet: Any, stop: Callable[[], bool]) -> Callable[[], bool]:
    """`stop`, which a training asks before every batch; from its second epoch on it answers when the gate in `folder`
    is open or the answer is yes.
    """
    begun_at: list[int] = []  # epochs that were finished when the training began, known when a checkpoint was read
    arrived: list[str] = []

    def answer() -> bool:
        if not begun_at:
            begun_at.append(fleet.epoch)
        if fleet.epoch == begun_at[0]:
            return stop()
        end = time.monotonic() + PATIENCE
        while (folder / CLOSED).exists() and not stop():
            if not arrived:
                arrived.append(_arrive(folder, fleet.epoch))
            _take_memory(folder)
            if time.monotonic() > end:
                raise TimeoutError(f"the gate {folder} was not opened in {PATIENCE} s")
            time.sleep(0.02)
        return stop()

    return answer


def _arrive(folder: Path, epoch: int) -> str:
    arrival = {"process": os.getpid(), "job": os.environ.get("SLURM_JOB_ID", ""), "epoch": epoch}
    name = f"arrived-{uuid.uuid4().hex}.json"
    new = folder / f"new-{name}"
    new.write_text(json.dumps(arrival))
    new.rename(folder / name)
    return name


def _take_memory(folder: Path) -> None:
    try:
        (folder / GREEDY).unlink()
    except FileNotFoundError:
        return
    _taken.append(bytearray(b"\1") * MEMORY)  # memory counts when it is written to


class _Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Wraps FUNCTION when MODULE is imported; nothing is imported before its time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_wrap(module: ModuleType) -> None:
            execute(module)
            setattr(module, FUNCTION, self._wrap(getattr(module, FUNCTION)))

        spec.loader.exec_module = execute_and_wrap
        return spec

    def _wrap(self, train: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(train)

        @functools.wraps(train)
        def train_and_wait(*positional: Any, **named: Any) -> Any:
            bound = signature.bind(*positional, **named)
            bound.apply_defaults()
            bound.arguments["stop"] = held(self.folder, bound.arguments["fleet"], bound.arguments["stop"])
            return train(*bound.args, **bound.kwargs)

        return train_and_wait


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, _Hook(Path(__file__).parent))
