"""What is here to work with, what is missing, and how to get it."""

import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import chain
from pathlib import Path

from seqlab.io.errors import InputError
from seqlab.io.runs import read_experiments

GOOD, NOTE, BAD = "ok", "note", "missing"  # BAD: without it something that seqlab promises does not work
OLDEST = (3, 11)
LEAST_GB = 2  # of disk for the results of a small experiment


@dataclass(frozen=True)
class Found:
    """One thing that was looked at: how it is, what was seen, and what helps where it is not well."""

    what: str
    state: str
    seen: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Found]:
    """Everything about this machine, its packages and the workflow in `folder`, one after the other, as it is found."""
    yield from chain(_python(), _packages(), _lock(folder), _torch(), _gpu(), _workflow_programs(), _workflow(folder))
    yield from chain(_tracking(folder), _mirror(), _disk(folder), _sharing(folder), _machine())


def _python() -> Iterator[Found]:
    detail = f"{platform.python_version()} at {sys.executable}"
    old = sys.version_info < OLDEST
    wanted = ".".join(map(str, OLDEST))
    yield Found("Python", BAD if old else GOOD, detail, f"install Python {wanted} or newer" if old else "")


def _packages() -> Iterator[Found]:
    """What seqlab says it needs, against what is installed."""
    from packaging.requirements import Requirement

    missing, wrong, right = [], [], 0
    for line in requires("seqlab") or []:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(need.name)
        except PackageNotFoundError:
            missing.append(need.name)
            continue
        if need.specifier.contains(found, prereleases=True):
            right += 1
        else:
            wrong.append(f"{need.name} {found} where {need.specifier} is needed")
    faults = [f"{name} is not installed" for name in missing] + wrong
    detail = "; ".join(faults) or f"{right} packages that seqlab needs, at versions it can use"
    yield Found("packages", BAD if faults else GOOD, detail, "pip install -r requirements.txt" if faults else "")


def _lock(folder: Path) -> Iterator[Found]:
    """The versions that results were made with: other ones work, but may give other last digits."""
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    pairs = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    others = []
    for name, locked in pairs:
        try:
            found = version(name).split("+")[0]
        except PackageNotFoundError:
            found = "none"
        if found != locked:
            others.append(f"{name} {found} instead of {locked}")
    if others:
        detail = f"{len(others)} of {len(pairs)} packages differ from requirements.txt: {', '.join(others[:3])}"
        yield Found(
            "lock", NOTE, detail + (" ..." if len(others) > 3 else ""), "make setup makes .venv with all of them"
        )
    else:
        yield Found("lock", GOOD, f"all {len(pairs)} packages are those of requirements.txt")


def _torch() -> Iterator[Found]:
    try:
        import torch
    except ImportError as error:
        yield Found("torch", BAD, f"can't be imported ({error})", "pip install torch==2.13.0")
        return
    detail = [torch.__version__, f"{torch.get_num_threads()} threads", torch.backends.cpu.get_cpu_capability()]
    detail += ["products in bfloat16"] if torch.ops.mkldnn._is_mkldnn_bf16_supported() else []
    yield Found("torch", GOOD, ", ".join(detail))


def _gpu() -> Iterator[Found]:
    try:
        import torch
    except ImportError:
        return
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
        detail = ", ".join(f"{card.name} ({card.total_memory / 2**30:.0f} GiB)" for card in cards)
        yield Found("GPU", GOOD, f"{detail}; rnn.device: auto uses it")
    elif shutil.which("nvidia-smi"):
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        remedy = "install a torch with CUDA (pip install torch==2.13.0), or a driver that is new enough for it"
        yield Found("GPU", NOTE, f"there is a driver, but torch, {built}, finds no GPU", remedy)
    else:
        yield Found("GPU", GOOD, "none; networks are trained on the processor")


def _workflow_programs() -> Iterator[Found]:
    try:
        snakemake = version("snakemake")
        yield Found("Snakemake", GOOD, snakemake)
    except PackageNotFoundError:
        yield Found("Snakemake", BAD, "not installed", "pip install -r requirements.txt")
    git = shutil.which("git")
    remedy = "" if git else "install git, so that results tell their commit"
    yield Found("git", GOOD if git else NOTE, git or "not found", remedy)
    slurm = shutil.which("sbatch")
    detail = f"{slurm}; --workflow-profile profiles/slurm" if slurm else "none; only clusters have it"
    yield Found("Slurm", GOOD, detail)


