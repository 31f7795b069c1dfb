"""Leases on GPUs; there are none here, so their number is pretended."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from seqlab.machine.devices import choose_device
from seqlab.machine.leases import is_gpu_assigned, list_gpu_names

JOB = """
import sys
from pathlib import Path
from seqlab.machine.leases import lease_gpu
print(lease_gpu(sys.argv[3:], int(sys.argv[2]), Path(sys.argv[1]), lambda line: print(line, flush=True)), flush=True)
sys.stdin.read()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that takes a lease on one of the GPUs it names, prints which, and keeps it until it ends."""
    started: list[subprocess.Popen[str]] = []

    def one(*names: str, jobs_per_gpu: int = 1) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", JOB, str(tmp_path), str(jobs_per_gpu), *names]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield one
    for process in started:
        process.communicate()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_jobs_spread_over_gpus_before_they_share_one(start: Start) -> None:
    assert [says(start("0", "1", jobs_per_gpu=2)) for _ in range(4)] == ["0", "1", "0", "1"]


def test_a_job_waits_where_all_are_taken_and_goes_on_when_one_is_killed(start: Start) -> None:
    first, second = start("0", "1"), start("0", "1")
    taken = {says(first): first, says(second): second}
    third = start("0", "1")
    assert says(third) == "waiting for a GPU: all 2 have 1 jobs"
    taken["1"].send_signal(signal.SIGKILL)
    assert says(third) == "1"


def test_jobs_that_see_different_gpus_agree_on_which_is_taken(start: Start) -> None:
    assert says(start("2")) == "0"
    assert says(start("2", "3")) == "1"


def test_gpus_have_the_names_by_which_they_were_made_visible() -> None:
    assert list_gpu_names(2, {"CUDA_VISIBLE_DEVICES": "2, 3"}) == ["2", "3"]
    assert list_gpu_names(2, {}) == ["0", "1"]


def test_gpus_of_two_allocations_of_slurm_are_not_the_same() -> None:
    assert list_gpu_names(2, {"SLURM_JOB_ID": "7"}) != list_gpu_names(2, {"SLURM_JOB_ID": "8"})


@pytest.mark.parametrize(
    ("gpus", "environment", "assigned"),
    [
        (2, {}, False),
        (1, {}, False),
        (2, {"CUDA_VISIBLE_DEVICES": "0,1"}, False),
        (1, {"CUDA_VISIBLE_DEVICES": "1"}, True),
        (1, {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "7"}, True),
        (4, {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "SLURM_JOB_ID": "7"}, False),
    ],
)
def test_a_gpu_is_assigned_where_a_single_one_was_made_visible(
    gpus: int, environment: dict[str, str], assigned: bool
) -> None:
    assert is_gpu_assigned(list_gpu_names(gpus, environment), environment) is assigned


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that seems to have two GPUs; returns the folder of temporary files."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "device_count", lambda: len(os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(","))
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("seqlab.machine.leases._held", {})
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_job_gets_the_gpu_that_is_free_and_keeps_it(two_gpus: Path, start: Start) -> None:
    assert says(start("0", "1")) == "0"
    assert [choose_device("auto"), choose_device("cuda")] == [torch.device("cuda", 1)] * 2


def test_an_assigned_gpu_is_the_first_visible_one(two_gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [choose_device("cuda"), choose_device("cuda")] == [torch.device("cuda", 0)] * 2
    assert list(two_gpus.iterdir()) == []
