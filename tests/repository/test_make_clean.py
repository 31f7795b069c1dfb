"""`make clean` removes what it says, and nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
from project import ROOT

KEPT = [
    ".venv/bin/python",
    ".git/HEAD",
    "README.md",
    "my_text.txt",
    "results/README.md",
    "resources/README.md",
    "resources-of-mine/a.txt",
    "config/config.yaml",
    "docs/build/index.md",
    "src/seqlab/site/page.py",
    "src/seqlab.egg-info/PKG-INFO",
]
REMOVED = [
    "results/.tracking.lock",
    "results/mlflow.db",
    "results/toy/README.md",
    "results/toy/char/summary.csv",
    "resources/toy/raw.txt",
    ".snakemake/metadata/a",
    ".pytest_cache/a",
    ".mypy_cache/a",
    ".ruff_cache/a",
    ".hypothesis/a",
    "build/lib/a.py",
    "dist/seqlab.whl",
    "site/index.html",
    "src/seqlab/__pycache__/a.pyc",
    "tests/unit/__pycache__/a.pyc",
    "workflow/scripts/__pycache__/a.pyc",
    "notebooks/.ipynb_checkpoints/a.ipynb",
]


def cleaned(folder: Path) -> set[str]:
    """The files that are left of all those above."""
    shutil.copy(ROOT / "Makefile", folder)
    for name in [*KEPT, *REMOVED, "tools/lock.py", "benchmarks/sweep.py"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    subprocess.run(["make", "clean"], cwd=folder, check=True, capture_output=True)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_it_names_goes_and_all_else_stays(tmp_path: Path) -> None:
    assert cleaned(tmp_path) == {*KEPT, "Makefile", "tools/lock.py", "benchmarks/sweep.py"}


def test_results_that_lie_on_another_disk_go_and_the_link_to_them_stays(tmp_path: Path) -> None:
    disk, folder = tmp_path / "disk", tmp_path / "project"
    disk.mkdir()
    folder.mkdir()
    (folder / "results").symlink_to(disk)
    cleaned(folder)
    assert (folder / "results").is_symlink() and [path.name for path in disk.iterdir()] == ["README.md"]


@pytest.mark.parametrize("target", ["clean", "audit"])
def test_help_lists_it(target: str) -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert f"  make {target} " in done.stdout
