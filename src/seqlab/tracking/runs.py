"""What a run of the tracking database should hold, whatever it is a run of."""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seqlab.provenance import sha256_of

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
class Sweep:
    """What one configuration runs: its name, and the command that does it again."""

    name: str = "default"
    command: str = "snakemake --cores all"


@dataclass(frozen=True)
class Dataset:
    """What a run was trained on."""

    name: str
    digest: str
    symbols: int | None = None


@dataclass(frozen=True)
class PlannedRun:
    """A run as it should be. `start` is in milliseconds since 1970, `seconds` a duration.

    `standing` are tags that tell how the run stands to others, such as its verdict: they change with the others, and
    the run does not become another one by it.
    """

    experiment: str
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
    sweep: str = ""  # the key of the run whose child this one is

    @property
    def content(self) -> str:
        """A digest of what the run came to, save what differs when it is computed again."""
        points = [(name, value, step) for name, value, step, _ in self.points if name not in TIMES]
        files = [(folder, path.name, sha256_of(path)) for path, folder in self.artifacts]
        return digest([self.name, self.tags, points, files])

    @property
    def shown(self) -> list[Point]:
        """The points as MLflow holds them."""
        return shown(self.points)

    @property
    def infinite(self) -> list[str]:
        """The metrics that are left out."""
        return sorted({point.name for point in self.points if not math.isfinite(point.value)})


def shown(points: Iterable[Point]) -> list[Point]:
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
