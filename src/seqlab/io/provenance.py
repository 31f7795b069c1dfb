"""Provenance of results: checksums, versions, commit with uncommitted changes, and hardware."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

PACKAGES = ("seqlab", "snakemake", "torch", "numpy", "pandas", "matplotlib", "mlflow", "safetensors")
MAX_PATCH_BYTES = 1_000_000  # a larger patch is not recorded
MAX_UNTRACKED_NAMES = 1000  # of files that git does not track
# The patch is the same whatever the user configured, and no program that a repository names is started.
PATCH_OPTIONS = [
    *("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--no-relative", "--binary", "--full-index"),
    *("--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null"),
]


class Changes(NamedTuple):
    """Uncommitted changes of the working folder.

    `patch` takes the tracked files from the commit to their present content with `git apply`; `untracked` are names of
    files and folders that git neither tracks nor ignores, from the root of the repository. `note` is a sentence about
    what was left out, or empty.
    """

    patch: bytes
    untracked: list[str]
    note: str


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


def read_commit_date() -> str:
    """Return the day of the commit of the working folder as YYYY-MM-DD, in UTC; empty outside a repository."""
    try:
        return _git("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d")
    except (OSError, subprocess.CalledProcessError):
        return ""


def read_changes() -> Changes:
    """Return the uncommitted changes of the working folder; none outside a repository.

    A patch of more than MAX_PATCH_BYTES, and names beyond MAX_UNTRACKED_NAMES, are left out.
    """
    try:
        patch = _run_git("diff", *PATCH_OPTIONS, "HEAD")
        listing = _run_git("ls-files", "--others", "--exclude-standard", "--directory", "--full-name", "-z", ":/")
    except (OSError, subprocess.CalledProcessError):
        return Changes(b"", [], "")
    untracked = [os.fsdecode(name).encode(errors="replace").decode() for name in sorted(listing.split(b"\0")) if name]
    notes = []
    if len(patch) > MAX_PATCH_BYTES:
        notes.append(
            f"the patch is left out, because it has {len(patch):,} bytes, more than {MAX_PATCH_BYTES:,} (SHA-256 "
            f"{hashlib.sha256(patch).hexdigest()}); commit the changes to record them"
        )
        patch = b""
    if len(untracked) > MAX_UNTRACKED_NAMES:
        notes.append(f"{len(untracked) - MAX_UNTRACKED_NAMES:,} more untracked names are left out")
    return Changes(patch, untracked[:MAX_UNTRACKED_NAMES], "; ".join(notes))


def _git(*arguments: str) -> str:
    return _run_git(*arguments).decode(errors="replace").strip()


def _run_git(*arguments: str) -> bytes:
    # the configuration of a repository may name a program that watches its files, which git would start
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=true", *arguments]
    environment = os.environ | {"TZ": "UTC", "GIT_OPTIONAL_LOCKS": "0"}
    return subprocess.run(command, check=True, capture_output=True, env=environment).stdout


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


def compose_provenance(changes: Changes) -> dict[str, Any]:
    """Return the content of provenance.json: commit and `changes`, hardware, system and versions."""
    commit, dirty = read_commit()
    machine, versions = collect_provenance(), list_versions()
    return {
        "commit": commit,
        "date": read_commit_date(),
        "dirty": dirty,
        "untracked": changes.untracked,
        "note": changes.note,
        "processor": machine["processor"],
        "system": machine["system"],
        "versions": versions,
    }
