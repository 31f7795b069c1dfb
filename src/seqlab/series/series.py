"""Series of numbers: built-in series, and files of the user."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.names import check_name
from seqlab.io.schemas import check, read_schema
from seqlab.series.reading.columns import read_column

ROUNDING = 16 * float(np.finfo(np.float64).eps)  # the relative rounding error of sums of a few values
SMALLEST, LARGEST = 1e-70, 1e70  # of values whose fourth powers, as in variances of losses, fit into float64


@dataclass(frozen=True)
class Series:
    """Values at equal steps of time, `values` (T,), each with the time in `index`, as written in the source.

    `column` is the name of the values in the source, `known` holds known properties of the series, and `notes`
    sentences for users of the results.
    """

    column: str
    index: list[str]
    values: NDArray[np.float64]
    known: dict[str, float]
    notes: list[str]


def sine(length: int, frequency: float, noise: float, seed: int) -> Series:
    """sin(frequency t) for t = 1 to `length`, with Gaussian noise of standard deviation `noise`.

    With 1,000 points, a frequency of 0.01 and noise of 0.2 it is the example of *Dive into Deep Learning*, section 9.1.
    """
    time = np.arange(1, length + 1)
    values = np.sin(frequency * time) + noise * np.random.default_rng(seed).standard_normal(length)
    return Series("x", [str(t) for t in time], values, {"noise": noise}, [])


def logistic_map(length: int, start: float, noise: float, seed: int) -> Series:
    """x_{t+1} = 4 x_t (1 - x_t) from x_1 = `start`, each observed with Gaussian noise of standard deviation `noise`.

    Its Lyapunov exponent is ln 2 exactly (Strogatz, *Nonlinear Dynamics and Chaos*, section 10.5): on average a small
    error doubles with each step. So an error of the size of the noise reaches the spread of the series, whose standard
    deviation is 1 / sqrt(8), after ln(1 / (sqrt(8) noise)) / ln 2 steps, the horizon of predictability.
    """
    if not 0 < start < 1:
        raise ValueError(f"start is {start}, and must be above 0 and below 1")
    states = [start]
    while len(states) < length:
        states.append(4 * states[-1] * (1 - states[-1]))
    values = np.array(states) + noise * np.random.default_rng(seed).standard_normal(length)
    known = {"noise": noise, "lyapunov": math.log(2)}
    if noise > 0:
        known["predictable"] = math.log2(1 / (math.sqrt(8) * noise))
    return Series("x", [str(t) for t in range(1, length + 1)], values, known, [])


def sunspots() -> Series:
    """Yearly sunspots, 1700 to 2008, from statsmodels."""
    from statsmodels.datasets import sunspots  # takes a second to load

    table = sunspots.load_pandas().data
    years = [str(int(year)) for year in table["YEAR"]]
    return Series("SUNACTIVITY", years, table["SUNACTIVITY"].to_numpy(np.float64), {}, [])


def weekly_co2() -> Series:
    """Weekly carbon dioxide over Mauna Loa in ppm, 1958 to 2001 (Keeling & Whorf 2004), from statsmodels.

    Weeks without a measurement are NaN.
    """
    from statsmodels.datasets import co2

    table = co2.load_pandas().data
    return Series("co2", [str(day.date()) for day in table.index], table["co2"].to_numpy(np.float64), {}, [])


BUILTIN_SERIES: dict[str, Callable[..., Series]] = {
    "sine": sine,
    "logistic_map": logistic_map,
    "sunspots": sunspots,
    "weekly_co2": weekly_co2,
}


def build_series(name: str, definition: dict[str, Any]) -> Series:
    """Build the series of a block of config/series.yaml. Raises InputError, with row and column where there is one, for
    an invalid block or file, missing values that may not be filled, and constant values.
    """
    check_name("series", name)
    check(definition, read_schema("series"), f"series {name}:")
    series = _source(name, definition)
    missing = np.flatnonzero(np.isnan(series.values))
    if len(missing):
        series = _filled(name, series, missing, definition.get("missing", "refuse"), definition.get("step", "row"))
    size = float(np.abs(series.values).max())
    if size and not SMALLEST < size < LARGEST:
        raise InputError(
            f"column {series.column!r} of series {name} has values of up to {size:g}, whose fourth powers exceed "
            "double precision; give them in another unit"
        )
    if is_constant(series.values):
        raise InputError(
            f"column {series.column!r} of series {name} is {series.values[0]:g} in every row, from 1 to "
            f"{len(series.values)}; there is nothing to forecast, so choose another column"
        )
    return series


def is_constant(values: NDArray[np.float64], size: float = 0.0) -> bool:
    """Return whether `values` are equal, up to rounding in relation to `size`."""
    return float(np.ptp(values)) <= ROUNDING * size


def _source(name: str, definition: dict[str, Any]) -> Series:
    """Read or generate the series."""
    if definition["kind"] == "csv":
        gaps = definition.get("missing") == "interpolate"
        read = read_column(definition["path"], definition.get("column"), definition.get("decimal"), gaps)
        return Series(read.column, read.index, read.values, {}, [])
    try:
        return BUILTIN_SERIES[definition["builtin"]](**definition.get("settings", {}))
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(
            f"the settings of series {name} are invalid ({error}); correct them in config/series.yaml"
        ) from None


def _filled(name: str, series: Series, missing: NDArray[np.intp], way: str, step: str) -> Series:
    """Fill the values at the places `missing` by linear interpolation, where `way` allows it."""
    inside = missing[0] > 0 and missing[-1] < len(series.values) - 1
    if way != "interpolate" or not inside:
        row = int(missing[0])
        raise InputError(
            f"row {row + 1} of column {series.column!r} of series {name} (at {series.index[row]}) has no value; fill "
            "the gap or begin the series after it"
        )
    present = np.flatnonzero(~np.isnan(series.values))
    values = np.interp(np.arange(len(series.values)), present, series.values[present])
    longest = int(np.diff(present).max()) - 1
    sentence = (
        f"{len(missing)} of {len(values):,} values are missing in the source (at most {longest} {step}s in a row, the "
        f"last at {series.index[missing[-1]]}); they are interpolated linearly."
    )
    return replace(series, values=values, notes=[*series.notes, sentence])
