"""The content of a run of the tracking database, whatever it is a run of."""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from seqlab.io.provenance import sha256_of
from seqlab.io.runs import SERIES, Experiment, Place, Run

MODEL, EXPERIMENT = "model", "experiment"  # the tag `kind`: one seed of a model, and the parent of all these
RUN = "run"  # the tag in which the seeds of a model agree, and no other run does
ANSWER = "answer"  # the tag of a parent run that says which model is best
CURVES = {  # of every epoch: its name -> the column of history.csv
    "valid/epoch_perplexity": "valid_perplexity",
    "valid/epoch_loss": "valid_loss",
    "train/epoch_perplexity": "train_perplexity",
    "train/epoch_loss": "train_loss",
    "train/gradient_norm": "gradient_norm",
    "train/learning_rate": "learning_rate",
}
TIMES = frozenset({"train/seconds"})  # metrics that differ when the same run is computed again


class Point(NamedTuple):
    """A value of a metric: `step` is the epoch, or 0 for a single value, `after` the milliseconds since the run began.

    MLflow takes the time of a point for a part of its identity, so it follows from the files and never from the clock:
    whoever writes a point twice writes the same one.
    """

    name: str
    value: float
    step: int = 0
    after: int = 0


@dataclass(frozen=True)
class Dataset:
    """What a run was trained on."""

    name: str
    digest: str
    symbols: int | None = None


@dataclass(frozen=True)
class PlannedRun:
    """A run as it should be. `start` is in milliseconds since 1970, `seconds` a duration, `parent` the key of another
    run.

    `standing` are tags that tell how the run stands to others, such as its verdict: they change with the others, and
    the run does not become another one by it.
    """

    place: Place
    key: str
    name: str
    start: int
    seconds: float
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    artifacts: tuple[tuple[Path, str | None], ...] = ()  # file, folder in the run
    standing: dict[str, str] = field(default_factory=dict)
    dataset: Dataset | None = None
    parent: str = ""

    @property
    def mlflow_experiment(self) -> str:
        """The name of the MLflow experiment that holds the run: one for each text, whatever experiments ran on it."""
        return f"{self.place.corpus}/{self.place.unit}"

    @property
    def content(self) -> str:
        """A digest of what the run came to, save what differs when it is computed again."""
        points = [(name, value, step) for name, value, step, _ in self.points if name not in TIMES]
        files = [(folder, path.name, sha256_of(path)) for path, folder in self.artifacts]
        return digest([self.name, self.tags, points, files])

    @property
    def rounded_points(self) -> list[Point]:
        """The points as MLflow holds them."""
        return rounded_points(self.points)

    @property
    def infinite(self) -> list[str]:
        """The metrics that are left out."""
        return sorted({point.name for point in self.points if not math.isfinite(point.value)})


def plan_seeds(
    experiment: Experiment,
    run: Run,
    card: dict[str, Any],
    params: dict[str, str],
    metrics: dict[str, Any],
    files: Iterable[str],
    figures: Callable[[dict[str, Any], int | None], Iterable[Point]],
    symbols: int | None = None,
) -> Iterator[PlannedRun]:
    """One run for each seed of the finished `run`, or a single one where the model has none, with those of its `files`
    that exist. `figures` gives the scores in `metrics` of one seed.
    """
    history, seconds = read_history(run.file("history.csv")), float(metrics["train_seconds"])
    ended = Path(run.file("metrics.json")).stat().st_mtime_ns // 1_000_000
    paths = [Path(run.file(name)) for name in files]
    artifacts = tuple((path, None) for path in paths if path.exists())
    size = [Point("model/parameters", float(metrics["parameters"])), Point("train/seconds", seconds)]
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        planned = plan_seed(experiment, run, card, seed, params, ended - round(1000 * seconds), seconds, symbols)
        points = (*figures(metrics, seed), *size, *curves(history, seed))
        planned = replace(planned, points=points, artifacts=artifacts)
        infinite = {"infinite": ", ".join(planned.infinite)} if planned.infinite else {}
        yield replace(planned, tags=planned.tags | {"card": metrics["card"]} | infinite)


def plan_seed(
    experiment: Experiment,
    run: Run,
    card: dict[str, Any],
    seed: int | None,
    params: dict[str, str],
    start: int,
    seconds: float,
    symbols: int | None = None,
) -> PlannedRun:
    """One seed of `run` (None where the model has none) without its points; `symbols` is the number of those that it
    learnt from.
    """
    data = card["data"]["table" if run.unit == SERIES else "ids"]
    seeded = {} if seed is None else {"seed": str(seed)}
    names = {"experiment": experiment.name, "corpus": run.corpus, "unit": run.unit, "family": run.family}
    names |= {RUN: f"{run.model} of {experiment.name}"}
    learnt = run.corpus if run.unit == SERIES else f"{run.corpus} by {run.unit}"
    return PlannedRun(
        place=run.place,
        key=run_key(experiment, card, seed),
        name=card["model"] if seed is None else f"{card['model']}-s{seed}",
        start=start,
        seconds=seconds,
        tags={"kind": MODEL, **names, **seeded, "data": data},
        params=params | seeded,
        dataset=Dataset(learnt, data[:16], symbols),
    )


def run_key(experiment: Experiment, card: dict[str, Any], seed: int | None) -> str:
    """The key of one seed: the same settings in another experiment are another run, and another seed of the card
    changes nothing.
    """
    return digest([experiment.name, card | {"seeds": seed}])


def plan_parent(experiment: Experiment, place: Place, tables: Iterable[str], page: str, answer: str) -> PlannedRun:
    """The run that stands for an experiment on one corpus and unit: its page, its figures and those of its `tables`
    that exist. `answer` is its line in the description of the MLflow experiment.
    """
    files = [path for path in (Path(place.file(name)) for name in tables) if path.exists()]
    figures = sorted(Path(place.file("figures")).glob("*.svg"))
    artifacts = (*((path, None) for path in files), *((path, "figures") for path in figures))
    newest = max((path.stat().st_mtime_ns for path, _ in artifacts), default=0) // 1_000_000
    tags = {"kind": EXPERIMENT, "experiment": experiment.name, "corpus": place.corpus, "unit": place.unit}
    standing = {"mlflow.note.content": page, ANSWER: answer}
    name = f"experiment {experiment.name}"
    return PlannedRun(place, digest(tags), name, newest, 0.0, tags, artifacts=artifacts, standing=standing)


def curves(rows: Iterable[Mapping[str, Any]], seed: int | None) -> list[Point]:
    """The points of one seed in the rows of a history, curve by curve."""
    points: dict[str, list[Point]] = {name: [] for name in CURVES}
    seconds = 0.0
    for row in rows:
        if str(row["seed"]) == str(seed):
            seconds += float(row.get("seconds") or 0.0)
            for name, column in CURVES.items():
                if row.get(column) not in (None, ""):
                    points[name].append(Point(name, float(row[column]), int(row["epoch"]), round(1000 * seconds)))
    return [point for curve in points.values() for point in curve]


def read_history(path: str | Path) -> list[dict[str, str]]:
    """The rows of a history.csv; none where there is no such file, as in families without epochs."""
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rounded_points(points: Iterable[Point]) -> list[Point]:
    """The points as MLflow holds them: without infinities, which it would store as 1.8e308, and with six digits, since
    its pages print all that there are. The files have every digit.
    """
    return [point._replace(value=float(f"{point.value:.6g}")) for point in points if math.isfinite(point.value)]


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that stand for `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def as_text(value: Any) -> str:
    """Always the same text for the same value: MLflow refuses to write 0.10 over 0.1."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
