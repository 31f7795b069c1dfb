"""A run that is killed or interrupted at any moment ends, after the same command again, with the same bits.

SEQLAB_KILLS is the number of kills, 12 if it is not set; tools/reliability.py sets it.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate import PATIENCE, Gate, until
from project import HEEDED, Project, bare_project

KILLS = int(os.environ.get("SEQLAB_KILLS", "12"))
NETWORK = "results/smoke/even_process/char/rnn/rnn-1x8/metrics.json"
COMMAND = ("--configfile", "config/smoke.yaml", "--config", "rnn={training: {epochs: 3}}", "--", NETWORK)
VICTIMS = ("a job", "Snakemake", "Snakemake and its jobs")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    """What the command leaves when nothing happens, and how many seconds it takes."""
    project = bare_project(tmp_path_factory.mktemp("undisturbed"))
    started = time.perf_counter()
    done = project.snakemake(*COMMAND)
    assert done.returncode == 0, done.stdout
    return project.bits(), time.perf_counter() - started


def kill(project: Project, snakemake: "subprocess.Popen[bytes]", victim: str) -> bool:
    """Kill `victim` now; a job is waited for, as long as Snakemake runs. False where all had ended before."""
    if victim == VICTIMS[0]:
        while not (jobs := list(project.jobs())) and snakemake.poll() is None:
            time.sleep(0.01)
        try:
            for job in jobs[:1]:
                os.kill(job, signal.SIGKILL)
        except ProcessLookupError:  # it has ended since it was seen
            jobs = []
        snakemake.wait()
        return bool(jobs)
    if snakemake.poll() is not None:
        return False
    if victim == VICTIMS[1]:
        snakemake.kill()  # its jobs live on, and the next run meets them
    else:
        os.killpg(snakemake.pid, signal.SIGKILL)
    snakemake.wait()
    return True


def unlock(project: Project) -> None:
    """The documented command, where a killed Snakemake has left its lock."""
    if any((project.folder / ".snakemake/locks").glob("*")):
        done = project.snakemake(*COMMAND[:-2], "--unlock")
        assert done.returncode == 0, done.stdout


def end(*groups: int) -> None:
    """End what is left of groups of processes."""
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_runs_killed_at_random_moments_end_with_the_same_bits(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], float], record_property: Callable[[str, Any], None]
) -> None:
    expected, seconds = undisturbed
    project, moments, groups = bare_project(tmp_path / "project"), random.Random(7), []
    killed: Counter[str] = Counter()
    finished = 0
    while sum(killed.values()) < KILLS:
        snakemake = project.start(*COMMAND)
        groups.append(snakemake.pid)
        victim = VICTIMS[sum(killed.values()) % len(VICTIMS)]
        try:
            snakemake.wait(moments.uniform(0.05, 0.5) * seconds)
        except subprocess.TimeoutExpired:
            killed[victim] += kill(project, snakemake, victim)
        if snakemake.returncode == 0:  # it was faster than the kill
            assert project.bits() == expected
            finished += 1
            for folder in ("results", "resources"):
                shutil.rmtree(project.folder / folder)
        unlock(project)
    done = project.snakemake(*COMMAND)
    end(*groups)
    assert done.returncode == 0, done.stdout
    assert project.bits() == expected
    assert "Traceback" not in done.stdout
    for victim, times in killed.items():
        record_property(f"SIGKILL of {victim}", times)
    record_property("runs that ended with the same bits", finished + 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_to_snakemake_loses_nothing(
    tmp_path: Path,
    gate: Gate,
    undisturbed: tuple[dict[str, Any], float],
    number: int,
    record_property: Callable[[str, Any], None],
) -> None:
    """Ctrl-C reaches all that the terminal runs, and the training stops; SIGTERM to Snakemake lets its jobs end."""
    project = bare_project(tmp_path / "project")
    snakemake = project.start(*COMMAND, **gate.environment)
    folder = project.folder / Path(NETWORK).parent
    gate.next_arrival(lambda: snakemake.poll() is None, project.printed)
    if number == signal.SIGINT:
        os.killpg(snakemake.pid, number)
    else:
        snakemake.send_signal(number)
        until("Snakemake heeds the signal", lambda: HEEDED in project.printed(), printed=project.printed)
        gate.open()
    snakemake.wait(PATIENCE)
    assert project.jobs() == {}
    printed = project.printed()
    assert snakemake.returncode != 0
    assert "Traceback" not in printed, printed
    assert (folder / "metrics.json").exists() == (number == signal.SIGTERM)
    unlock(project)
    done = project.snakemake(*COMMAND)
    assert done.returncode == 0, done.stdout
    if number == signal.SIGINT:
        assert "continuing after epoch" in (folder / "train.log").read_text()
    assert project.bits() == undisturbed[0]
    record_property(f"{signal.Signals(number).name} to Snakemake", 1)
