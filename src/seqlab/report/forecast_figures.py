"""Figures of forecasts, from models.csv, orders.csv and arrays."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqlab.report import style
from seqlab.series.autoregression import sufficient_order
from seqlab.series.tables import list_table_columns, select_column

MAX_LAGS = 30
PANEL_COLUMNS = 2
DASHED_LINE = (0, (4, 2))
Arrays = dict[str, NDArray[Any]]


def _panels(models: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each model and column of the series: a row of panels for each model, which share
    the vertical axes of their columns, or for a single column two models in a row, which share all axes.
    """
    wide = columns if columns > 1 else PANEL_COLUMNS
    count = models * columns
    rows = -(-count // wide)
    figure = Figure(figsize=(max(12, 4 * wide), 0.6 + height * rows), layout="constrained")
    shared: Literal["col", "all"] = "col" if columns > 1 else "all"
    panels = list(figure.subplots(rows, wide, sharex=True, sharey=shared, squeeze=False).flat)
    for unused in panels[count:]:
        unused.set_visible(False)
    for axes in panels[max(0, count - wide) : count]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
    return figure, panels[:count]


@style.styled
def plot_forecast_paths(
    series: tuple[list[str], NDArray[np.float64]], description: dict[str, Any], forecasts: dict[str, Arrays]
) -> Figure:
    """Plot the end of test and its forecasts by each model, a panel for each model and column, and a line for each
    horizon.

    `series` are the times and values of series.csv, `description` is the content of series.json, and
    `forecasts[model]` holds the arrays of forecasts.npz, of which the first seed is drawn. The dotted line is the mean
    of the trajectories at the longest horizon. The grey line is the mean of train, unless models learn changes.
    """
    start, stop = description["splits"]["test"]
    first = stop - min(description["shown"] or stop - start, stop - start)
    index, values = series
    scale, columns = description["scale"], description["columns"]
    horizons = next(iter(forecasts.values()))["horizons"].tolist()
    colours = {horizon: style.COLOURS[place % len(style.COLOURS)] for place, horizon in enumerate(horizons)}
    figure, panels = _panels(len(forecasts), len(columns), 2.1)
    for axes, ((model, arrays), column) in zip(panels, product(forecasts.items(), range(len(columns))), strict=True):
        axes.plot(np.arange(first, stop), values[first:stop, column], color="#9A9A9A", linewidth=1.2)
        for place, horizon in enumerate(horizons):
            line = _line(arrays, "points", place, column, first, stop)
            axes.plot(*line, color=colours[horizon], linewidth=1.4)
        if "means" in arrays and horizons[-1] > 1:
            line = _line(arrays, "means", len(horizons) - 1, column, first, stop)
            axes.plot(*line, color="black", linestyle=":", linewidth=1.6)
        if not scale["difference"]:
            axes.axhline(scale["mean"][column], color=style.GREY, linestyle=DASHED_LINE, linewidth=0.9)
        axes.set_title(f"{model}, {columns[column]}" if len(columns) > 1 else model)
    for column, axes in enumerate(panels[: len(columns)]):
        shown = values[first:stop, column]
        room = 0.2 * (shown.max() - shown.min())
        axes.set_ylim(shown.min() - room, shown.max() + room)  # diverging forecasts leave the panel
    _time_axis(panels, len(columns), index, description["step"], first, stop)
    for place, axes in enumerate(panels):
        if len(columns) > 1 or place % PANEL_COLUMNS == 0:
            axes.set_ylabel(description["units"][place % len(columns)])
    label = columns[0] if len(columns) == 1 else "values"
    handles = [Line2D([], [], color="#9A9A9A", linewidth=1.2, label=label)]
    handles += [Line2D([], [], color=colour, label=f"{k} ahead") for k, colour in colours.items()]
    if any("means" in arrays for arrays in forecasts.values()):
        label = f"{horizons[-1]} ahead,\nmean of trajectories"
        handles.append(Line2D([], [], color="black", linestyle=":", linewidth=1.6, label=label))
    if not scale["difference"]:
        handles.append(Line2D([], [], color=style.GREY, linestyle=DASHED_LINE, linewidth=0.9, label="mean of train"))
    style.draw_legend(figure, handles)
    return figure


def _line(
    arrays: Arrays, name: str, place: int, column: int, first: int, stop: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return times and forecasts of a column at one horizon, for the times from `first` to `stop`."""
    targets = arrays["origins"] + arrays["horizons"][place]
    inside = (targets >= first) & (targets < stop)
    return targets[inside], arrays[name][0, inside, place, column]


def _time_axis(panels: Sequence[Axes], columns: int, index: Sequence[str], step: str, first: int, stop: int) -> None:
    """Label five times with the index of the series, or three in the panels of several columns."""
    places = np.linspace(first, stop - 1, 5 if columns == 1 else 3).round().astype(int)
    for axes in panels:
        axes.set_xticks(places, [index[place] for place in places], fontsize=9)
    for axes in panels[-max(columns, PANEL_COLUMNS) :]:
        axes.set_xlabel(step)


@style.styled
def plot_error_by_horizon(models: pd.DataFrame, description: dict[str, Any]) -> Figure:
    """Plot test RMSE, test CRPS and the spread of the forecasts against the horizon, a line for each model, from the
    rows of models.csv. Bars are 95 % intervals over origins and seeds; the spread is that of the means of trajectories,
    or of the points where a model has no distribution. Of several columns the first row of panels is their mean, and
    each has a row of its own.

    A horizon of predictability in `description`, the content of series.json, is a dashed line.
    """
    known = description["known"]
    units = {"": description["units"][0]}
    if columns := list_table_columns(models):
        units = {"": "deviations on train"} | dict(zip(columns, description["units"], strict=True))
    styles = _styles(list(dict.fromkeys(models["model"])))
    figure = Figure(figsize=(13, 4.2 * len(units)), layout="constrained")
    grid = figure.subplots(len(units), 3, squeeze=False)
    for panels, (column, unit) in zip(grid, units.items(), strict=True):
        rows = select_column(models, column)
        _error_panels(panels, rows[rows["split"] == "test"], unit, styles, known)
        if columns:
            panels[0].set_title(column or "mean over columns")
    handles = [Line2D([], [], label=model, **look) for model, look in styles.items()]
    if "predictable" in known:
        label = f"horizon of predict-\nability, {known['predictable']:.1f}"
        handles.append(Line2D([], [], color="black", linestyle=DASHED_LINE, linewidth=1.2, label=label))
    style.draw_legend(figure, handles)
    return figure


def _error_panels(
    panels: Sequence[Axes], test: pd.DataFrame, unit: str, styles: dict[str, dict[str, Any]], known: dict[str, float]
) -> None:
    """Plot RMSE, CRPS and spread of the rows `test`, of one column or of the mean over columns, into three panels."""
    labels = {
        "rmse": f"RMSE of the roll-out ({unit})",
        "crps": f"CRPS of the trajectories ({unit})",
        "trajectory_spread": "spread of mean forecasts by that of the values",
    }
    for axes, (name, label) in zip(panels, labels.items(), strict=True):
        for number, (model, look) in enumerate(styles.items()):
            aside = 1.05 ** (number - len(styles) / 2)  # keeps bars from overlapping
            _errors(axes, test[test["model"] == model], name, aside, look)
        axes.set_xscale("log", base=2)
        style.set_whole_ticks(axes, sorted(test["horizon"].unique()))
        axes.set_ylim(bottom=0)
        axes.set(xlabel="steps ahead", ylabel=label)
        if "predictable" in known:
            axes.axvline(known["predictable"], color="black", linestyle=DASHED_LINE, linewidth=1.2)
    panels[2].axhline(1.0, color=style.GREY, linewidth=0.9)


def _styles(models: list[str]) -> dict[str, dict[str, Any]]:
    """Return the line style of each model; repeated colours are dashed."""
    colours = style.assign_colours(models)
    return {
        model: {
            "color": colours[model],
            "marker": style.MARKERS[number % len(style.MARKERS)],
            "markersize": 5,
            "linestyle": "-" if number < len(style.COLOURS) else DASHED_LINE,
        }
        for number, model in enumerate(models)
    }


def _errors(axes: Axes, rows: pd.DataFrame, name: str, aside: float, look: dict[str, Any]) -> None:
    """Draw the line of one model, and its intervals if the figure has them; `aside` is a factor of the horizon."""
    drawn = rows[name].fillna(rows["spread"]) if name == "trajectory_spread" else rows[name]
    line = rows.assign(drawn=drawn)[np.isfinite(drawn)]
    place = line["horizon"] * aside
    axes.plot(place, line["drawn"], linewidth=1.4, **look)
    if name != "trajectory_spread":
        bars = line[np.isfinite(line[f"{name}_low"])]
        low, high = bars[f"{name}_low"].clip(lower=0), bars[f"{name}_high"]
        axes.vlines(place[bars.index], low, high, color=look["color"], linewidth=1.1)


@style.styled
def plot_residual_autocorrelation(forecasts: dict[str, Arrays]) -> Figure:
    """Plot the autocorrelation of each model's test errors one step ahead at lags 1 to 30, a panel for each model and
    column.

    `forecasts[model]` holds the arrays of forecasts.npz, of which the first seed is drawn. The band contains 95 % of
    the values of white noise.
    """
    from statsmodels.tsa.stattools import acf  # takes a second to load

    residuals: dict[str, NDArray[np.float64]] = {}
    for model, arrays in forecasts.items():
        errors = arrays["errors"][0, :, arrays["horizons"].tolist().index(1)]
        titles = [f"{model}, {column}" for column in arrays["columns"]] if "columns" in arrays else [model]
        residuals |= dict(zip(titles, errors.T, strict=True))
    shortest = min(len(errors) for errors in residuals.values())
    lags = min(MAX_LAGS, shortest - 2)
    if lags < 1:
        return style.draw_message("Test has too few errors to draw their autocorrelation.")
    columns = len(residuals) // len(forecasts)
    where = "outside the band" if columns == 1 else "outside"
    figure, panels = _panels(len(forecasts), columns, 1.7)
    for axes, (title, errors) in zip(panels, residuals.items(), strict=True):
        band = 1.96 / math.sqrt(len(errors))
        axes.axhspan(-band, band, color="#D9E8F3", linewidth=0)
        axes.axhline(0, color=style.GREY, linewidth=0.8)
        if np.ptp(errors) > 0:
            correlations = acf(errors, nlags=lags)[1:]
            axes.vlines(np.arange(1, lags + 1), 0, correlations, color=style.COLOURS[0], linewidth=2)
            outside = int((np.abs(correlations) > band).sum())
            axes.set_title(f"{title}: {outside} of {lags} {where}", fontsize=11)
    wide = max(columns, PANEL_COLUMNS)
    for axes in panels[::wide]:
        axes.set_ylabel("autocorrelation")
    for axes in panels[-wide:]:
        axes.set_xlabel("lag")
    return figure


@style.styled
def plot_markov_check(orders: pd.DataFrame) -> Figure:
    """Plot the partial autocorrelation on train with the 95 % band of zero, and the validation RMSE against the order
    of the autoregression in scaled units, from the rows of orders.csv. The band of several columns grows with the
    order, and their partial autocorrelation is not negative.
    """
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    band = orders["band"]
    if band.nunique() == 1:
        left.axhspan(-band[0], band[0], color="#D9E8F3", linewidth=0)
    else:
        left.fill_between(orders["order"], 0, band, step="mid", color="#D9E8F3", linewidth=0)
    left.axhline(0, color=style.GREY, linewidth=0.8)
    left.vlines(orders["order"], 0, orders["partial_autocorrelation"], color=style.COLOURS[0], linewidth=2)
    left.set(xlabel="lag", ylabel="partial autocorrelation on train")
    right.plot(orders["order"], orders["valid_rmse"], color=style.COLOURS[0], marker="o", markersize=3.5, linewidth=1.2)
    chosen, enough = int(orders.loc[orders["chosen"], "order"].iloc[0]), sufficient_order(orders)
    marks = {chosen: (f"lowest: {chosen}", style.COLOURS[5]), enough: (f"tied with it: {enough}", style.COLOURS[1])}
    if chosen == enough:
        marks = {chosen: (f"lowest: {chosen}, lower orders are worse", style.COLOURS[5])}
    for order, (label, colour) in marks.items():
        row = orders[orders["order"] == order].iloc[0]
        right.plot([order], [row["valid_rmse"]], color=colour, marker="D", markersize=8, linestyle="none", label=label)
    right.set(xlabel="order of the autoregression", ylabel="RMSE on valid, one step ahead (scaled)")
    right.legend()
    return figure
