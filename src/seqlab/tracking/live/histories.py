"""Growing histories of networks in training, written by `seqlab.fleet.live`."""

import json
import os
import socket
from pathlib import Path
from typing import Any

from seqlab.fleet.live import LIVE_HISTORY
from seqlab.io.runs import Run
from seqlab.tracking.runs import read_history


class LiveFile:
    """The growing history of one run. `rows` are those of history.csv so far. `begins_anew` is set where another job
    has restarted the file and reset by the follower; `closed` is true after the end of the runs.
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
        """The start of the training in milliseconds since 1970; 0 before the first line is written."""
        return int(self.header.get("started", 0))

    def read(self) -> bool:
        """Read new lines; return whether there are any, or the file has been removed."""
        try:
            with self.path.open("rb") as file:
                lines = self._new_lines(file)
        except FileNotFoundError:  # replaced by history.csv
            self.gone, self.rows = True, read_history(self.history) or self.rows
            return True
        records = [json.loads(line) for line in lines]
        self.header = next((record for record in records if "started" in record), self.header)
        self.rows += [record for record in records if "started" not in record]
        return bool(records)

    def _new_lines(self, file: Any) -> list[bytes]:
        """Return the complete lines since the last call; all of them where another job has restarted the file."""
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
        """True after the end of the training."""
        return self.history.exists()

    @property
    def ended(self) -> bool:
        """True where the job has ended or died; for jobs on other machines only the end is visible."""
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
