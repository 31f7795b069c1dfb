"""Whatever the machine is like, the bits are the same; and where the workflow can't go on, it says why."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from gate import Gate
from programs import run
from project import Project, bare_project

from seqlab.io.files import write_text

NGRAM = "results/smoke/even_process/char/ngram/mkn-3/metrics.json"
NETWORK = "results/smoke/even_process/char/rnn/rnn-1x8/metrics.json"
SMOKE = ("--configfile", "config/smoke.yaml")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
FULL = "results/smoke/even_process/char/rnn/rnn-1x8"
BASE, PREPARED = "smoke/even_process/char/", "corpora/even_process/char/"
MKN = {"corpus": "even_process", "unit": "char", "family": "ngram", "model": "mkn-3", "seeds": []}
MKN |= {"settings": {"smoothing": "mkn", "order": 3}}
DATA = {"ids": "ids.npy", "splits": "splits.json", "vocab": "vocab.json"}


def same_bits(project: Project, smoke: Project) -> None:
    """What `project` has made is what the smoke experiment made; and there is something."""
    made, expected = project.bits(), smoke.bits()
    assert made and {name: expected[name] for name in made} == made


@contextmanager
def turkish(folder: Path) -> Iterator[dict[str, str]]:
    """The variables of a Turkish locale, whose lower case of I is not i; made with the system's own definitions."""
    made = None
    if shutil.which("localedef"):
        command = ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(folder / "tr_TR.UTF-8")]
        made = subprocess.run(command, capture_output=True, check=False)
    if made is None or made.returncode > 1 or not (folder / "tr_TR.UTF-8").exists():  # 1 is a warning
        pytest.skip("localedef can't make a Turkish locale here")
    yield {"LOCPATH": str(folder), "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}


@pytest.mark.parametrize("surroundings", ["Turkish locale, another time zone, no HOME", "locale C, clock in 2001"])
def test_other_surroundings_give_the_same_bits(
    smoke: Project, tmp_path: Path, surroundings: str, record_property: Callable[[str, Any], None]
) -> None:
    project = bare_project(tmp_path / "a folder für Läufe")
    target = NETWORK
    if surroundings.startswith("Turkish"):
        with turkish(tmp_path) as variables:
            environment = project.environment(TZ="Pacific/Chatham", **variables)
        environment.pop("HOME", None)
        environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    else:
        if not FAKETIME.exists():
            pytest.skip("libfaketime is not installed (Debian: faketime)")
        environment = project.environment(LC_ALL="C", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "@2001-02-03 04:05:06", "DONT_FAKE_MONOTONIC": "1"}
        scontrol = tmp_path / "bin/scontrol"  # of Slurm, which Snakemake's plugin asks; it hangs under libfaketime
        write_text(scontrol, "#!/bin/sh\nexit 1\n")
        scontrol.chmod(0o755)
        environment["PATH"] = os.pathsep.join([str(scontrol.parent), environment["PATH"]])
        target = NGRAM
    command = project.command(*SMOKE, "--", target)
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    same_bits(project, smoke)
    record_property(surroundings, 1)


def test_a_clock_that_was_moved_back_reruns_nothing(
    finished: Project, record_property: Callable[[str, Any], None]
) -> None:
    """The results then come from the future, and the sources are younger than what was made of them."""
    later = time.time() + 86_400 * 400
    for path in (finished.folder / "results").rglob("*.*"):
        os.utime(path, (later, later))
    for path in (finished.folder / "src").rglob("*.py"):
        os.utime(path, (later + 60, later + 60))
    assert finished.planned(*SMOKE) == {}
    record_property("clock moved back", 1)


def test_a_source_tree_that_can_only_be_read(
    smoke: Project, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    """Results land in the working folder; nothing is written beside the Snakefile, not even bytecode."""
    project = bare_project(tmp_path / "source")
    work = tmp_path / "work"
    work.mkdir()
    for path in [project.folder, *project.folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(project.folder.rglob("*"))
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    command += ["--snakefile", str(project.folder / "workflow/Snakefile")]
    command += ["--configfile", str(project.folder / "config/smoke.yaml"), "--", NGRAM]
    environment = project.environment(PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    after = sorted(project.folder.rglob("*"))
    for path in [project.folder, *after]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 0, done.stdout + done.stderr
    same_bits(Project(work), smoke)
    assert after == before
    record_property("read-only source tree", 1)


def test_a_second_snakemake_in_the_folder_is_told_to_wait(
    finished: Project, smoke: Project, gate: Gate, record_property: Callable[[str, Any], None]
) -> None:
    shutil.rmtree(finished.folder / FULL)
    first = finished.start(*SMOKE, "--", NETWORK, **gate.environment)
    gate.next_arrival(lambda: first.poll() is None, finished.printed)
    second = finished.snakemake(*SMOKE, "--", NETWORK)
    gate.open()
    first.wait()
    assert second.returncode != 0
    assert "LockException" in second.stdout and "--unlock" in second.stdout
    assert first.returncode == 0, finished.printed()
    same_bits(finished, smoke)
    record_property("two Snakemakes in one folder", 1)


def test_two_folders_with_one_mirror(
    tmp_path: Path, empty_project: Project, mirror: Path, record_property: Callable[[str, Any], None]
) -> None:
    raw = "resources/time_machine/raw.txt"
    projects = [empty_project.copy(tmp_path / name) for name in ("one", "two")]
    before = sorted(path.stat().st_mtime_ns for path in mirror.iterdir())
    config = ("--configfile", "config/time_machine.yaml", "--", raw)
    running = [project.start(*config, SEQLAB_MIRROR=str(mirror)) for project in projects]
    assert [snakemake.wait() for snakemake in running] == [0, 0]
    texts = [(project.folder / raw).read_bytes() for project in projects]
    assert texts[0] == texts[1] == (mirror / "time_machine.txt").read_bytes()
    assert sorted(path.stat().st_mtime_ns for path in mirror.iterdir()) == before
    record_property("two folders with one mirror", 1)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of its own in `folder`, with room for so much."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    may = sys.platform == "linux" and os.geteuid() == 0
    if not may or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here: that needs root on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, room: int) -> Path:
    """The file that takes all of a disk but for `room` bytes."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        with suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        file.truncate(max(file.tell() - room, 0))
    return filler


def test_a_disk_that_is_full_while_a_checkpoint_is_written(
    smoke: Project, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    project = bare_project(tmp_path / "project")
    with small_disk(project.folder / "results", 30_000):
        smoke.copy(project.folder)
        for path in (project.folder / FULL).iterdir():
            if not path.name.startswith("card"):
                path.unlink()
        before = project.bits()
        filler = fill(project.folder / "results", 8192)  # room for the log, and so for the sentence
        done = project.snakemake(*SMOKE, "--", NETWORK)
        assert done.returncode != 0
        assert "safetensors could not be written" in done.stdout and "free disk space" in done.stdout, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        kept = project.bits()
        assert kept and kept == {name: before[name] for name in kept}
        filler.unlink()
        done = project.snakemake(*SMOKE, "--", NETWORK)
        assert done.returncode == 0, done.stdout
        same_bits(project, smoke)
    record_property("full disk: checkpoint", 1)


@pytest.mark.parametrize(
    ("file", "program", "arguments"),
    [
        (
            f"{BASE}ngram/mkn-3/scores.npz",
            "train_ngram",
            [f"--{name}={PREPARED}{file}" for name, file in DATA.items()]
            + [f"--run={json.dumps(MKN)}", f"--folder={BASE}ngram/mkn-3"]
            + ['--sample={"prompt": 1, "symbols": 5, "temperature": 1.0}'],
        ),
        ("smoke/report.html", "write_report", ["--experiment=smoke/runs.json", "--output=smoke/report.html"]),
        (
            f"{BASE}models.csv",
            "summarize",
            [
                *["--experiment=smoke/runs.json", "--corpus=even_process", "--unit=char"],
                *(f"--{name}={PREPARED}{file}" for name, file in DATA.items()),
                f"--unknown={PREPARED}unknown.json",
                f"--summary={BASE}summary.csv",
                f"--models={BASE}models.csv",
            ],
        ),
    ],
    ids=["scores", "report", "tables"],
)
def test_a_disk_that_is_full_while_results_are_written(
    smoke: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    program: str,
    arguments: list[str],
    record_property: Callable[[str, Any], None],
) -> None:
    """One sentence, the old file as it was, nothing beside it, and the whole file when there is room."""
    with small_disk(tmp_path / "results", 30_000):
        shutil.copytree(smoke.folder / "results", tmp_path / "results", dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path / "results")
        path, filler = Path(file), fill(Path(), 0)
        before, files = path.read_bytes(), sorted(path.parent.iterdir())
        code, printed = run(program, arguments)
        assert code != 0 and printed.startswith("error: ") and "\n" not in printed, printed
        assert "could not be written" in printed and "No space left" in printed and "free disk space" in printed
        assert path.read_bytes() == before and sorted(path.parent.iterdir()) == files
        filler.unlink()
        assert run(program, arguments) == (0, "")
    record_property(f"full disk: {Path(file).name}", 1)
