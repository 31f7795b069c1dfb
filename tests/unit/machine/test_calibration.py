"""Choices between implementations by their times: the fastest, kept in a file, whatever happens to the file."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqlab.machine import calibration
from seqlab.machine.calibration import Calibration, is_bfloat16_fast, locate_cache, open_calibration


@pytest.fixture
def lines() -> list[str]:
    return []


def timed(seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """Candidates that take these times by a clock of their own."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return {name: lambda took=took: now.__setitem__(0, now[0] + took) for name, took in seconds.items()}


@pytest.mark.parametrize(
    ("loop", "kernel", "choice"), [(0.01, 0.005, "kernel"), (0.01, 0.02, "loop"), (0.01, 0.0095, "loop")]
)
def test_the_fastest_is_chosen_unless_the_usual_one_is_about_as_fast(loop, kernel, choice, tmp_path, monkeypatch):
    candidates = timed({"loop": loop, "kernel": kernel}, monkeypatch)
    assert Calibration(tmp_path / "times.json").choose("a layer", candidates, "loop") == choice


def test_a_choice_is_measured_once(tmp_path, monkeypatch):
    path = tmp_path / "new folder" / "times.json"
    candidates = timed({"loop": 0.01, "kernel": 0.005}, monkeypatch)
    assert Calibration(path).choose("a layer", candidates, "loop") == "kernel"

    def fail() -> None:
        raise AssertionError("measured again")

    assert Calibration(path).choose("a layer", dict.fromkeys(candidates, fail), "loop") == "kernel"
    assert json.loads(path.read_text())["a layer"]["milliseconds"] == {"loop": 10, "kernel": 5}


def test_measuring_takes_the_time_that_is_granted(tmp_path, monkeypatch):
    candidates = timed({"loop": 0.001, "kernel": 0.002}, monkeypatch)
    Calibration(tmp_path / "times.json").choose("a layer", candidates, "loop")
    assert time.perf_counter() == pytest.approx(calibration.SECONDS_OF_A_CHOICE + 0.003, abs=0.003)


def test_the_first_call_which_loads_libraries_is_not_timed(tmp_path, monkeypatch):
    candidates = timed({"loop": 0.01, "kernel": 0.005, "library": 9.0}, monkeypatch)
    kernel, library = candidates["kernel"], candidates.pop("library")
    first_calls = iter([library])

    def load_and_run() -> None:
        for load in first_calls:
            load()
        kernel()

    chosen = Calibration(tmp_path / "times.json").choose("a layer", candidates | {"kernel": load_and_run}, "loop")
    assert chosen == "kernel"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"a layer": 3}', '{"a layer": {"choice": 3, "milliseconds": {}}}', "\x00", '{"a layer": {}}'],
)
def test_a_damaged_file_is_measured_again(content, tmp_path, monkeypatch):
    path = tmp_path / "times.json"
    path.write_text(content)
    candidates = timed({"loop": 0.01, "kernel": 0.005}, monkeypatch)
    assert Calibration(path).choose("a layer", candidates, "loop") == "kernel"
    assert json.loads(path.read_text())["a layer"]["choice"] == "kernel"


def test_a_choice_that_no_longer_exists_is_measured_again(tmp_path, monkeypatch):
    path = tmp_path / "times.json"
    Calibration(path).choose("a layer", timed({"loop": 0.01, "kernel": 0.005}, monkeypatch), "loop")
    assert Calibration(path).choose("a layer", timed({"loop": 0.01, "scan": 0.02}, monkeypatch), "loop") == "loop"


def test_without_a_writable_folder_one_line_says_so(tmp_path, monkeypatch, lines):
    (tmp_path / "file").touch()  # a file where the folder should be; root may write anywhere
    candidates = timed({"loop": 0.01, "kernel": 0.005}, monkeypatch)
    chosen = Calibration(tmp_path / "file" / "times.json", lines.append)
    assert [chosen.choose("a layer", candidates, "loop") for _ in range(2)] == ["kernel", "kernel"]
    assert len(lines) == 1 and "every job measures again" in lines[0]


def test_a_candidate_that_fails_is_not_chosen(tmp_path, monkeypatch, lines):
    def fail() -> None:
        raise RuntimeError("no such kernel\nmore lines")

    candidates = timed({"loop": 0.01}, monkeypatch) | {"kernel": fail}
    assert Calibration(tmp_path / "times.json", lines.append).choose("a layer", candidates, "loop") == "loop"
    assert lines == ["kernel failed where it was tried, so it is not used: no such kernel more lines"]


def test_two_jobs_that_ask_at_once_measure_once(tmp_path):
    begun, goes_on, calls = threading.Event(), threading.Event(), []

    def slow() -> None:
        calls.append("loop")
        begun.set()
        goes_on.wait()

    def ask() -> None:
        Calibration(tmp_path / "times.json").choose("a layer", {"loop": slow, "kernel": lambda: None}, "loop")

    jobs = [threading.Thread(target=ask) for _ in range(2)]
    jobs[0].start()
    begun.wait()
    jobs[1].start()
    goes_on.set()
    for job in jobs:
        job.join()
    choices = json.loads((tmp_path / "times.json").read_text())
    assert list(choices) == ["a layer"]
    measured = len(calls)
    ask()
    assert len(calls) == measured


def test_machines_have_files_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    here = open_calibration().path
    monkeypatch.setattr(calibration, "read_processor", lambda: "another processor")
    assert here.parent == locate_cache() == tmp_path / "seqlab"
    assert open_calibration().path != here
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert len({here, open_calibration().path}) == 2


@pytest.mark.parametrize(("rounded", "plain", "fast"), [(0.01, 0.02, True), (0.4, 0.02, False)])
def test_products_in_bfloat16_are_measured(rounded, plain, fast, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    candidates = timed({"bfloat16": rounded, "float32": plain}, monkeypatch)
    names = {torch.bfloat16: "bfloat16", torch.float32: "float32"}
    monkeypatch.setattr(calibration, "_product_in", lambda precision: candidates[names[precision]])
    is_bfloat16_fast.cache_clear()
    assert is_bfloat16_fast() == fast
    is_bfloat16_fast.cache_clear()


def test_the_cache_is_in_the_home_folder_by_default(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert locate_cache() == Path.home() / ".cache" / "seqlab"
