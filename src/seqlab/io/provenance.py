"""Where a result comes from: checksums, versions, commit and hardware."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("seqlab", "snakemake", "torch", "numpy", "pandas", "matplotlib", "mlflow", "safetensors")


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(paths: Iterable[str | Path]) -> str:
    """One SHA-256 for the content of several files, whatever their order."""
    return hashlib.sha256(" ".join(sorted(sha256_of(path) for path in paths)).encode()).hexdigest()


def commit() -> tuple[str, bool]:
    """The git commit of the working folder and whether tracked files differ from it; ("unknown", False) outside a
    repository.
    """
    try:
        head = _git("rev-parse", "HEAD")
        return head, bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", False


def _git(*arguments: str) -> str:
    # a folder of somebody else may name a program to watch its files, which git would start
    done = subprocess.run(["git", "-c", "core.fsmonitor=false", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def processor() -> str:
    """The name of the processor as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The installed version of every package that can change a number."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def provenance() -> dict[str, str]:
    """Commit, hardware and versions, each as a line for people."""
    head, dirty = commit()
    return {
        "commit": head + (" with uncommitted changes" if dirty else ""),
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
    } | versions()
