"""Axes of an experiment: settings with several values, and the runs of their grid.

A setting is a value or a list of values; a list is an axis, and its first value is the base. All axes together are the
grid. The name of a run has the settings that differ from the base, as in lstm-2x256-dropout~0.3, so that a value
appended to an axis, or a new axis, renames nothing. Blocks of settings replace that grid by several, whose runs are put
together; the bases of a shape are then those of the first block that has it, and a block appended renames nothing.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from seqlab.io.errors import InputError

MOST_RUNS = 100_000
LONGEST_NAME = 200  # bytes; file systems allow 255, and a temporary name is longer than that of the file
SHAPE = ("cell", "layers", "hidden")  # always part of a name
# in which the networks of one fleet may differ, beside their seeds
FREE_SETTINGS = ("learning_rate", "dropout", "embedding_dropout", "recurrent_dropout")


def list_values(setting: Any) -> list[Any]:
    """Return the values of a setting: those of its list, or its single value."""
    return list(setting) if isinstance(setting, list) else [setting]


def list_network_runs(
    where: str,
    settings: Mapping[str, Any],
    draw: Mapping[str, int] | None = None,
    grids: Sequence[Mapping[str, Any]] = (),
) -> dict[str, dict[str, Any]]:
    """Return the settings of every network by name: the grid of `settings`, or the points that `draw` takes of it.

    `settings` holds cell, layers, hidden and those of training, each a value or a list; `draw` holds `runs`, the number
    of random points, 0 for all, and their `seed`. Each block of `grids` replaces keys of `settings` and makes a grid of
    its own, of which `draw` takes points; a run of two grids is returned once. `where` names the settings in messages.
    Raises InputError for more than MOST_RUNS runs, a draw larger than a grid and a name longer than LONGEST_NAME.
    """
    blocks = {f"{where}.grids.{number}": block for number, block in enumerate(grids)} or {where: {}}
    seen: list[dict[str, list[Any]]] = []  # axes of the blocks so far
    runs: dict[str, dict[str, Any]] = {}
    points = set[frozenset[tuple[str, Any]]]()  # of runs; here 1 and 1.0 are the same value, in names they are not
    for place, block in blocks.items():
        axes = {key: list_values(value) for key, value in {**settings, **block}.items()}
        seen.append(axes)
        for values in _list_points(where, place, axes, draw):
            point = dict(zip(axes, values, strict=True))
            if (key := frozenset(point.items())) not in points:
                points.add(key)
                runs[_name(point, _bases(point, seen), where)] = point
        if len(runs) > MOST_RUNS:
            raise InputError(f"{where}.grids has more than {MOST_RUNS:,} runs up to {place}; shorten an axis")
    return runs


def _list_points(
    where: str, place: str, axes: dict[str, list[Any]], draw: Mapping[str, int] | None
) -> Iterable[tuple[Any, ...]]:
    """Return the points of the grid of `axes`, or those that `draw` takes; raise InputError where there are too many.

    `where` is the block with the key draw and `place` that of the grid.
    """
    size = math.prod(map(len, axes.values()))
    count = draw["runs"] if draw else 0
    if count > size:
        grid = "the grid" if place == where else f"the grid of {place}"
        raise InputError(f"{where}.draw.runs is {count:,}, but {grid} has {size:,} points; lower it, or set 0 (all)")
    if (count or size) > MOST_RUNS:
        lengths = ", ".join(f"{len(values):,} of {key}" for key, values in axes.items() if len(values) > 1)
        sample = f", or take a sample with {where}.draw" if draw else ""
        raise InputError(
            f"{place} has {count or size:,} runs ({lengths}), more than the limit of {MOST_RUNS:,}; shorten an axis"
            f"{sample}"
        )
    return _drawn(axes, size, count, draw["seed"]) if draw and count else product(*axes.values())


def _drawn(axes: dict[str, list[Any]], size: int, count: int, seed: int) -> list[tuple[Any, ...]]:
    """Draw `count` different points of the grid, in its order, without listing all of it.

    A larger draw with the same seed contains a smaller one. The grid may be larger than random.sample accepts.
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


def _bases(point: dict[str, Any], seen: Sequence[Mapping[str, list[Any]]]) -> dict[str, Any]:
    """Return the first value of every axis of the first of the grids that has the shape of `point`."""
    axes = next(axes for axes in seen if all(point[key] in axes[key] for key in SHAPE))
    return {key: values[0] for key, values in axes.items()}


def _name(point: dict[str, Any], bases: dict[str, Any], where: str) -> str:
    """Return the name of a run: its shape, then the settings that differ from `bases`, in alphabetic order."""
    parts = [f"{point['cell']}-{point['layers']}x{point['hidden']}"]
    others = sorted(key for key in point if key not in SHAPE and (key not in bases or point[key] != bases[key]))
    parts += [f"{key}~{_text(point[key])}" for key in others]
    name = "-".join(parts)
    if len(name.encode()) > LONGEST_NAME:
        raise InputError(
            f"{where} has so many axes that the name {name!r} has {len(name)} characters, more than the limit of "
            f"{LONGEST_NAME} for file systems; give fewer settings several values"
        )
    return name


def _text(value: Any) -> str:
    """Return a value as part of a name: letters, digits, points and signs."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("e-0", "e-").replace("e+", "e") if isinstance(value, float) else str(value)
