"""Which runs the results on disk should have in the database: a table of kinds of results, each with its planner."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from seqlab.tracking import forecasts, language_models
from seqlab.tracking.runs import PlannedRun, Sweep

Planner = Callable[[Path, Sequence[Path], Sweep], Iterable[PlannedRun]]
# Where metrics.json lies under the results -> who makes runs of the folders that hold it. Add a line for a new kind.
KINDS: dict[str, Planner] = {
    "*/*/*/*/metrics.json": language_models.plan,
    "forecast/*/*/metrics.json": forecasts.plan,
}


def plan_runs(results: Path, folders: Sequence[Path], sweep: Sweep) -> list[PlannedRun]:
    """The runs that the finished models in `folders` should have, by experiment, a sweep before its children.

    Raises InputError where a card is damaged.
    """
    planned: list[PlannedRun] = []
    for pattern, planner in KINDS.items():
        mine = [folder for folder in folders if _lies(folder, results, pattern)]
        planned += planner(results, mine, sweep) if mine else []
    return sorted(planned, key=lambda run: (run.experiment, bool(run.sweep), run.name))


def finished(results: Path) -> list[Path]:
    """The folders of all finished models under `results`."""
    return sorted(path.parent for pattern in KINDS for path in results.glob(pattern))


def _lies(folder: Path, results: Path, pattern: str) -> bool:
    path = folder.resolve().relative_to(results.resolve()) / "metrics.json"
    return len(path.parts) == pattern.count("/") + 1 and path.match(pattern)
