"""Snakemake on the login node of a cluster."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from gate import PATIENCE, until
from project import HEEDED, Project
from slurm import PARTITION, Slurm

SNAKEMAKE = Path(__file__).with_name("impatient_snakemake.py")
PROFILE = ("--workflow-profile", "profiles/slurm")
HERE = (
    *("--default-resources", f"slurm_partition={PARTITION}"),
    *("--slurm-init-seconds-before-status-checks", "1"),
    *("--latency-wait", "5"),
)


@dataclass
class LoginNode:
    """Where Snakemake is started, in the folder of a project."""

    slurm: Slurm
    project: Project
    output: Path = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    started: ClassVar[list[subprocess.Popen[bytes]]] = []

    @classmethod
    def end_all(cls) -> None:
        """End every Snakemake that a test has left behind."""
        for process in cls.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def start(self, *arguments: str, profile: tuple[str, ...] = PROFILE, **environment: str) -> None:
        """Start Snakemake and do not wait for it."""
        self.output = self.project.folder / f"printed-{time.monotonic_ns()}.txt"
        clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SEQLAB_MIRROR")}
        command = [sys.executable, str(SNAKEMAKE), *profile, *HERE, *arguments]
        with self.output.open("wb") as printed:
            self.process = subprocess.Popen(
                command,
                cwd=self.project.folder,
                env=clean | self.slurm.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(self.process)

    def runs(self) -> bool:
        return self.process.poll() is None

    def printed(self) -> str:
        return self.output.read_text()

    def terminate(self) -> None:
        """Send SIGTERM to Snakemake and wait until it heeds it; jobs that were ended before have said the same."""
        said = self.printed().count(HEEDED)
        self.process.send_signal(signal.SIGTERM)
        self.until("Snakemake heeds the signal", lambda: self.printed().count(HEEDED) > said)

    def finish(self) -> int:
        """Wait until Snakemake ends; returns its exit code."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGINT)
            raise AssertionError(f"Snakemake does not end:\n{self.printed()}") from None

    def until(self, what: str, happened: Callable[[], object]) -> None:
        """Wait until something is so, while Snakemake runs."""
        until(what, happened, self.runs, self.printed)

    def jobs(self, form: str, *states: str) -> list[str]:
        """The jobs of the cluster in some states, or all that it remembers, as `squeue` prints them in a form."""
        option = "-o" if "%" in form else "-O"
        return self.slurm.ask("squeue", "-h", option, form, "-t", ",".join(states) or "all").splitlines()
