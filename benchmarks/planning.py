"""Planning time of Snakemake against the number of configurations.

    python benchmarks/planning.py [--configurations 100 1000 10000]

An experiment is a sweep of recurrent networks over four axes (cells, hidden sizes, dropout, learning rate) on a
generated text, planned by `snakemake --dry-run` in an empty copy of the project: one job for each configuration, and
the jobs that compare them. `seconds` is the time for planning, `printed_seconds` for planning and describing every job;
both are processor times, user and system, so that other programs do not count. `memory_mb` is the largest
resident size. The last line is JSON.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from ngram import machine

from seqlab.io.errors import InputError, command

ROOT = Path(__file__).parents[1]
PARTS = ("config", "profiles", "src", "workflow", "environment.yml")


def copy_project(folder: Path) -> None:
    """The project without its results."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, folder / part)


def sweep(configurations: int) -> dict[str, Any]:
    """Return the configuration of an experiment with this number of networks and no other models."""
    hidden = list(range(1, configurations // 8 + 1))
    training = {"dropout": [0.0, 0.3], "learning_rate": [0.008, 0.002]}
    rnn = {"cells": ["rnn", "lstm"], "layers": 1, "hidden": hidden, "seeds": [1], "training": training}
    return {"corpora": ["even_process"], "units": ["char"], "ngram": [], "compressors": [], "rnn": rnn}


def dry_run(folder: Path, *options: str) -> tuple[str, float, int]:
    """Plan the experiment in `folder`; returns what was printed, seconds of the processor, and megabytes."""
    line = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", "sweep.yaml", *options]
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(line, cwd=folder, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        printed.seek(0)
        output = printed.read()
    if status:
        raise InputError(f"{' '.join(line)} failed:\n{output[-2000:]}")
    return output, round(usage.ru_utime + usage.ru_stime, 1), round(usage.ru_maxrss / 1024)


def plan(folder: Path, configurations: int) -> dict[str, Any]:
    """Return the figures of one experiment."""
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep(configurations)))
    _, seconds, memory_mb = dry_run(folder, "--quiet")
    output, printed_seconds, _ = dry_run(folder, "--quiet", "rules")
    jobs = re.search(r"^total +([0-9]+)$", output, flags=re.MULTILINE)
    if not jobs:
        raise InputError(f"snakemake --dry-run printed no number of jobs:\n{output[-2000:]}")
    figures = {"seconds": seconds, "printed_seconds": printed_seconds, "memory_mb": memory_mb}
    return {"configurations": configurations, "jobs": int(jobs[1])} | figures


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configurations", type=int, nargs="+", default=[100, 1000, 10000], help="multiples of 8")
    arguments = parser.parse_args()
    print(f"snakemake --dry-run; {machine()}")
    print("| configurations | jobs | seconds | with printing | MB |\n|---|---|---|---|---|")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        for configurations in arguments.configurations:
            rows.append(plan(Path(folder), configurations))
            print(f"| {' | '.join(f'{value:,}' for value in rows[-1].values())} |", flush=True)
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