def _workflow(folder: Path) -> Iterator[Found]:
    if not any((folder / name).is_file() for name in ("Snakefile", "workflow/Snakefile")):
        remedy = "go to the folder of the repository, or name it with --folder; score and generate work anywhere"
        yield Found("workflow", NOTE, f"{folder.resolve()} has no Snakefile", remedy)
        return
    try:
        experiments = read_experiments(folder / "results")
    except InputError as error:
        yield Found("workflow", BAD, str(error), "remove the file; the next run of its experiment writes it again")
        return
    runs = sum(Path(run.file("metrics.json")).exists() for made in experiments for run in made.runs)
    detail = f"{folder.resolve()}, {runs} finished runs of {len(experiments)} experiments"
    yield Found("workflow", GOOD, detail)


def _tracking(folder: Path) -> Iterator[Found]:
    try:
        from seqlab.tracking.connection import address, check_store

        results = folder / "results"
        if not os.environ.get("MLFLOW_TRACKING_URI") and not (results / "mlflow.db").exists():
            yield Found("MLflow", GOOD, f"{version('mlflow')}; no database yet, the first run makes results/mlflow.db")
            return
        yield Found("MLflow", GOOD, check_store(address(results)))
    except (ImportError, PackageNotFoundError) as error:
        yield Found("MLflow", BAD, f"can't be imported ({error})", "pip install -r requirements.txt")
    except InputError as error:
        yield Found("MLflow", BAD, str(error), "seqlab check-tracking --uri ADDRESS tries another one")


def _mirror() -> Iterator[Found]:
    named = os.environ.get("SEQLAB_MIRROR")
    if not named:
        return
    if not Path(named).is_dir():
        yield Found("texts", BAD, f"SEQLAB_MIRROR names {named}, which is not a folder", "correct or unset it")
        return
    texts = sorted(path.name for path in Path(named).glob("*.txt"))
    yield Found("texts", GOOD, f"SEQLAB_MIRROR has {', '.join(texts[:4])}{' ...' if len(texts) > 4 else ''}")


def _disk(folder: Path) -> Iterator[Found]:
    free = shutil.disk_usage(folder).free / 1e9
    if not os.access(folder, os.W_OK):
        yield Found("disk", BAD, f"{folder.resolve()} can't be written to", "work in a folder of your own")
        return
    remedy = "make space, or work on another disk" if free < LEAST_GB else ""
    yield Found("disk", NOTE if remedy else GOOD, f"{free:.0f} GB free", remedy)


def _sharing(folder: Path) -> Iterator[Found]:
    """Return whether other accounts can put files among the results, or change what the dashboard shows."""
    results = folder / "results"
    paths = [path for path in (results, results / "mlflow.db", results / "mlflow-artifacts") if path.exists()]
    others = [path for path in paths if _writable_by_others(path.stat())]
    if others:
        detail = f"other accounts can write to {', '.join(map(str, others))}: to change runs, models and what they run"
        yield Found("sharing", NOTE, detail, f"chmod -R go-w {results}, unless you share it with people you trust")
    elif paths:
        yield Found("sharing", GOOD, f"no other account can write to {results}")


def _writable_by_others(status: os.stat_result) -> bool:
    """By anyone, by a group of more than its owner, or by an owner who is another account."""
    if os.name != "posix":  # pragma: no cover - Windows
        return False
    import grp
    import pwd

    if status.st_uid != os.getuid() or status.st_mode & stat.S_IWOTH:
        return True
    if not status.st_mode & stat.S_IWGRP:
        return False
    try:
        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except KeyError:
        return True
    return group.gr_name != owner.pw_name or bool(set(group.gr_mem) - {owner.pw_name})


def _machine() -> Iterator[Found]:
    from seqlab.io.provenance import processor

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Found("processor", GOOD, f"{processor()}, {cores} cores to use: snakemake --cores {cores}")
