"""Planned runs of MLflow: tags, parameters, points and artifacts."""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from seqlab.fleet.fit import UNDERFITTED_COLUMN
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import SERIES, Experiment, Place, Run

MODEL_KIND, EXPERIMENT_KIND = (
    "model",
    "experiment",
)  # values of the tag `kind`: one seed of a model, and the parent of all seeds
RUN_TAG = "run"  # the tag with the same value for the seeds of a model
ANSWER_TAG = "answer"  # the tag of a parent run with the best model
AXES_TAG = "axes"  # the tag of a parent run with the settings in which its networks differ
MAX_AXIS_VALUES = 20  # of an axis whose values are no numbers
CURVE_COLUMNS = {  # metric of every epoch -> column of history.csv
    "valid/epoch_perplexity": "valid_perplexity",
    "valid/epoch_loss": "valid_loss",
    "train/epoch_perplexity": "train_perplexity",
    "train/epoch_loss": "train_loss",
    "train/gradient_norm": "gradient_norm",
    "train/learning_rate": "learning_rate",
}
TIME_METRICS = frozenset({"train/seconds"})  # metrics that differ between repetitions of a run


class Point(NamedTuple):
    """A value of a metric: `step` is the epoch, or 0 for a single value, `after` the milliseconds since the run began.

    The time of a point is part of its identity in MLflow, so it is computed from the files, not from the clock, and a
    point that is written twice is the same point.
    """

    name: str
    value: float
    step: int = 0
    after: int = 0


@dataclass(frozen=True)
class Dataset:
    """The training data of a run."""

    name: str
    digest: str
    symbols: int | None = None


@dataclass(frozen=True)
class PlannedRun:
    """A run to be written. `start` is in milliseconds since 1970, `seconds` a duration, `parent` the key of another
    run.

    `standing` are tags that compare the run with others, such as its verdict; they are not part of its content.
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
        """The name of the MLflow experiment of the run: one for each text, for all experiments on it."""
        return f"{self.place.corpus}/{self.place.unit}"

    @property
    def content(self) -> str:
        """A digest of the results of the run, without values that differ between repetitions."""
        points = [(name, value, step) for name, value, step, _ in self.points if name not in TIME_METRICS]
        files = [(folder, path.name, sha256_of(path)) for path, folder in self.artifacts]
        return compute_digest([self.name, self.tags, points, files])

    @property
    def rounded_points(self) -> list[Point]:
        """The points as MLflow holds them."""
        return round_points(self.points)

    @property
    def infinite(self) -> list[str]:
        """The names of metrics with infinite values, which are omitted."""
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
    """Yield a run for each seed of the finished `run`, or a single one for models without seeds, with the existing ones
    of `files`. `figures` returns the scores of one seed in `metrics`.
    """
    history, seconds = read_history(run.file("history.csv")), float(metrics["train_seconds"])
    ended = Path(run.file("metrics.json")).stat().st_mtime_ns // 1_000_000
    paths = [Path(run.file(name)) for name in files]
    artifacts = tuple((path, None) for path in paths if path.exists())
    size = [Point("model/parameters", float(metrics["parameters"])), Point("train/seconds", seconds)]
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        planned = plan_seed(experiment, run, card, seed, params, ended - round(1000 * seconds), seconds, symbols)
        points = (*figures(metrics, seed), *size, *extract_curves(history, seed))
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
    """Return one seed of `run` (None for models without seeds) without points; `symbols` is the size of its training
    data.
    """
    data = card["data"]["table" if run.unit == SERIES else "ids"]
    seeded = {} if seed is None else {"seed": str(seed)}
    names = {"experiment": experiment.name, "corpus": run.corpus, "unit": run.unit, "family": run.family}
    names |= {RUN_TAG: f"{run.model} of {experiment.name}"}
    learnt = run.corpus if run.unit == SERIES else f"{run.corpus} by {run.unit}"
    return PlannedRun(
        place=run.place,
        key=make_run_key(experiment, card, seed),
        name=card["model"] if seed is None else f"{card['model']}-s{seed}",
        start=start,
        seconds=seconds,
        tags={"kind": MODEL_KIND, **names, **seeded, "data": data},
        params=params | seeded,
        dataset=Dataset(learnt, data[:16], symbols),
    )


def make_run_key(experiment: Experiment, card: dict[str, Any], seed: int | None) -> str:
    """Return the key of one seed, from experiment, card and seed, without the other seeds of the card."""
    return compute_digest([experiment.name, card | {"seeds": seed}])


def plan_parent(
    experiment: Experiment,
    place: Place,
    tables: Iterable[str],
    page: str,
    answer: str,
    cards: Iterable[Mapping[str, Any]],
) -> PlannedRun:
    """Return the run of an experiment on one corpus and unit, with its page, its figures and the existing ones of
    `tables`. `answer` is its line in the description of the MLflow experiment, `cards` those of its finished runs.
    """
    files = [path for path in (Path(place.file(name)) for name in tables) if path.exists()]
    figures = sorted(Path(place.file("figures")).glob("*.svg"))
    artifacts = (*((path, None) for path in files), *((path, "figures") for path in figures))
    newest = max((path.stat().st_mtime_ns for path, _ in artifacts), default=0) // 1_000_000
    tags = {"kind": EXPERIMENT_KIND, "experiment": experiment.name, "corpus": place.corpus, "unit": place.unit}
    standing = {"mlflow.note.content": page, ANSWER_TAG: answer, AXES_TAG: json.dumps(describe_axes(cards))}
    name = f"experiment {experiment.name}"
    return PlannedRun(place, compute_digest(tags), name, newest, 0.0, tags, artifacts=artifacts, standing=standing)


def describe_axes(cards: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the settings in which the networks with these `cards` differ: the lowest and the highest value of numbers,
    all values of others.
    """
    networks = [card["settings"] for card in cards if "cell" in card["settings"]]
    names = dict.fromkeys(name for settings in networks for name in settings)
    axes = {}
    for name in names:
        values = [*dict.fromkeys(format_value(settings[name]) for settings in networks if name in settings)]
        if len(values) > 1:
            numbers = [number for number in map(_read_number, values) if number is not None]
            axes[name] = [min(numbers), max(numbers)] if len(numbers) == len(values) else values[:MAX_AXIS_VALUES]
    return axes


