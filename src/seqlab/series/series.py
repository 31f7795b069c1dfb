"""Series of numbers: built-in series, and files of the user."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.names import check_name
from seqlab.io.schemas import check, read_schema
from seqlab.series.definitions import check_columns, list_columns
from seqlab.series.reading.columns import read_columns

ROUNDING = 16 * float(np.finfo(np.float64).eps)  # the relative rounding error of sums of a few values
SMALLEST, LARGEST = 1e-70, 1e70  # of values whose fourth powers, as in variances of losses, fit into float64


@dataclass(frozen=True)
class Series:
    """Vectors of d values at equal steps of time, `values` (T, d), with their times in `index`, as in the source.

    `columns` are the names of the d components in the source, `known` holds known properties of the series, and `notes`
    sentences for users of the results.
    """

    columns: list[str]
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
    return Series(["x"], [str(t) for t in time], values[:, None], {"noise": noise}, [])


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
    return Series(["x"], [str(t) for t in range(1, length + 1)], values[:, None], known, [])


def sunspots() -> Series:
    """Yearly sunspots, 1700 to 2008, from statsmodels."""
    from statsmodels.datasets import sunspots  # takes a second to load

    table = sunspots.load_pandas().data
    years = [str(int(year)) for year in table["YEAR"]]
    return Series(["SUNACTIVITY"], years, table[["SUNACTIVITY"]].to_numpy(np.float64), {}, [])


def weekly_co2() -> Series:
    """Weekly carbon dioxide over Mauna Loa in ppm, 1958 to 2001 (Keeling & Whorf 2004), from statsmodels.

    Weeks without a measurement are NaN.
    """
    from statsmodels.datasets import co2

    table = co2.load_pandas().data
    return Series(["co2"], [str(day.date()) for day in table.index], table[["co2"]].to_numpy(np.float64), {}, [])


def us_economy() -> Series:
    """Economy of the United States, 1959-Q2 to 2009-Q3, from statsmodels: growth of real gross domestic product
    (realgdp), consumption (realcons) and investment (realinv) in percent of a quarter, 100 times the difference of
    logarithms, and the rate of three-month treasury bills (tbilrate) in percent of a year.

    The first three are the example of vector autoregression in the documentation of statsmodels.
    """
    from statsmodels.datasets import macrodata

    table = macrodata.load_pandas().data
    growing = ["realgdp", "realcons", "realinv"]
    growth = 100 * np.diff(np.log(table[growing].to_numpy(np.float64)), axis=0)
    values = np.column_stack([growth, table["tbilrate"].to_numpy(np.float64)[1:]])
    quarters = [f"{year:.0f}-Q{quarter:.0f}" for year, quarter in table[["year", "quarter"]].to_numpy()[1:]]
    return Series([*growing, "tbilrate"], quarters, values, {}, [])


BUILTIN_SERIES: dict[str, Callable[..., Series]] = {
    "sine": sine,
    "logistic_map": logistic_map,
    "sunspots": sunspots,
    "weekly_co2": weekly_co2,
    "us_economy": us_economy,
}


def build_series(name: str, definition: dict[str, Any]) -> Series:
    """Build the series of a block of config/series.yaml. Raises InputError, with row and column where there is one, for
    an invalid block or file, missing values that may not be filled, and constant values.
    """
    check_name("series", name)
    check(definition, read_schema("series"), f"series {name}:")
    check_columns(name, definition)
    series = _source(name, definition)
    for place, column in enumerate(series.columns):
        missing = np.flatnonzero(np.isnan(series.values[:, place]))
        if len(missing):
            way, step = definition.get("missing", "refuse"), definition.get("step", "row")
            series = _filled(name, series, place, missing, way, step)
        values = series.values[:, place]
        size = float(np.abs(values).max())
        if size and not SMALLEST < size < LARGEST:
            raise InputError(
                f"column {column!r} of series {name} has values of up to {size:g}, whose fourth powers exceed double "
                "precision; give them in another unit"
            )
        if is_constant(values):
            raise InputError(
                f"column {column!r} of series {name} is {values[0]:g} in every row, from 1 to {len(values)}; there is "
                "nothing to forecast, so choose another column"
            )
    return series


def is_constant(values: NDArray[np.float64], size: float = 0.0) -> bool:
    """Return whether `values` are equal, up to rounding in relation to `size`."""
    return float(np.ptp(values)) <= ROUNDING * size


def _source(name: str, definition: dict[str, Any]) -> Series:
    """Read or generate the series, its columns in the order of `list_columns`."""
    columns = [*chain(*list_columns(definition))]
    if definition["kind"] == "csv":
        gaps = definition.get("missing") == "interpolate"
        table = read_columns(definition["path"], columns, definition.get("decimal"), gaps)
        return Series(table.names, table.index, table.values, {}, [])
    try:
        series = BUILTIN_SERIES[definition["builtin"]](**definition.get("settings", {}))
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(
            f"the settings of series {name} are invalid ({error}); correct them in config/series.yaml"
        ) from None
    if unknown := [column for column in columns if column not in series.columns]:
        raise InputError(f"series {name} has no column {unknown[0]!r}; it has {', '.join(series.columns)}")
    columns = columns or series.columns
    return replace(series, columns=columns, values=series.values[:, [series.columns.index(name) for name in columns]])


def _filled(name: str, series: Series, place: int, missing: NDArray[np.intp], way: str, step: str) -> Series:
    """Fill the values of the column at `place` in the rows `missing` by linear interpolation, where `way` allows it."""
    column, values = series.columns[place], series.values[:, place]
    inside = missing[0] > 0 and missing[-1] < len(values) - 1
    if way != "interpolate" or not inside:
        row = int(missing[0])
        raise InputError(
            f"row {row + 1} of column {column!r} of series {name} (at {series.index[row]}) has no value; fill the gap "
            "or begin the series after it"
        )
    present = np.flatnonzero(~np.isnan(values))
    filled = series.values.copy()
    filled[:, place] = np.interp(np.arange(len(values)), present, values[present])
    longest = int(np.diff(present).max()) - 1
    where = f" of column {column!r}" if len(series.columns) > 1 else ""
    sentence = (
        f"{len(missing)} of {len(values):,} values{where} are missing in the source (at most {longest} {step}s in a "
        f"row, the last at {series.index[missing[-1]]}); they are interpolated linearly."
    )
    return replace(series, values=filled, notes=[*series.notes, sentence])
