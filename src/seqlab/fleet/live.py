"""The history of a training while it grows, for whoever watches: a line for each epoch and seed, written at once.

Undeclared and removed at the end, when history.csv takes its place; nothing that decides a result reads it.
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
    """Appends what is new in the history of a fleet to {folder}/history.live.jsonl. A disk that is full does not end
    a training.
    """

    def __init__(self, folder: Path, fleet: "Fleet") -> None:
        self.path, self.fleet, self.written = folder / LIVE_HISTORY, fleet, 0
        header = {"started": time.time_ns() // 1_000_000, "process": os.getpid(), "machine": socket.gethostname()}
        self._write("w", [header])

    def beside(self, report: Callable[[str], None]) -> Callable[[str], None]:
        """`report`, which a training calls after every epoch, and this file is brought up to date with it."""

        def both(line: str) -> None:
            report(line)
            self.update()

        return both

    def update(self) -> None:
        """Write the epochs that were not written yet; they include those of an interrupted training that goes on."""
        now = time.time_ns() // 1_000_000
        rows = [row | {"written": now} for row in self.fleet.history[self.written :]]
        self._write("a", rows)
        self.written = len(self.fleet.history)

    def remove(self) -> None:
        """The training has ended, and history.csv is there."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write(self, mode: str, lines: list[dict[str, Any]]) -> None:
        with suppress(OSError), self.path.open(mode, encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))
