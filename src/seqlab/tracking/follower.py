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

from seqlab.cards import read_card
from seqlab.errors import InputError, command
from seqlab.tracking.connection import address, connect, experiment_id, sole_writer
from seqlab.tracking.faults import is_outside, sentence
from seqlab.tracking.language_models import begun, curves, params_of
from seqlab.tracking.live_files import LIVE, LiveFile
from seqlab.tracking.publish import publisher_tags
from seqlab.tracking.reconcile import create, discard, unwritten, write_points
from seqlab.tracking.runs import PlannedRun, Point, shown

TURN = 0.25  # seconds between two looks
PATIENCE = 10.0  # seconds before a store that failed is tried again
# One call may last so long; what it did not bring, the next turn brings.
ENVIRONMENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


class Follower:
    """Mirrors the trainings under `results` to `uri`; `turn` looks once, `close` ends what is still open."""

    def __init__(self, results: Path, uri: str, sweep: str) -> None:
        self.results, self.uri, self.sweep = results, uri, sweep
        self.client: Any = None
        self.files: dict[Path, LiveFile] = {}
        self.runs: dict[Path, dict[str, tuple[Any, set[Point]]]] = {}  # by seed: the run, and what it holds
        self.told = ""

    def turn(self) -> bool:
        """Mirror what has been written since the last turn; false where the store failed."""
        for path in sorted(self.results.glob(LIVE)):
            self.files.setdefault(path, LiveFile(path))
        waiting = [file for file in list(self.files.values()) if file.read() or not self._is_settled(file)]
        if not waiting:
            return True
        with sole_writer(self.results, wait=False) as alone:
            return not alone or all(self._safely(file) for file in waiting)

    def close(self) -> None:
        """Snakemake has ended: what still trains for the files has failed."""
        self.turn()
        with sole_writer(self.results, wait=False) as alone:
            for file in list(self.files.values()) if alone else ():
                if not file.closed and not self._safely(file, over=True):
                    return  # the store is gone: `track_runs` will see to the rest

    def _is_settled(self, file: LiveFile) -> bool:
        return file.closed or (file.path in self.runs and not file.ended)

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
        self.runs.pop(file.path, None)
        if text != self.told:
            print(f"not mirrored yet, and tried again: {text}", file=sys.stderr, flush=True)
        self.told = text
        return False

    def _mirror(self, file: LiveFile) -> None:
        if self.client is None:
            self.client = connect(self.uri)
        if file.begins_anew:
            self.runs.pop(file.path, None)
            file.begins_anew = False
        if file.path not in self.runs:
            self.runs[file.path] = dict(self._attach(file))
        for seed, (info, held) in self.runs[file.path].items():
            new = [point for point in shown(curves(file.rows, int(seed))) if point not in held]
            if new:
                write_points(self.client, info.run_id, info.start_time, new)
                held.update(new)

    def _attach(self, file: LiveFile) -> Iterator[tuple[str, tuple[Any, set[Point]]]]:
        """For each seed the run in training: made, or found where an earlier program left it."""
        folder = file.path.parent
        siblings = sorted(folder.parent.glob("*/card.yaml"))
        params = params_of({card.parent: read_card(card) for card in siblings})[folder]
        runs = begun(folder, file.started, params)
        experiment = experiment_id(self.client, runs[0].experiment, self.results, self.uri)
        for run in runs:
            points = shown(curves(file.rows, int(run.tags["seed"])))
            info, left = self._find(experiment, run, points)
            if info is None and not file.ended:  # of a job that has gone already nothing is begun
                tags = publisher_tags() | {"sweep": self.sweep}
                info = create(self.client, experiment, run, tags)
            if info is not None:
                yield run.tags["seed"], (info, set(points) - set(left))

    def _find(self, experiment: str, run: PlannedRun, points: list[Point]) -> tuple[Any, list[Point]]:
        """The run that an earlier program began for the same training, if there is one, and the points it lacks."""
        found = self.client.search_runs([experiment], f"tags.run_key = '{run.key}'", max_results=100)
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
        for seed, (info, _) in self.runs.pop(file.path, {}).items():
            after = max((point.after for point in curves(file.rows, int(seed))), default=0)
            self.client.set_terminated(info.run_id, status, info.start_time + after)
        file.closed = True
        if file.gone:
            self.files.pop(file.path)


@command
def main() -> None:
    """Follow until the parent process has gone, or until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--uri", default="", help="an MLflow server or database; empty: mlflow.db among the results")
    parser.add_argument("--sweep", default="default", help="the name of the configuration (%(default)s)")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with, which started this one")
    arguments = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    os.nice(10)  # training comes first
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, note)
    follower = Follower(arguments.results, address(arguments.results, arguments.uri), arguments.sweep)
    while os.getppid() == arguments.parent and not asked:
        well = follower.turn()
        waited = time.monotonic() + (TURN if well else PATIENCE)
        while time.monotonic() < waited and os.getppid() == arguments.parent and not asked:
            time.sleep(TURN)
    follower.close()


if __name__ == "__main__":
    main()
