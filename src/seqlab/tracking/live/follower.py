"""Mirror learning curves while networks train: a program beside Snakemake that reads what training jobs write.

It starts with Snakemake and ends with it, and has no share in the work: a server that is absent costs it its curves for
as long, and training nothing. `track_runs` completes the runs that are begun here.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from seqlab.fleet.live import LIVE_HISTORY
from seqlab.io.errors import InputError, command
from seqlab.io.runs import Experiment, Run, read_experiment
from seqlab.tracking.connection import address, connect, experiment_id, sole_writer
from seqlab.tracking.faults import is_outside, sentence
from seqlab.tracking.language_models import begun
from seqlab.tracking.live.histories import LiveFile
from seqlab.tracking.publish import publisher_tags
from seqlab.tracking.reconcile import create, discard, unwritten, write_points
from seqlab.tracking.runs import PlannedRun, Point, curves, rounded_points

TURN_SECONDS = 0.25  # seconds between two looks
RETRY_SECONDS = 10.0  # seconds before a store that failed is tried again
# One call may last so long; what it did not bring, the next turn brings.
FOLLOWER_ENVIRONMENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


class Follower:
    """Mirrors the trainings of the experiment that the file `listed` (its runs.json) lists, and which lies in
    `results`, to `uri`; `turn` looks once, `close` ends what is still open.
    """

    def __init__(self, listed: Path, results: Path, uri: str) -> None:
        self.listed, self.results, self.uri = listed, results, uri
        self.experiment: Experiment | None = None
        self.read_at = 0  # the time of the runs.json that `experiment` was read from
        self.places: list[tuple[Run, Path]] = []  # every network, and where its history grows
        self.client: Any = None
        self.files: dict[Run, LiveFile] = {}
        self.runs: dict[Run, dict[str, tuple[Any, set[Point]]]] = {}  # by seed: the run, and what it holds
        self.told = ""

    def turn(self) -> bool:
        """Mirror what has been written since the last turn; false where the store failed."""
        self._read_experiment()
        for run, path in self.places:
            if run not in self.files and path.exists():
                self.files[run] = LiveFile(run)
        waiting = [file for file in list(self.files.values()) if file.read() or not self._is_settled(file)]
        if not waiting:
            return True
        with sole_writer(self.results, wait=False) as alone:
            return not alone or all(self._safely(file) for file in waiting)

    def _read_experiment(self) -> None:
        """Read the list of runs where it is new; Snakemake writes it after this program has started."""
        try:
            changed = self.listed.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self.read_at:
            self.experiment, self.read_at = read_experiment(self.listed), changed
            networks = self.experiment.select(families=["rnn"])
            self.places = [(run, Path(run.file(LIVE_HISTORY))) for run in networks]

    def close(self) -> None:
        """Snakemake has ended: what still trains for the files has failed."""
        self.turn()
        with sole_writer(self.results, wait=False) as alone:
            for file in list(self.files.values()) if alone else ():
                if not file.closed and not self._safely(file, over=True):
                    return  # the store is gone: `track_runs` will see to the rest

    def _is_settled(self, file: LiveFile) -> bool:
        return file.closed or (file.run in self.runs and not file.ended)

    def _safely(self, file: LiveFile, over: bool = False) -> bool:
        """Mirror one training; false where the store failed, which is told once. What is known of its runs is then
        forgotten, and looked up when the store is tried again.
        """
        try:
            self._mirror(file)
            if file.ended or over:
                self._end(file)
            self.told = ""
            return True
        except (InputError, FileNotFoundError) as error:  # the results are being removed or made anew
            file.closed = True
            print(f"{file.path} is left alone: {error}", file=sys.stderr, flush=True)
            return True
        except Exception as error:
            if not is_outside(error):
                raise
            text = sentence(self.uri, error)
        self.runs.pop(file.run, None)
        if text != self.told:
            print(f"not mirrored yet, and tried again: {text}", file=sys.stderr, flush=True)
        self.told = text
        return False

    def _mirror(self, file: LiveFile) -> None:
        if self.client is None:
            self.client = connect(self.uri)
        if file.begins_anew:
            self.runs.pop(file.run, None)
            file.begins_anew = False
        if file.run not in self.runs:
            self.runs[file.run] = dict(self._attach(file))
        for seed, (info, held) in self.runs[file.run].items():
            new = [point for point in rounded_points(curves(file.rows, int(seed))) if point not in held]
            if new:
                write_points(self.client, info.run_id, info.start_time, new)
                held.update(new)

    def _attach(self, file: LiveFile) -> Iterator[tuple[str, tuple[Any, set[Point]]]]:
        """For each seed the run in training: made, or found where an earlier program left it."""
        assert self.experiment is not None  # it listed the run
        runs = begun(self.experiment, file.run, file.started)
        mlflow_experiment = experiment_id(self.client, runs[0].mlflow_experiment, self.results, self.uri)
        for run in runs:
            points = rounded_points(curves(file.rows, int(run.tags["seed"])))
            info, left = self._find(mlflow_experiment, run, points)
            if info is None and not file.ended:  # of a job that has gone already nothing is begun
                info = create(self.client, mlflow_experiment, run, publisher_tags())
            if info is not None:
                yield run.tags["seed"], (info, set(points) - set(left))

    def _find(self, mlflow_experiment: str, run: PlannedRun, points: list[Point]) -> tuple[Any, list[Point]]:
        """The run that an earlier program began for the same training, if there is one, and the points it lacks."""
        found = self.client.search_runs([mlflow_experiment], f"tags.run_key = '{run.key}'", max_results=100)
        for old in found:
            if "content" not in old.data.tags:
                left = unwritten(self.client, old.info.run_id, points)
                if left is not None:
                    self.client.update_run(old.info.run_id, status="RUNNING")
                    return old.info, left
                discard(self.client, old)  # of another code or text: its curve is not this one
        return None, points

    def _end(self, file: LiveFile) -> None:
        """Say what became of a training: finished, unless its job has gone and left no history.csv."""
        status = "FINISHED" if file.finished else "FAILED"
        for seed, (info, _) in self.runs.pop(file.run, {}).items():
            after = max((point.after for point in curves(file.rows, int(seed))), default=0)
            self.client.set_terminated(info.run_id, status, info.start_time + after)
        file.closed = True
        if file.gone:
            self.files.pop(file.run)


@command
def main() -> None:
    """Follow until the parent process has gone, or until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, metavar="runs.json", help="the runs to watch")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--uri", default="", help="an MLflow server or database; empty: mlflow.db among the results")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with, which started this one")
    arguments = parser.parse_args()
    os.environ.update(FOLLOWER_ENVIRONMENT)
    os.nice(10)  # training comes first
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, note)
    follower = Follower(arguments.experiment, arguments.results, address(arguments.results, arguments.uri))
    while os.getppid() == arguments.parent and not asked:
        well = follower.turn()
        waited = time.monotonic() + (TURN_SECONDS if well else RETRY_SECONDS)
        while time.monotonic() < waited and os.getppid() == arguments.parent and not asked:
            time.sleep(TURN_SECONDS)
    follower.close()


if __name__ == "__main__":
    main()
