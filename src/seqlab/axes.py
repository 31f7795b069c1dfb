"""The axes of an experiment: settings that have several values, and the runs that their grid makes.

A setting is a value or a list of values; a list is an axis, and its first value is the base. All axes together are the
grid. The name of a run says where it leaves the base, as in lstm-2x256-dropout~0.3, so that a value added behind the
others, or a new axis, renames nothing.
"""

import math
import random
from collections.abc import Mapping
from itertools import product
from typing import Any

from seqlab.io.errors import InputError

MOST_RUNS = 100_000
LONGEST_NAME = 200  # bytes; file systems end at 255, and a temporary name is longer than that of the file
SHAPE = ("cell", "layers", "hidden")  # always part of a name


def values_of(setting: Any) -> list[Any]:
    """The values of a setting: those of its list, or the single one."""
    return list(setting) if isinstance(setting, list) else [setting]


def network_runs(
    where: str, settings: Mapping[str, Any], draw: Mapping[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """The settings of every network by name: the grid of `settings`, or the points that `draw` takes of it.

    `settings` holds cell, layers, hidden and those of training, each a value or a list; `draw` holds `runs`, how many
    points are taken at random, 0 for all, and the `seed` of their choice. `where` names the block in messages. Raises
    InputError for more than MOST_RUNS runs, a draw larger than the grid and a name longer than LONGEST_NAME.
    """
    axes = {key: values_of(value) for key, value in settings.items()}
    size = math.prod(map(len, axes.values()))
    count = draw["runs"] if draw else 0
    if count > size:
        raise InputError(f"{where}.draw.runs is {count:,}, but the grid has {size:,} points; lower it, or 0 takes all")
    if (count or size) > MOST_RUNS:
        lengths = ", ".join(f"{len(values):,} of {key}" for key, values in axes.items() if len(values) > 1)
        sample = f", or take a sample with {where}.draw" if draw else ""
        raise InputError(
            f"{where} asks for {count or size:,} runs ({lengths}), where {MOST_RUNS:,} are the most; shorten an axis"
            f"{sample}"
        )
    points = _drawn(axes, size, count, draw["seed"]) if draw and count else product(*axes.values())
    runs = {}
    for values in points:
        point = dict(zip(axes, values, strict=True))
        runs[_name(point, axes, where)] = point
    return runs


def _drawn(axes: dict[str, list[Any]], size: int, count: int, seed: int) -> list[tuple[Any, ...]]:
    """So many different points of the grid, in its order, without making all of it.

    A larger draw of the same seed has the points of a smaller one. The grid may be larger than random.sample takes.
    """
    chance, places = random.Random(seed), set[int]()
    while len(places) < count:
        places.add(chance.randrange(size))
    points = []
    for place in sorted(places):
        point: list[Any] = []
        for values in reversed(axes.values()):
            place, index = divmod(place, len(values))
            point.insert(0, values[index])
        points.append(tuple(point))
    return points


def _name(point: dict[str, Any], axes: dict[str, list[Any]], where: str) -> str:
    """The name of a run: its shape, then each other setting that is not at its base, by the alphabet."""
    parts = [f"{point['cell']}-{point['layers']}x{point['hidden']}"]
    parts += [
        f"{key}~{_text(value)}" for key, value in sorted(point.items()) if key not in SHAPE and value != axes[key][0]
    ]
    name = "-".join(parts)
    if len(name.encode()) > LONGEST_NAME:
        raise InputError(
            f"{where} has so many axes that the name {name!r} has {len(name)} characters, where file systems take "
            f"{LONGEST_NAME}; give fewer settings several values"
        )
    return name


def _text(value: Any) -> str:
    """A value as part of a name: letters, digits, points and signs."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("e-0", "e-").replace("e+", "e") if isinstance(value, float) else str(value)
