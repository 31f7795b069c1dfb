"""Figures of forecasts, from models.csv, orders.csv and arrays."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqlab.report import style
from seqlab.series.autoregression import sufficient_order

MAX_LAGS = 30
PANEL_COLUMNS = 2
DASHED_LINE = (0, (4, 2))
Arrays = dict[str, NDArray[Any]]


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels in two columns, all with the same axes."""
    rows = -(-count // PANEL_COLUMNS)
    figure = Figure(figsize=(12, 0.6 + height * rows), layout="constrained")
    panels = list(figure.subplots(rows, PANEL_COLUMNS, sharex=True, sharey=True, squeeze=False).flat)
    for unused in panels[count:]:
        unused.set_visible(False)
    for axes in panels[max(0, count - PANEL_COLUMNS) : count]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
    return figure, panels[:count]


@style.styled
def plot_forecast_paths(series: pd.DataFrame, description: dict[str, Any], forecasts: dict[str, Arrays]) -> Figure:
    """Plot the end of test and its forecasts by each model, a panel for each model and a line for each horizon.

    `series` has the columns index and value of series.csv, `description` is the content of series.json, and
    `forecasts[model]` holds the arrays of forecasts.npz, of which the first seed is drawn. The dotted line is the mean
    of the trajectories at the longest horizon. The grey line is the mean of train, unless models learn changes.
    """
    start, stop = description["splits"]["test"]
    first = stop - min(description["shown"] or stop - start, stop - start)
    values, scale = series["value"].to_numpy(dtype=np.float64)[first:stop], description["scale"]
    horizons = next(iter(forecasts.values()))["horizons"].tolist()
    colours = {horizon: style.COLOURS[place % len(style.COLOURS)] for place, horizon in enumerate(horizons)}
    figure, panels = _panels(len(forecasts), 2.1)
    for axes, (model, arrays) in zip(panels, forecasts.items(), strict=True):
        axes.plot(np.arange(first, stop), values, color="#9A9A9A", linewidth=1.2)
        for place, horizon in enumerate(horizons):
            axes.plot(*_line(arrays, "points", place, first, stop), color=colours[horizon], linewidth=1.4)
        if "means" in arrays and horizons[-1] > 1:
            axes.plot(
                *_line(arrays, "means", len(horizons) - 1, first, stop), color="black", linestyle=":", linewidth=1.6
            )
        if not scale["difference"]:
            axes.axhline(scale["mean"], color=style.GREY, linestyle=DASHED_LINE, linewidth=0.9)
        axes.set_title(model)
    room = 0.2 * (values.max() - values.min())
    panels[0].set_ylim(values.min() - room, values.max() + room)  # diverging forecasts leave the panel
    _time_axis(panels, list(series["index"]), description["step"], first, stop)
    for axes in panels[::PANEL_COLUMNS]:
        axes.set_ylabel(description["unit"])
    handles = [Line2D([], [], color="#9A9A9A", linewidth=1.2, label=description["column"])]
    handles += [Line2D([], [], color=colour, label=f"{k} ahead") for k, colour in colours.items()]
    if any("means" in arrays for arrays in forecasts.values()):
        label = f"{horizons[-1]} ahead,\nmean of trajectories"
        handles.append(Line2D([], [], color="black", linestyle=":", linewidth=1.6, label=label))
    if not scale["difference"]:
        handles.append(Line2D([], [], color=style.GREY, linestyle=DASHED_LINE, linewidth=0.9, label="mean of train"))
    style.draw_legend(figure, handles)
    return figure


def _line(arrays: Arrays, name: str, place: int, first: int, stop: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return times and forecasts of one horizon, for the times from `first` to `stop`."""
    targets = arrays["origins"] + arrays["horizons"][place]
    inside = (targets >= first) & (targets < stop)
    return targets[inside], arrays[name][0, inside, place]


def _time_axis(panels: Sequence[Axes], index: Sequence[str], step: str, first: int, stop: int) -> None:
    """Label five times with the index of the series."""
    places = np.linspace(first, stop - 1, 5).round().astype(int)
    for axes in panels:
        axes.set_xticks(places, [index[place] for place in places], fontsize=9)
    for axes in panels[-PANEL_COLUMNS:]:
        axes.set_xlabel(step)


@style.styled
def plot_error_by_horizon(models: pd.DataFrame, description: dict[str, Any]) -> Figure:
    """Plot test RMSE, test CRPS and the spread of the forecasts against the horizon, a line for each model, from the
    rows of models.csv. Bars are 95 % intervals over origins and seeds; the spread is that of the means of trajectories,
    or of the points where a model has no distribution.

    A horizon of predictability in `description`, the content of series.json, is a dashed line.
    """
    unit, known = description["unit"], description["known"]
    test = models[models["split"] == "test"]
    styles = _styles(list(dict.fromkeys(test["model"])))
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    panels = figure.subplots(1, 3)
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
    handles = [Line2D([], [], label=model, **look) for model, look in styles.items()]
    if "predictable" in known:
        label = f"horizon of predict-\nability, {known['predictable']:.1f}"
        handles.append(Line2D([], [], color="black", linestyle=DASHED_LINE, linewidth=1.2, label=label))
    style.draw_legend(figure, handles)
    return figure


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
    """Plot the autocorrelation of each model's test errors one step ahead at lags 1 to 30, a panel for each model.

    `forecasts[model]` holds the arrays of forecasts.npz, of which the first seed is drawn. The band contains 95 % of
    the values of white noise.
    """
    from statsmodels.tsa.stattools import acf  # takes a second to load

    residuals = {
        model: arrays["errors"][0, :, arrays["horizons"].tolist().index(1)] for model, arrays in forecasts.items()
    }
    shortest = min(len(errors) for errors in residuals.values())
    lags = min(MAX_LAGS, shortest - 2)
    if lags < 1:
        return style.draw_message("Test has too few errors to draw their autocorrelation.")
    figure, panels = _panels(len(residuals), 1.7)
    for axes, (model, errors) in zip(panels, residuals.items(), strict=True):
        band = 1.96 / math.sqrt(len(errors))
        axes.axhspan(-band, band, color="#D9E8F3", linewidth=0)
        axes.axhline(0, color=style.GREY, linewidth=0.8)
        if np.ptp(errors) > 0:
            correlations = acf(errors, nlags=lags)[1:]
            axes.vlines(np.arange(1, lags + 1), 0, correlations, color=style.COLOURS[0], linewidth=2)
            outside = int((np.abs(correlations) > band).sum())
            axes.set_title(f"{model}: {outside} of {lags} outside the band", fontsize=11)
    for axes in panels[::PANEL_COLUMNS]:
        axes.set_ylabel("autocorrelation")
    for axes in panels[-PANEL_COLUMNS:]:
        axes.set_xlabel("lag")
    return figure


@style.styled
def plot_markov_check(orders: pd.DataFrame) -> Figure:
    """Plot the partial autocorrelation on train with the 95 % band of zero, and the validation RMSE against the order
    of the autoregression in scaled units, from the rows of orders.csv.
    """
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    band = float(orders["band"].iloc[0])
    left.axhspan(-band, band, color="#D9E8F3", linewidth=0)
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
