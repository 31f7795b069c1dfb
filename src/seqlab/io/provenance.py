"""Provenance of results: checksums, versions, commit and hardware."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("seqlab", "snakemake", "torch", "numpy", "pandas", "matplotlib", "mlflow", "safetensors")


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_files(paths: Iterable[str | Path]) -> str:
    """Return one SHA-256 for the content of several files, independent of their order."""
    return hashlib.sha256(" ".join(sorted(sha256_of(path) for path in paths)).encode()).hexdigest()


def read_commit() -> tuple[str, bool]:
    """Return the git commit of the working folder and whether tracked files differ from it; ("unknown", False) outside
    a repository.
    """
    try:
        head = _git("rev-parse", "HEAD")
        return head, bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", False


def _git(*arguments: str) -> str:
    # the configuration of a repository may name a program that watches its files, which git would start
    process = subprocess.run(
        ["git", "-c", "core.fsmonitor=false", *arguments], check=True, capture_output=True, text=True
    )
    return process.stdout.strip()


def read_processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def list_versions() -> dict[str, str]:
    """Return the installed version of every package that can change a number."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def collect_provenance() -> dict[str, str]:
    """Return commit, hardware and versions, each as a line of text."""
    head, dirty = read_commit()
    return {
        "commit": head + (" with uncommitted changes" if dirty else ""),
        "processor": f"{read_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
    } | list_versions()
