"""Time that the training of networks takes, estimated before it begins."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.fleet.accelerated.training import AcceleratedTraining
from seqlab.fleet.training import begin_epoch, train_epoch
from seqlab.rnn.run import describe_network, start_fleet
from seqlab.rnn.task import LanguageTask

MOST_MEASURED = 8  # networks; the time of others follows from their parameters
MEASURED_SECONDS = 1.0  # of the training of a network, after its first batch
VALID_SYMBOLS = 500  # read for the estimate


def estimate_seconds(
    runs: Sequence[dict[str, Any]],
    train: NDArray[Any],
    valid: Sequence[NDArray[Any]],
    vocabulary: int,
    device: torch.device,
) -> list[float]:
    """Estimate the seconds that the training of each of `runs` takes, all epochs and seeds; early stopping takes less.

    A run has `settings` and `seeds`, as its card; `train`, (T,), and the segments `valid` are indices below
    `vocabulary`. A few batches of at most MOST_MEASURED networks are trained; another network takes the time of the one
    nearest in parameters, in proportion to parameters, epochs and seeds.
    """
    sizes = np.array([describe_network(run["settings"], vocabulary).parameters for run in runs], dtype=float)
    work = sizes * [run["settings"]["epochs"] * len(run["seeds"]) for run in runs]
    order = np.argsort(sizes, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, MOST_MEASURED).round().astype(int))]
    measured = {int(place): measure_seconds(runs[place], train, valid, vocabulary, device) for place in chosen}
    nearest = [min(measured, key=lambda place: abs(np.log(sizes[place] / size))) for size in sizes]
    return [measured.get(number, measured[place] * work[number] / work[place]) for number, place in enumerate(nearest)]


def measure_seconds(
    run: dict[str, Any], train: NDArray[Any], valid: Sequence[NDArray[Any]], vocabulary: int, device: torch.device
) -> float:
    """Measure some batches of the training of `run`, and return the seconds of all of it; see `estimate_seconds`."""
    fleet = start_fleet(run["settings"], run["seeds"], vocabulary, device)
    short = [segment[:VALID_SYMBOLS] for segment in valid]
    task = LanguageTask.of(describe_network(run["settings"], vocabulary), train, short, device)
    accelerated = AcceleratedTraining(fleet, task, lambda line: None)
    progress, times = begin_epoch(fleet), list[float]()

    def is_measured() -> bool:
        times.append(time.perf_counter())
        return len(times) > 2 and times[-1] - times[1] > MEASURED_SECONDS

    train_epoch(fleet, task, progress, fleet.running(), is_measured, accelerated)
    symbols = float(progress.symbols.mean()) / progress.batch  # of a batch; waits for a GPU
    batches, first = max(progress.batch - 1, 1), times[min(1, len(times) - 1)]
    settings = fleet.settings
    epoch = settings.batches * settings.batch_size * settings.steps or len(train)
    seconds = (time.perf_counter() - first) / batches * epoch / symbols
    started = time.perf_counter()
    accelerated.valid_loss()
    validation = (time.perf_counter() - started) * sum(map(len, valid)) / sum(map(len, short))
    return settings.epochs * (seconds + validation)


def describe_times(seconds: dict[str, float], networks: int, jobs: int) -> str:
    """Return a sentence about the training of `networks` networks, `jobs` at a time, of which `seconds` has some."""
    total = sum(seconds.values()) * networks / len(seconds)
    longest = max(seconds, key=lambda model: seconds[model])
    together = max(total / min(jobs, networks), seconds[longest])
    sentence = f"the training of {networks} networks takes about {_minutes(together)}, {jobs} at a time"
    if networks == 1:
        return f"the training of {longest} takes about {_minutes(together)}, or less if it stops early"
    return f"{sentence}, or less if they stop early; the longest is {longest} with {_minutes(seconds[longest])}"


def _minutes(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 60
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
