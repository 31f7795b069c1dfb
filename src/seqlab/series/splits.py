"""Splits of a series along time, and the scale fitted on train."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
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
    """Scaling of the values of d columns, or of their differences, to mean 0 and deviation 1, and back.

    `mean` and `deviation`, each (d,), are those of the train split, after taking differences; a column is scaled by
    itself.
    """

    difference: bool
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def fit(cls, train: NDArray[np.float64], difference: bool) -> "Scale":
        """Fit the scale of the values of train, (n, d)."""
        columns = (np.diff(train, axis=0) if difference else train).T
        means, deviations = (tuple(float(figure(column)) for column in columns) for figure in (np.mean, np.std))
        return cls(difference, means, deviations)

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale a whole series, (T, d). With differences the first row, which has none, is zero, so that place t
        belongs to time t.
        """
        learnt = np.diff(values, axis=0, prepend=values[:1]) if self.difference else values
        scaled = (learnt - np.array(self.mean)) / np.array(self.deviation)
        if self.difference:
            scaled[0] = 0.0
        return scaled

    def path(self, last: NDArray[np.float64], scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values of `scaled`, (.., K, d), the K steps after `last`, (.., d)."""
        learnt = scaled * np.array(self.deviation) + np.array(self.mean)
        return last[..., None, :] + np.cumsum(learnt, axis=-2) if self.difference else learnt


@dataclass(frozen=True)
class Prepared:
    """A series prepared for models: the content of series.json and series.csv.

    `values` are as measured, (T, d): those of `columns`, each with its unit in `units`, then those of `exogenous`,
    which are inputs only. `splits` are half-open ranges of them.
    """

    name: str
    title: str
    columns: list[str]
    units: list[str]
    exogenous: list[str]
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
        """The scaled values, (T, d)."""
        return self.scale.scaled(self.values)

    @property
    def has_several_columns(self) -> bool:
        """Return whether figures and files name their columns: where there are inputs besides the forecast column, or
        several columns to forecast.
        """
        return self.values.shape[1] > 1

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
    column, where the series is too short for them or a column is constant in train.
    """
    length = len(series.values)
    first, second = round(shares["train"] * length), round((shares["train"] + shares["valid"]) * length)
    splits = {"train": (0, first), "valid": (first, second), "test": (second, length)}
    difference, period = bool(definition.get("difference", False)), definition.get("period")
    _check_length(name, series, splits, needs | ({"period": period} if period else {}))
    train = series.values[:first]
    scale = Scale.fit(train, difference)
    for column, values, deviation in zip(series.columns, train.T, scale.deviation, strict=True):
        constant = is_constant(np.diff(values), float(np.abs(values).max())) if difference else is_constant(values)
        if constant or not deviation > 0:
            state = "rises by the same amount" if difference else "is the same"
            raise InputError(
                f"column {column!r} of series {name} {state} in rows 1 to {first}, its train split, so there is "
                "nothing to learn; use another part of it"
            )
    exogenous = series.columns[len(series.columns) - len(definition.get("exogenous", [])) :]
    columns = series.columns[: len(series.columns) - len(exogenous)]
    unit = definition.get("unit", columns)
    return Prepared(
        name,
        definition.get("title", name),
        columns,
        unit if isinstance(unit, list) else [unit] * len(columns),
        exogenous,
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
    order, horizon, d = needs["order"], needs["horizon"], len(series.columns)
    columns = f"column{'s' * (d > 1)} {', '.join(map(repr, series.columns))}"
    limits = [  # d equations for each time, of d order + 1 coefficients and d covariances each
        ("train", (d + 1) * order + d + 2, f"forecast.max_order {order}" + f" of {d} columns" * (d > 1)),
        ("train", order + needs["steps"] + 2, f"forecast.training.steps {needs['steps']}"),
        ("valid", 2, "choosing a model"),
        ("test", horizon, f"a horizon of {horizon}"),
    ]
    for split, least, purpose in limits:
        if lengths[split] < least:
            raise InputError(
                f"series {name} ends at row {len(series.values)} of {columns}, which leaves {lengths[split]} values "
                f"for {split}, where {purpose} needs {least}; give a longer series, another forecast.split, or lower "
                "that setting"
            )
    if "period" in needs and not 2 <= needs["period"] < splits["test"][0]:
        raise InputError(
            f"the period of series {name} is {needs['period']}, where it must be from 2 to {splits['test'][0] - 1}, as "
            f"test begins at row {splits['test'][0] + 1} of {columns}; correct it"
        )


def write_prepared(prepared: Prepared, table: str | Path, description: str | Path) -> None:
    """Write the values as series.csv and the rest as series.json."""
    several, text = prepared.has_several_columns, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", *(prepared.columns + prepared.exogenous if several else ["value"])])
    writer.writerows(
        [time, *map(repr, row)] for time, row in zip(prepared.index, prepared.values.tolist(), strict=True)
    )
    write_text(table, text.getvalue())
    write_json(description, _describe(prepared))


def _describe(prepared: Prepared) -> dict[str, Any]:
    """Return the content of series.json: lists with an entry for each column, and single values for a single column."""

    def entry(values: Sequence[Any]) -> Any:
        return [*values] if prepared.has_several_columns else values[0]

    scale = prepared.scale
    return {
        "name": prepared.name,
        "title": prepared.title,
        "column": entry(prepared.columns),
        "unit": entry(prepared.units),
        **({"exogenous": prepared.exogenous} if prepared.has_several_columns else {}),
        "step": prepared.step,
        "period": prepared.period,
        "shown": prepared.shown,
        "scale": {"difference": scale.difference, "mean": entry(scale.mean), "deviation": entry(scale.deviation)},
        "splits": prepared.splits,
        "known": prepared.known,
        "notes": prepared.notes,
        "length": len(prepared.values),
    }


def read_description(path: str | Path) -> dict[str, Any]:
    """Read series.json as the fields of Prepared, without index and values, and the `length` of the series; InputError
    where it is damaged.
    """
    content = read_json(path)

    def entries(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    try:
        content["columns"], content["units"] = entries(content.pop("column")), entries(content.pop("unit"))
        content["exogenous"] = content.pop("exogenous", [])
        scale = content["scale"]
        scale["mean"], scale["deviation"] = entries(scale["mean"]), entries(scale["deviation"])
        content["splits"] = {name: (start, stop) for name, (start, stop) in content["splits"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, error) from None
    return dict(content)


def read_values(path: str | Path) -> tuple[list[str], NDArray[np.float64]]:
    """Read the times and the values, (T, d), of series.csv; InputError where it is damaged."""
    try:
        with verified(path).open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        values = np.array([[float(cell) for cell in row[1:]] for row in rows]).reshape(len(rows), len(head) - 1)
        index = [row[0] for row in rows]
    except (IndexError, ValueError) as error:
        raise damaged(path, error) from None
    if head[0] != "index" or len(head) < 2:
        raise damaged(path, "it has no column index or no values")
    return index, values


def read_prepared(table: str | Path, description: str | Path) -> Prepared:
    """Read a series that `write_prepared` wrote; InputError for damaged files or files of two series."""
    index, values = read_values(table)
    content = read_description(description)
    try:
        length, scale = content.pop("length"), content.pop("scale")
        scale = Scale(scale["difference"], tuple(scale["mean"]), tuple(scale["deviation"]))
        prepared = Prepared(**content, scale=scale, index=index, values=values)
        if length == len(index):
            _check_prepared(prepared)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(description, error) from None
    if length != len(index):
        raise InputError(
            f"{table} has {len(index)} rows and {description} the length {length}; delete both and run again"
        )
    return prepared


def _check_prepared(prepared: Prepared) -> None:
    """Raise ValueError for the first invalid value of series.json."""
    texts = {"name": [prepared.name], "title": [prepared.title], "column": prepared.columns, "unit": prepared.units}
    for name, values in (texts | {"exogenous": prepared.exogenous, "step": [prepared.step]}).items():
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"its {name} is not a text")
    for name in ("period", "shown"):
        if not (getattr(prepared, name) is None or type(getattr(prepared, name)) is int):
            raise ValueError(f"its {name} is not a whole number")
    scale, borders = prepared.scale, [border for name in SPLIT_NAMES for border in prepared.splits[name]]
    finite = np.isfinite([*scale.mean, *scale.deviation]).all()
    if type(scale.difference) is not bool or not (finite and min(scale.deviation) > 0):
        raise ValueError("its scale is invalid")
    width = prepared.values.shape[1]
    counts = {len(prepared.columns) + len(prepared.exogenous), len(scale.mean), len(scale.deviation), width}
    if counts != {width} or len(prepared.units) != len(prepared.columns) or not prepared.columns:
        raise ValueError("its columns are not those of series.csv")
    if not all(type(border) is int for border in borders) or borders != sorted(borders):
        raise ValueError("its splits are invalid")
    if borders[0] < 0 or borders[-1] > len(prepared.values):
        raise ValueError("its splits lie outside of the series")
    if not isinstance(prepared.known, dict) or not isinstance(prepared.notes, list):
        raise ValueError("its known values or notes are invalid")
