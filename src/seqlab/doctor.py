"""Checks of the installation: state and remedy for Python, packages, programs and files."""

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

GOOD, NOTE, BAD = "ok", "note", "missing"  # BAD: a requirement of seqlab is not met
OLDEST_PYTHON = (3, 11)
MIN_FREE_GB = 2  # disk space for the results of a small experiment


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check: its subject, state, details and remedy."""

    what: str
    state: str
    seen: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Diagnosis]:
    """Yield the diagnoses of this machine, its packages and the workflow in `folder`."""
    yield from chain(_python(), _packages(), _lock(folder), _torch(), _gpu(), _calibration(), _workflow_programs())
    yield from chain(_workflow(folder), _tracking(folder), _mirror(), _disk(folder), _sharing(folder), _machine())


def _python() -> Iterator[Diagnosis]:
    detail = f"{platform.python_version()} at {sys.executable}"
    old = sys.version_info < OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    yield Diagnosis("Python", BAD if old else GOOD, detail, f"install Python {oldest} or newer" if old else "")


def _packages() -> Iterator[Diagnosis]:
    """Compare the requirements of seqlab with the installed packages."""
    from packaging.requirements import Requirement

    missing, wrong, right = [], [], 0
    for line in requires("seqlab") or []:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(need.name)
        except PackageNotFoundError:
            missing.append(need.name)
            continue
        if need.specifier.contains(installed, prereleases=True):
            right += 1
        else:
            wrong.append(f"{need.name} {installed} where {need.specifier} is required")
    faults = [f"{name} is not installed" for name in missing] + wrong
    detail = "; ".join(faults) or f"{right} required packages in suitable versions"
    yield Diagnosis("packages", BAD if faults else GOOD, detail, "pip install -r requirements.txt" if faults else "")


def _lock(folder: Path) -> Iterator[Diagnosis]:
    """Compare the installed versions with requirements.txt; other versions may change the last digits of results."""
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    pairs = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    others = []
    for name, locked in pairs:
        try:
            installed = version(name).split("+")[0]
        except PackageNotFoundError:
            installed = "none"
        if installed != locked:
            others.append(f"{name} {installed} instead of {locked}")
    if others:
        detail = f"{len(others)} of {len(pairs)} packages differ from requirements.txt: {', '.join(others[:3])}"
        yield Diagnosis("lock", NOTE, detail + (" ..." if len(others) > 3 else ""), "install them with make setup")
    else:
        yield Diagnosis("lock", GOOD, f"all {len(pairs)} packages have the versions of requirements.txt")


def _torch() -> Iterator[Diagnosis]:
    try:
        import torch
    except ImportError as error:
        yield Diagnosis("torch", BAD, f"can't be imported ({error})", "pip install torch==2.13.0")
        return
    detail = [torch.__version__, f"{torch.get_num_threads()} threads", torch.backends.cpu.get_cpu_capability()]
    detail += ["products in bfloat16"] if torch.ops.mkldnn._is_mkldnn_bf16_supported() else []
    yield Diagnosis("torch", GOOD, ", ".join(detail))


def _gpu() -> Iterator[Diagnosis]:
    try:
        import torch
    except ImportError:
        return
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
        detail = ", ".join(f"{card.name} ({card.total_memory / 2**30:.0f} GiB)" for card in cards)
        yield Diagnosis("GPU", GOOD, f"{detail}; rnn.device: auto uses it")
    elif shutil.which("nvidia-smi"):
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        remedy = "install torch with CUDA (pip install torch==2.13.0), or a newer driver"
        yield Diagnosis("GPU", NOTE, f"a driver is installed, but torch, {built}, finds no GPU", remedy)
    else:
        yield Diagnosis("GPU", GOOD, "none; networks train on the processor")


def _calibration() -> Iterator[Diagnosis]:
    """Give the measured choices between implementations, those for one thread, which jobs of networks have."""
    try:
        import torch

        from seqlab.machine.calibration import is_bfloat16_fast, open_calibration
    except ImportError:
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        is_fast, calibration = is_bfloat16_fast(), open_calibration(lambda line: None)
    finally:
        torch.set_num_threads(threads)
    layers = [f"{name}: {choice['choice']}" for name, choice in calibration.choices.items() if "layer" in name]
    detail = [
        "rnn.training.precision: bfloat16 is " + ("faster than float32" if is_fast else "slow, and float32 is used"),
        *(layers[:3] or ["no layer measured yet"]),
        *([f"and {len(layers) - 3} more"] if len(layers) > 3 else []),
    ]
    remedy = f"remove {calibration.path} to measure again" if layers else ""
    yield Diagnosis("speed", GOOD, "; ".join(detail), remedy)


def _workflow_programs() -> Iterator[Diagnosis]:
    try:
        snakemake = version("snakemake")
        yield Diagnosis("Snakemake", GOOD, snakemake)
    except PackageNotFoundError:
        yield Diagnosis("Snakemake", BAD, "not installed", "pip install -r requirements.txt")
    git = shutil.which("git")
    remedy = "" if git else "install git, so that results record their commit"
    yield Diagnosis("git", GOOD if git else NOTE, git or "not found", remedy)
    slurm = shutil.which("sbatch")
    detail = f"{slurm}; --workflow-profile profiles/slurm" if slurm else "none; needed on clusters only"
    yield Diagnosis("Slurm", GOOD, detail)


def _workflow(folder: Path) -> Iterator[Diagnosis]:
    if not any((folder / name).is_file() for name in ("Snakefile", "workflow/Snakefile")):
        remedy = "change to the folder of the repository, or name it with --folder; score and generate work anywhere"
        yield Diagnosis("workflow", NOTE, f"{folder.resolve()} has no Snakefile", remedy)
        return
    try:
        experiments = read_experiments(folder / "results")
    except InputError as error:
        yield Diagnosis("workflow", BAD, str(error), "remove the file; the next run of its experiment writes it again")
        return
    runs = sum(Path(run.file("metrics.json")).exists() for experiment in experiments for run in experiment.runs)
    detail = f"{folder.resolve()}, {runs} finished runs of {len(experiments)} experiments"
    yield Diagnosis("workflow", GOOD, detail)


def _tracking(folder: Path) -> Iterator[Diagnosis]:
    try:
        from seqlab.tracking.connection import check_store, resolve_address

        results = folder / "results"
        if not os.environ.get("MLFLOW_TRACKING_URI") and not (results / "mlflow.db").exists():
            yield Diagnosis(
                "MLflow", GOOD, f"{version('mlflow')}; no database yet, the first run creates results/mlflow.db"
            )
            return
        yield Diagnosis("MLflow", GOOD, check_store(resolve_address(results)))
    except (ImportError, PackageNotFoundError) as error:
        yield Diagnosis("MLflow", BAD, f"can't be imported ({error})", "pip install -r requirements.txt")
    except InputError as error:
        yield Diagnosis("MLflow", BAD, str(error), "test another address with seqlab check-tracking --uri ADDRESS")


def _mirror() -> Iterator[Diagnosis]:
    named = os.environ.get("SEQLAB_MIRROR")
    if not named:
        return
    if not Path(named).is_dir():
        yield Diagnosis("texts", BAD, f"SEQLAB_MIRROR names {named}, which is not a folder", "correct or unset it")
        return
    texts = sorted(path.name for path in Path(named).glob("*.txt"))
    yield Diagnosis("texts", GOOD, f"SEQLAB_MIRROR has {', '.join(texts[:4])}{' ...' if len(texts) > 4 else ''}")


def _disk(folder: Path) -> Iterator[Diagnosis]:
    free = shutil.disk_usage(folder).free / 1e9
    if not os.access(folder, os.W_OK):
        yield Diagnosis("disk", BAD, f"{folder.resolve()} is not writable", "use a folder of your own")
        return
    remedy = "free disk space, or use another disk" if free < MIN_FREE_GB else ""
    yield Diagnosis("disk", NOTE if remedy else GOOD, f"{free:.0f} GB free", remedy)


def _sharing(folder: Path) -> Iterator[Diagnosis]:
    """Check that other accounts can't write to the results and the database of the dashboard."""
    results = folder / "results"
    paths = [path for path in (results, results / "mlflow.db", results / "mlflow-artifacts") if path.exists()]
    others = [path for path in paths if _writable_by_others(path.stat())]
    if others:
        detail = f"other accounts can write to {', '.join(map(str, others))} and change runs, models and their code"
        yield Diagnosis("sharing", NOTE, detail, f"chmod -R go-w {results}, unless it is shared with trusted users")
    elif paths:
        yield Diagnosis("sharing", GOOD, f"no other account can write to {results}")


def _writable_by_others(status: os.stat_result) -> bool:
    """Return whether all accounts, another owner or a group with other members can write to a file."""
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


def _machine() -> Iterator[Diagnosis]:
    from seqlab.io.provenance import read_processor

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Diagnosis("processor", GOOD, f"{read_processor()}, {cores} cores, for snakemake --cores {cores}")
