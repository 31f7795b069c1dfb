"""Splits of a series along time, and the scale fitted on train."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, verified, write_json, write_text
from seqlab.io.runs import SPLIT_NAMES
from seqlab.series.series import Series, is_constant


@dataclass(frozen=True)
class Scale:
    """Scaling of values, or of their differences, to mean 0 and deviation 1, and back.

    `mean` and `deviation` are those of the train split, after taking differences.
    """

    difference: bool
    mean: float
    deviation: float

    @classmethod
    def fit(cls, train: NDArray[np.float64], difference: bool) -> "Scale":
        """Fit the scale of the values of train, (n,)."""
        learnt = np.diff(train) if difference else train
        return cls(difference, float(learnt.mean()), float(learnt.std()))

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale a whole series, (T,). With differences the first entry, which has none, is zero, so that place t
        belongs to time t.
        """
        learnt = np.diff(values, prepend=values[0]) if self.difference else values
        scaled = (learnt - self.mean) / self.deviation
        if self.difference:
            scaled[0] = 0.0
        return scaled

    def path(self, last: NDArray[np.float64], scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values of `scaled`, (.., K), the K steps after `last`, (..)."""
        learnt = scaled * self.deviation + self.mean
        return last[..., None] + np.cumsum(learnt, axis=-1) if self.difference else learnt


@dataclass(frozen=True)
class Prepared:
    """A series prepared for models: the content of series.json and series.csv.

    `values` are as measured, (T,); `splits` are half-open ranges of them.
    """

    name: str
    title: str
    column: str
    unit: str
    step: str
    period: int | None
    shown: int | None
    scale: Scale
    splits: dict[str, tuple[int, int]]
    known: dict[str, float]
    notes: list[str]
    index: list[str]
    values: NDArray[np.float64]

    @property
    def scaled(self) -> NDArray[np.float64]:
        """The scaled values, (T,)."""
        return self.scale.scaled(self.values)

    @property
    def learnt(self) -> tuple[int, int]:
        """The training range of `scaled`: train, without a first value that has no difference."""
        return int(self.scale.difference), self.splits["train"][1]

    def origins(self, split: str, horizon: int, needed: int = 1) -> NDArray[np.int64]:
        """Return the origins (last known times) of forecasts `horizon` steps ahead whose targets lie in `split`: from
        the time before the split on, or from the first with `needed` values up to it. Indices, (O,).
        """
        start, stop = self.splits[split]
        return np.arange(max(start, needed) - 1, stop - horizon)


def prepare_series(
    name: str, series: Series, definition: dict[str, Any], shares: dict[str, float], needs: dict[str, int]
) -> Prepared:
    """Cut `series` along time by the `shares` of train, valid and test, and fit its scale on train.

    `needs` are the highest `order` and `horizon`, and the `steps` of a subsequence. Raises InputError, with row and
    column, where the series is too short for them or train is constant.
    """
    length = len(series.values)
    first, second = round(shares["train"] * length), round((shares["train"] + shares["valid"]) * length)
    splits = {"train": (0, first), "valid": (first, second), "test": (second, length)}
    difference, period = bool(definition.get("difference", False)), definition.get("period")
    _check_length(name, series, splits, needs | ({"period": period} if period else {}))
    train = series.values[:first]
    scale = Scale.fit(train, difference)
    constant = is_constant(np.diff(train), float(np.abs(train).max())) if difference else is_constant(train)
    if constant or not scale.deviation > 0:
        state = "rises by the same amount" if difference else "is the same"
        raise InputError(
            f"column {series.column!r} of series {name} {state} in rows 1 to {first}, its train split, so there "
            "is nothing to learn; use another part of it"
        )
    return Prepared(
        name,
        definition.get("title", name),
        series.column,
        definition.get("unit", series.column),
        definition.get("step", "step"),
        period,
        definition.get("shown"),
        scale,
        splits,
        series.known,
        series.notes,
        series.index,
        series.values,
    )


def _check_length(name: str, series: Series, splits: dict[str, tuple[int, int]], needs: dict[str, int]) -> None:
    lengths = {split: stop - start for split, (start, stop) in splits.items()}
    order, horizon = needs["order"], needs["horizon"]
    limits = [
        ("train", 2 * order + 3, f"forecast.max_order {order}"),  # more equations than coefficients
        ("train", order + needs["steps"] + 2, f"forecast.training.steps {needs['steps']}"),
        ("valid", 2, "choosing a model"),
        ("test", horizon, f"a horizon of {horizon}"),
    ]
    for split, least, purpose in limits:
        if lengths[split] < least:
            raise InputError(
                f"series {name} ends at row {len(series.values)} of column {series.column!r}, which leaves "
                f"{lengths[split]} values for {split}, where {purpose} needs {least}; give a longer series, another "
                "forecast.split, or lower that setting"
            )
    if "period" in needs and not 2 <= needs["period"] < splits["test"][0]:
        raise InputError(
            f"the period of series {name} is {needs['period']}, where it must be from 2 to {splits['test'][0] - 1}, as "
            f"test begins at row {splits['test'][0] + 1} of column {series.column!r}; correct it"
        )


def write_prepared(prepared: Prepared, table: str | Path, description: str | Path) -> None:
    """Write the values as series.csv and the rest as series.json."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", "value"])
    writer.writerows(zip(prepared.index, map(repr, prepared.values.tolist()), strict=True))
    write_text(table, text.getvalue())
    content = asdict(prepared)
    for name in ("index", "values"):
        del content[name]
    write_json(description, content | {"length": len(prepared.values)})


def read_prepared(table: str | Path, description: str | Path) -> Prepared:
    """Read a series that `write_prepared` wrote; InputError for damaged files or files of two series."""
    try:
        with verified(table).open(newline="", encoding="utf-8") as file:
            rows: Sequence[dict[str, str]] = list(csv.DictReader(file))
        index, values = [row["index"] for row in rows], np.array([float(row["value"]) for row in rows])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(table, error) from None
    content = read_json(description)
    try:
        length = content.pop("length")
        content["scale"] = Scale(**content["scale"])
        content["splits"] = {name: (start, stop) for name, (start, stop) in content["splits"].items()}
        prepared = Prepared(**content, index=index, values=values)
        if length == len(rows):
            _check_prepared(prepared)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(description, error) from None
    if length != len(rows):
        raise InputError(
            f"{table} has {len(rows)} rows and {description} the length {length}; delete both and run again"
        )
    return prepared


def _check_prepared(prepared: Prepared) -> None:
    """Raise ValueError for the first invalid value of series.json."""
    for name in ("name", "title", "column", "unit", "step"):
        if not isinstance(getattr(prepared, name), str):
            raise ValueError(f"its {name} is not a text")
    for name in ("period", "shown"):
        if not (getattr(prepared, name) is None or type(getattr(prepared, name)) is int):
            raise ValueError(f"its {name} is not a whole number")
    scale, borders = prepared.scale, [border for name in SPLIT_NAMES for border in prepared.splits[name]]
    if type(scale.difference) is not bool or not (np.isfinite(scale.mean) and 0 < scale.deviation < np.inf):
        raise ValueError("its scale is invalid")
    if not all(type(border) is int for border in borders) or borders != sorted(borders):
        raise ValueError("its splits are invalid")
    if borders[0] < 0 or borders[-1] > len(prepared.values):
        raise ValueError("its splits lie outside of the series")
    if not isinstance(prepared.known, dict) or not isinstance(prepared.notes, list):
        raise ValueError("its known values or notes are invalid")
