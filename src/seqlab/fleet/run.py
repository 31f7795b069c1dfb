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

Report = Callable[[str], None]

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
    train_with_log(fleet, task, name, (folder / CHECKPOINT, fingerprint), stop, live.reporting)
    fleet.write_results(folder)
    score()
    remove_file(folder / CHECKPOINT)
    live.remove()


def train_with_log(
    fleet: Fleet,
    task: Task,
    name: str,
    checkpoint: tuple[Path, str],
    stop: Callable[[], bool],
    reporting: Callable[[Report], Report] = lambda report: report,
) -> None:
    """Choose the implementations of the layers and train `fleet`; print its size, notes and epochs after `name`.

    `reporting` extends the function that is called with a line per epoch; the rest is as in `train_fleet`.
    """

    def report(line: str) -> None:
        print(f"{name}  {line}", flush=True)

    report(f"{fleet.network.parameters:,} parameters, seeds {fleet.seeds}")
    fleet.ways = choose_ways(fleet, len(task.data), open_calibration(report))
    for note in fleet.notes:
        report(note)
    train_fleet(fleet, task, reporting(report), checkpoint, stop)
