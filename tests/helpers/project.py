"""The project in a folder of its own, where Snakemake can be run on it."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from seqlab.io.arrays import read_arrays
from seqlab.io.files import read_json

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "config", "profiles", "src", "workflow", "environment.yml"]
DATABASE = "results/mlflow.db"
HEEDED = "Will exit after finishing currently running jobs"  # what Snakemake says when it is told to end
TIMES = ("seconds", "train_seconds")  # what differs from run to run, beside logs and benchmarks


@dataclass
class Project:
    """A folder with the project in it."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """Snakemake's command line."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        """That of this process without what would lead out of the folder, and `more`."""
        return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SEQLAB_MIRROR")} | more

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake there and return what it printed, stdout and stderr together."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start snakemake there, as the leader of a group of processes; what it prints goes to printed.log."""
        with (self.folder / "printed.log").open("ab") as printed:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(**environment),
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def printed(self) -> str:
        """What the programs begun with `start` have printed."""
        return (self.folder / "printed.log").read_text()

    def jobs(self) -> dict[int, str]:
        """The jobs that run there: number of the process, and name of the rule's program."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if (process / "cwd").readlink() == self.folder.resolve() and words[1].startswith("workflow/scripts/"):
                    found[int(process.name)] = Path(words[1]).stem
            except (OSError, IndexError):  # it has ended, or is no job
                continue
        return found

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of every rule a dry run would do."""
        return jobs_planned(self.snakemake("--dry-run", *arguments).stdout)

    def copy(self, folder: Path) -> "Project":
        """The same project with all its results and Snakemake's memory of them, elsewhere; MLflow's database, which
        holds absolute paths, names those of the copy.
        """
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if (folder / DATABASE).exists():
            replace_text(folder / DATABASE, str(self.folder), str(folder))
        return Project(folder)

    def bits(self) -> dict[str, Any]:
        """The content of every result that is computed, but for times: what must be the same after any fault."""
        results = self.folder / "results"
        paths = [path for path in sorted(results.rglob("*")) if path.suffix in READERS and path.name[0] != "."]
        paths = [path for path in paths if "mlflow-artifacts" not in path.parts and path.name != "tracking.json"]
        return {path.relative_to(results).as_posix(): READERS[path.suffix](path) for path in paths}


def replace_text(database: Path, old: str, new: str) -> None:
    """Write `new` in place of `old` wherever a table of an SQLite database holds it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for _, column, *_ in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?)',
                    (old, new, old),
                )


def _json(path: Path) -> dict[str, Any]:
    return {key: value for key, value in read_json(path).items() if key not in TIMES}


def _arrays(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {name: (str(array.dtype), array.shape, array.tobytes()) for name, array in read_arrays(path).items()}


def _weights(path: Path) -> dict[str, bytes]:
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118, it is no dictionary


READERS = {
    ".json": _json,
    ".npz": _arrays,
    ".npy": Path.read_bytes,
    ".safetensors": _weights,
    ".txt": Path.read_bytes,
    ".yaml": Path.read_bytes,
}


def jobs_planned(printed: str) -> dict[str, int]:
    """How many jobs of every rule a dry run that has `printed` this would do."""
    if "Nothing to be done" in printed:
        return {}
    table = printed[printed.index("Job stats:") :].split("\n\n")[0]
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE))
    return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}


def without_mlflow(folder: Path) -> str:
    """A PYTHONPATH with which no program can import mlflow, but for the one that publishes."""
    folder.mkdir(exist_ok=True)
    only = "not any(word.endswith('track_runs.py') for word in sys.orig_argv)"
    (folder / "sitecustomize.py").write_text(f"import sys\nif {only}:\n    sys.modules['mlflow'] = None\n")
    return str(folder)


def bare_project(folder: Path) -> Project:
    """The project without results."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, folder / part)
    return Project(folder)
