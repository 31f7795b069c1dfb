"""Program that mirrors learning curves to MLflow while networks train.

It starts and ends with Snakemake and does not affect training: without a server only the live curves are missing.
`track_runs` completes the runs that are begun here.
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
from seqlab.tracking.connection import connect, ensure_experiment, resolve_address, sole_writer
from seqlab.tracking.faults import describe_fault, is_external
from seqlab.tracking.language_models import plan_begun_runs
from seqlab.tracking.live.histories import LiveFile
from seqlab.tracking.publish import publisher_tags
from seqlab.tracking.reconcile import create_run, discard_run, find_unwritten_points, write_points
from seqlab.tracking.runs import PlannedRun, Point, extract_curves, round_points

TURN_SECONDS = 0.25  # seconds between two turns
RETRY_SECONDS = 10.0  # seconds before a retry after a failure
# Limits of one call; the next turn continues.
FOLLOWER_ENVIRONMENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


class Follower:
    """Mirrors the trainings of the experiment in the runs.json `listed` to `uri`; `turn` mirrors new epochs, `close`
    ends open runs. `results` is the folder of all experiments.
    """

    def __init__(self, listed: Path, results: Path, uri: str) -> None:
        self.listed, self.results, self.uri = listed, results, uri
        self.experiment: Experiment | None = None
        self.read_at = 0  # modification time of the runs.json that was read
        self.places: list[tuple[Run, Path]] = []  # every network, and its live history
        self.client: Any = None
        self.files: dict[Run, LiveFile] = {}
        self.runs: dict[Run, dict[str, tuple[Any, set[Point]]]] = {}  # by seed: the run and its written points
        self.reported = ""

    def turn(self) -> bool:
        """Mirror the epochs since the last turn; return False where the store failed."""
        self._read_experiment()
        for run, path in self.places:
            if run not in self.files and path.exists():
                self.files[run] = LiveFile(run)
        waiting = [file for file in list(self.files.values()) if file.read() or not self._is_settled(file)]
        if not waiting:
            return True
        with sole_writer(self.results, wait=False) as locked:
            return not locked or all(self._safely(file) for file in waiting)

    def _read_experiment(self) -> None:
        """Read runs.json where it has changed; Snakemake writes it after this program has started."""
        try:
            changed = self.listed.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self.read_at:
            self.experiment, self.read_at = read_experiment(self.listed), changed
            networks = self.experiment.select(families=["rnn"])
            self.places = [(run, Path(run.file(LIVE_HISTORY))) for run in networks]

    def close(self) -> None:
        """Mirror the rest and end all open runs; Snakemake has ended, so unfinished trainings have failed."""
        self.turn()
        with sole_writer(self.results, wait=False) as locked:
            for file in list(self.files.values()) if locked else ():
                if not file.closed and not self._safely(file, over=True):
                    return  # the store failed; `track_runs` completes the runs

    def _is_settled(self, file: LiveFile) -> bool:
        return file.closed or (file.run in self.runs and not file.ended)

    def _safely(self, file: LiveFile, over: bool = False) -> bool:
        """Mirror one training; return False where the store failed, which is reported once. Its runs are then looked up
        again at the next attempt.
        """
        try:
            self._mirror(file)
            if file.ended or over:
                self._end(file)
            self.reported = ""
            return True
        except (InputError, FileNotFoundError) as error:  # the results are being removed or rewritten
            file.closed = True
            print(f"{file.path} is not mirrored: {error}", file=sys.stderr, flush=True)
            return True
        except Exception as error:
            if not is_external(error):
                raise
            fault = describe_fault(self.uri, error)
        self.runs.pop(file.run, None)
        if fault != self.reported:
            print(f"mirroring failed and is retried: {fault}", file=sys.stderr, flush=True)
        self.reported = fault
        return False

    def _mirror(self, file: LiveFile) -> None:
        if self.client is None:
            self.client = connect(self.uri)
        if file.begins_anew:
            self.runs.pop(file.run, None)
            file.begins_anew = False
        if file.run not in self.runs:
            self.runs[file.run] = dict(self._attach(file))
        for seed, (info, written) in self.runs[file.run].items():
            new = [point for point in round_points(extract_curves(file.rows, int(seed))) if point not in written]
            if new:
                write_points(self.client, info.run_id, info.start_time, new)
                written.update(new)

    def _attach(self, file: LiveFile) -> Iterator[tuple[str, tuple[Any, set[Point]]]]:
        """Yield for each seed the run in training, created or continued, with its written points."""
        assert self.experiment is not None  # it listed the run
        runs = plan_begun_runs(self.experiment, file.run, file.started)
        mlflow_experiment = ensure_experiment(self.client, runs[0].mlflow_experiment, self.results, self.uri)
        for run in runs:
            points = round_points(extract_curves(file.rows, int(run.tags["seed"])))
            info, left = self._find(mlflow_experiment, run, points)
            if info is None and not file.ended:  # a job that has ended begins no run
                info = create_run(self.client, mlflow_experiment, run, publisher_tags())
            if info is not None:
                yield run.tags["seed"], (info, set(points) - set(left))

    def _find(self, mlflow_experiment: str, run: PlannedRun, points: list[Point]) -> tuple[Any, list[Point]]:
        """Return the run that an earlier program began for the same training, if any, and its missing points."""
        runs = self.client.search_runs([mlflow_experiment], f"tags.run_key = '{run.key}'", max_results=100)
        for old in runs:
            if "content" not in old.data.tags:
                left = find_unwritten_points(self.client, old.info.run_id, points)
                if left is not None:
                    self.client.update_run(old.info.run_id, status="RUNNING")
                    return old.info, left
                discard_run(self.client, old)  # of other code or another text
        return None, points

    def _end(self, file: LiveFile) -> None:
        """End the runs of a training as FINISHED, or as FAILED where its job has ended without a history.csv."""
        status = "FINISHED" if file.finished else "FAILED"
        for seed, (info, _) in self.runs.pop(file.run, {}).items():
            after = max((point.after for point in extract_curves(file.rows, int(seed))), default=0)
            self.client.set_terminated(info.run_id, status, info.start_time + after)
        file.closed = True
        if file.gone:
            self.files.pop(file.run)


@command
def main() -> None:
    """Mirror until the parent process has ended or SIGTERM arrives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, metavar="runs.json", help="the runs to mirror")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder of results (%(default)s)")
    parser.add_argument(
        "--uri", default="", help="an MLflow server or database; empty for mlflow.db in the folder of results"
    )
    parser.add_argument(
        "--parent", type=int, required=True, help="number of the process that started this one and ends it"
    )
    arguments = parser.parse_args()
    os.environ.update(FOLLOWER_ENVIRONMENT)
    os.nice(10)  # training comes first
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    signal.signal(signal.SIGTERM, note)
    follower = Follower(arguments.experiment, arguments.results, resolve_address(arguments.results, arguments.uri))
    while os.getppid() == arguments.parent and not signals:
        succeeded = follower.turn()
        deadline = time.monotonic() + (TURN_SECONDS if succeeded else RETRY_SECONDS)
        while time.monotonic() < deadline and os.getppid() == arguments.parent and not signals:
            time.sleep(TURN_SECONDS)
    follower.close()


if __name__ == "__main__":
    main()