def _read_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def extract_curves(rows: Iterable[Mapping[str, Any]], seed: int | None) -> list[Point]:
    """Return the points of one seed from the rows of a history, curve by curve."""
    points: dict[str, list[Point]] = {name: [] for name in CURVE_COLUMNS}
    seconds = 0.0
    for row in rows:
        if str(row["seed"]) == str(seed):
            seconds += float(row.get("seconds") or 0.0)
            for name, column in CURVE_COLUMNS.items():
                if row.get(column) not in (None, ""):
                    points[name].append(Point(name, float(row[column]), int(row["epoch"]), round(1000 * seconds)))
    return [point for curve in points.values() for point in curve]


def read_history(path: str | Path) -> list[dict[str, str]]:
    """Return the rows of a history.csv; empty without the file, as in families without epochs."""
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_fit_tags(place: Place) -> dict[str, dict[str, str]]:
    """Return the tag `underfitted` of every network of a corpus and unit, the reason or no; empty without a table."""
    path = Path(place.file("models.csv"))
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        networks = [row for row in csv.DictReader(file) if row["cell"]]
    return {row["model"]: {UNDERFITTED_COLUMN: row[UNDERFITTED_COLUMN] or "no"} for row in networks}


def round_points(points: Iterable[Point]) -> list[Point]:
    """Return the points for MLflow: without infinities, which it would store as 1.8e308, and with six digits, since its
    pages print every digit.
    """
    return [point._replace(value=float(f"{point.value:.6g}")) for point in points if math.isfinite(point.value)]


def compute_digest(value: Any) -> str:
    """Return a digest of `value`, 16 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def format_value(value: Any) -> str:
    """Return `value` as text, equal for equal values, since MLflow refuses to overwrite 0.1 with 0.10."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
