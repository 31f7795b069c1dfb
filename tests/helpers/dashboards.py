"""A dashboard that runs, as a program of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gate import PATIENCE

from seqlab.dashboard.guard import Key
from seqlab.dashboard.session import SESSION_FILE
from seqlab.io.files import read_json

PROGRAM = [sys.executable, "-c", "from seqlab.cli.main import main; main()", "dashboard"]


@dataclass
class Dashboard:
    """A dashboard that runs: what it printed, and what opens it."""

    results: Path
    process: "subprocess.Popen[str]"
    printed: str
    port: int
    key: Key

    @property
    def link(self) -> str:
        """The link with the token."""
        return re.findall(r"http\S+token=\S+", self.printed)[0]

    @property
    def address(self) -> str:
        """What the links of the views begin with."""
        return f"http://127.0.0.1:{self.port}{self.key.base}"

    @property
    def links(self) -> dict[str, str]:
        """The links of the views, by title."""
        found = re.findall(r"^  (\S.{17}) .*\n +(http\S+)$", self.printed, flags=re.MULTILINE)
        return {title.rstrip(): link for title, link in found}


@contextmanager
def running(results: Path, *arguments: str) -> Iterator[Dashboard]:
    """A dashboard of `results` while the block lasts; it is stopped as `make dashboard-stop` does."""
    program = [*PROGRAM, "--results", str(results)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [*program, "--port", "0", *arguments], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        printed = ""
        for line in process.stdout or ():
            printed += line
            if line.startswith("Ctrl-C"):
                break
        assert "token=" in printed, printed
        note = read_json(results / SESSION_FILE)
        yield Dashboard(results, process, printed, note["port"], Key(note["token"], note["base"]))
        subprocess.run([*program, "--stop"], env=environment, check=True)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
