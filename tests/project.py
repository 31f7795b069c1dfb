"""The project in a folder of its own, where Snakemake can be run on it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ["Snakefile", "config", "profiles", "src", "workflow", "environment.yml"]


@dataclass
class Project:
    """A folder with the project in it."""

    folder: Path

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake there and return what it printed, stdout and stderr together."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SEQLAB_MIRROR")}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=clean | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of every rule a dry run would do."""
        printed = self.snakemake("--dry-run", *arguments).stdout
        if "Nothing to be done" in printed:
            return {}
        table = printed[printed.index("Job stats:") :].split("\n\n")[0]
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE))
        return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}

    def copy(self, folder: Path) -> "Project":
        """The same project with all its results and Snakemake's memory of them, elsewhere."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Project(folder)


def without_mlflow(folder: Path) -> str:
    """A PYTHONPATH with which no program can import mlflow, but for the one that publishes."""
    folder.mkdir(exist_ok=True)
    only = "not any(word.endswith('track_runs.py') for word in sys.orig_argv)"
    (folder / "sitecustomize.py").write_text(f"import sys\nif {only}:\n    sys.modules['mlflow'] = None\n")
    return str(folder)


def bare_project(folder: Path) -> Project:
    """The project without results."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, folder / part)
    return Project(folder)
