"""Figures of bits against the length of the context, and against the steps ahead."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from seqlab.questions.horizon import SAMPLED_METHOD
from seqlab.report.style import MARKERS, assign_colours, draw_legend, draw_message, make_axes, set_whole_ticks, styled


@styled
def plot_memory(curves: pd.DataFrame) -> Figure:
    """Plot bits per symbol against symbols of context (log axis), a line for each smoothing and the best network, from
    the rows of memory.csv. A known source is a dashed line.
    """
    finite = curves[np.isfinite(curves["bits_per_symbol"].astype(float)) & np.isfinite(curves["context"].astype(float))]
    if finite.empty:
        return draw_message("No model has finite bits to draw against the length of its context.")
    series = list(dict.fromkeys(finite["series"]))
    colours = assign_colours(series)
    figure, axes = make_axes()
    handles: list[Any] = []
    for number, name in enumerate(series):
        line = finite[finite["series"] == name]
        style: dict[str, Any] = {"color": colours[name], "marker": MARKERS[number % len(MARKERS)], "label": name}
        handles += axes.plot(line["context"], line["bits_per_symbol"], **style)
        spread = line["bits_per_symbol_std"].fillna(0)
        low, high = line["bits_per_symbol"] - spread, line["bits_per_symbol"] + spread
        axes.fill_between(line["context"], low, high, color=colours[name], alpha=0.2, linewidth=0, label=name)
    for floor in curves.loc[np.isinf(curves["context"]), "bits_per_symbol"]:
        label = f"known source, {floor:.3f}"
        handles.append(axes.axhline(floor, color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=label))
    axes.set_xscale("symlog", base=2, linthresh=1, linscale=0.7)
    set_whole_ticks(axes, [0] + [2**power for power in range(11) if 2**power <= finite["context"].max()])
    axes.set_xlim(-0.2, finite["context"].max() * 1.15 + 0.2)
    axes.set(xlabel="symbols of context", ylabel="bits per symbol")
    draw_legend(figure, handles)
    return figure


@styled
def plot_horizon(curves: pd.DataFrame) -> Figure:
    """Plot bits per symbol against the number of steps ahead (log axis), a line for each model, from the rows of
    horizon.csv. Bars are two standard errors of sampling.
    """
    finite = curves[np.isfinite(curves["bits_per_symbol"].astype(float))]
    if finite.empty:
        return draw_message("No model has finite bits to draw against the steps ahead.")
    models = list(dict.fromkeys(finite["model"]))
    colours = assign_colours(models)
    figure, axes = make_axes()
    handles = []
    for number, model in enumerate(models):
        line = finite[finite["model"] == model]
        note = " (sampled)" if (line["method"] == SAMPLED_METHOD).any() else ""
        style: dict[str, Any] = {"color": colours[model], "marker": MARKERS[number % len(MARKERS)], "capsize": 3}
        place = line["steps"], line["bits_per_symbol"], 2 * line["sampling_error"]
        handles.append(axes.errorbar(*place, label=f"{model}{note}", **style))
    axes.set_xscale("log", base=2)
    set_whole_ticks(axes, sorted(set(finite["steps"])))
    axes.set(xlabel="steps ahead", ylabel="bits per symbol")
    draw_legend(figure, handles)
    return figure
