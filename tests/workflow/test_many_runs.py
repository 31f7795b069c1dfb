"""A thousand runs: what takes all of them as input must not name them all in one command.

The networks are copies of one that the smoke experiment trained, under names of their own.
"""

import csv
import os
import re
from pathlib import Path

import pytest
import yaml
from project import Project

from seqlab.io.files import read_json, write_json

EXPERIMENT = Path("results/smoke")
BASE = EXPERIMENT / "even_process/char"
RUNS = 1000
COPIED = (
    "scores.npz",
    "weights.safetensors",
    "network.json",
    "training.json",
    "history.csv",
    "card.yaml",
    "sample.txt",
)
LONGEST = 32 * os.sysconf("SC_PAGE_SIZE")  # bytes of one argument that Linux takes, and a command of the shell is one
AFTER_SCORING = [
    "plan_runs",
    "list_runs",
    "summarize",
    "compare_models",
    "explain_models",
    "measure_memory",
    "score_mixture",
]
AFTER_SCORING += [
    "compare_protocols",
    "measure_horizon",
    "plot_figure",
    "track_runs",
    "record_provenance",
    "audit_models",
    "write_report",
    "verify",
]
SWEEP = ("--configfile", "config/smoke.yaml", "--rerun-triggers", "mtime", "--allowed-rules", *AFTER_SCORING)


@pytest.fixture(scope="module")
def swept(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An experiment with a thousand networks, trained and scored, and nothing done with them yet."""
    project = smoke.copy(tmp_path_factory.mktemp("swept"))
    config = yaml.safe_load((project.folder / "config/smoke.yaml").read_text())
    config["rnn"] |= {"cells": ["rnn"], "hidden": list(range(8, 8 + RUNS))}
    (project.folder / "config/smoke.yaml").write_text(yaml.safe_dump(config))
    first = project.folder / BASE / "rnn/rnn-1x8"
    metrics = read_json(first / "metrics.json")
    for hidden in range(9, 8 + RUNS):
        folder = first.with_name(f"rnn-1x{hidden}")
        folder.mkdir()
        for name in COPIED:
            os.link(first / name, folder / name)
        write_json(folder / "metrics.json", metrics | {"model": folder.name})
    for name in ("summary.csv", "models.csv", "verdicts.csv"):
        (project.folder / BASE / name).unlink()
    for name in ("runs.json", ".plan.json"):
        (project.folder / EXPERIMENT / name).unlink()
    return project


def test_no_command_is_too_long(swept: Project) -> None:
    printed = swept.snakemake("--dry-run", "--printshellcmds", "--forceall", *SWEEP, "--", "all", "verify").stdout
    commands = re.findall(r"^Shell command: (.*)$", printed, flags=re.MULTILINE)
    assert len(commands) > 8, printed[-2000:]
    assert max(len(command.encode()) for command in commands) < LONGEST / 10


def test_all_runs_are_compared(swept: Project) -> None:
    done = swept.snakemake("--quiet", "rules", *SWEEP, "--", str(BASE / "summary.csv"), str(BASE / "verdicts.csv"))
    assert done.returncode == 0, done.stdout
    with (swept.folder / BASE / "models.csv").open(newline="") as file:
        assert sum(row["family"] == "rnn" for row in csv.DictReader(file)) == 2 * RUNS  # a row for each split
    with (swept.folder / BASE / "verdicts.csv").open(newline="") as file:
        assert sum(row["family"] == "rnn" for row in csv.DictReader(file)) >= RUNS - 1
