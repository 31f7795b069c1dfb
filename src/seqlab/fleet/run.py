"""Training and scoring of a fleet in the folder of its run."""

from collections.abc import Callable
from pathlib import Path

from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.live import LiveHistory
from seqlab.fleet.task import Task
from seqlab.fleet.training import train_fleet
from seqlab.io.files import remove_file
from seqlab.machine.calibration import open_calibration

CHECKPOINT = "unfinished.safetensors"  # in the folder of a run until the run is scored


def train_and_score(
    fleet: Fleet,
    task: Task,
    name: str,
    folder: Path,
    fingerprint: str,
    stop: Callable[[], bool],
    score: Callable[[], None],
) -> None:
    """Train `fleet`, write its results into `folder`, and call `score`, which reads them.

    An interrupted run that left a checkpoint with this `fingerprint` of card, data and code in `folder` continues from
    it; `stop` and the exceptions are those of `train_fleet`. A line for each epoch is printed after `name`.
    """
    live = LiveHistory(folder, fleet)
    print(f"{name}  {fleet.network.parameters:,} parameters, seeds {fleet.seeds}", flush=True)
    report = live.reporting(lambda line: print(f"{name}  {line}", flush=True))
    fleet.ways = choose_ways(fleet, open_calibration(lambda line: print(f"{name}  {line}", flush=True)))
    for note in fleet.notes:
        print(f"{name}  {note}", flush=True)
    train_fleet(fleet, task, report, (folder / CHECKPOINT, fingerprint), stop)
    fleet.write_results(folder)
    score()
    remove_file(folder / CHECKPOINT)
    live.remove()
