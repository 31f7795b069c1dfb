"""The histories of networks in training, as `seqlab.fleet.live` writes them, read while they grow."""

import json
import os
import socket
from pathlib import Path
from typing import Any

from seqlab.fleet.live import LIVE_HISTORY
from seqlab.io.runs import Run
from seqlab.tracking.runs import read_history


class LiveFile:
    """The growing history of one run. `rows` are those of history.csv so far, `started` the milliseconds since 1970 at
    which the job began; `begins_anew` is true until somebody has seen that another job took the file over, and `closed`
    once nothing more is to be expected of this one.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.path, self.history = Path(run.file(LIVE_HISTORY)), Path(run.file("history.csv"))
        self.rows: list[dict[str, Any]] = []
        self.header: dict[str, Any] = {}
        self.place = 0
        self.begins_anew = self.gone = self.closed = False

    @property
    def started(self) -> int:
        """When its training began, in milliseconds since 1970; 0 before the first line is there."""
        return int(self.header.get("started", 0))

    def read(self) -> bool:
        """Take in the lines that are new; true where there are any, or the file has gone."""
        try:
            with self.path.open("rb") as file:
                lines = self._new_lines(file)
        except FileNotFoundError:  # history.csv has taken its place
            self.gone, self.rows = True, read_history(self.history) or self.rows
            return True
        found = [json.loads(line) for line in lines]
        self.header = next((line for line in found if "started" in line), self.header)
        self.rows += [line for line in found if "started" not in line]
        return bool(found)

    def _new_lines(self, file: Any) -> list[bytes]:
        """The whole lines after those that are known; all of them where another job has begun the file anew."""
        first = file.readline()
        if not first.endswith(b"\n"):
            return []
        if self.header and json.loads(first) != self.header:
            self.rows, self.place, self.begins_anew, self.closed = [], 0, True, False
        file.seek(self.place)
        whole, end, _ = file.read().rpartition(b"\n")
        self.place += len(whole + end)
        return whole.splitlines()

    @property
    def finished(self) -> bool:
        """Whether the training came to its end."""
        return self.history.exists()

    @property
    def ended(self) -> bool:
        """Whether the job has gone, in one way or the other; of another machine only its end is known."""
        if self.gone:
            return True
        process = self.header.get("process")
        return process is not None and self.header["machine"] == socket.gethostname() and not _runs(process)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
