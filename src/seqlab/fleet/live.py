"""Live history of a running training: a JSON line for each epoch and seed.

It is no output of a rule and is removed at the end, when history.csv replaces it; no result depends on it.
"""

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqlab.fleet.fleet import Fleet

LIVE_HISTORY = "history.live.jsonl"


class LiveHistory:
    """The file {folder}/history.live.jsonl of a fleet, without new epochs where the disk is full."""

    def __init__(self, folder: Path, fleet: "Fleet") -> None:
        self.path, self.fleet, self.written = folder / LIVE_HISTORY, fleet, 0
        header = {"started": time.time_ns() // 1_000_000, "process": os.getpid(), "machine": socket.gethostname()}
        self._write("w", [header])

    def reporting(self, report: Callable[[str], None]) -> Callable[[str], None]:
        """Return a function that calls `report`, as a training does after every epoch, and then updates this file."""

        def report_and_update(line: str) -> None:
            report(line)
            self.update()

        return report_and_update

    def update(self) -> None:
        """Append the epochs that are not in the file yet, including those of an interrupted training."""
        now = time.time_ns() // 1_000_000
        rows = [row | {"written": now} for row in self.fleet.rows(self.written)]
        self._write("a", rows)
        self.written = len(self.fleet.history)

    def remove(self) -> None:
        """Remove the file: history.csv replaces it."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write(self, mode: str, lines: list[dict[str, Any]]) -> None:
        with suppress(OSError), self.path.open(mode, encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))
