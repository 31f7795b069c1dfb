"""What models cost and what they give for it: a figure of bits against parameters and against seconds."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from seqlab.report.figures import (
    DASHES,
    NO_SOURCES,
    Sources,
    entropy_rate_of,
    infinite_notes,
    legend_line,
    network_rows,
    ngram_rows,
)
from seqlab.report.style import GREY, MARKERS, colour_of, legend, log_axis, message, number, styled, wrapped
from seqlab.report.tables import best_on_valid

COSTS = {"parameters": "parameters", "train_seconds": "seconds of training"}
SHORTEST = 1e-3  # seconds; what is faster was not measured


@styled
def cost(models: pd.DataFrame, sources: Sources = NO_SOURCES) -> Figure:
    """Test bits per character against parameters and against seconds of training (log axes), a panel for each.

    n-grams are filled and joined, networks open with error bars over seeds; the thin grey line is the Pareto front,
    below which nothing of its cost was found. Compressors, which learn nothing, are dotted lines. The known floor is
    the entropy rate in the metrics of `sources` with its interval shaded, put from bits per symbol into bits per
    character.
    """
    entropy_rate = entropy_rate_of(sources)
    ngrams, networks = ngram_rows(models).sort_values("parameters"), network_rows(models)
    if ngrams.empty and networks.empty:
        return message("Neither an n-gram nor a recurrent network was scored, so there are no costs to compare.")
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, column in zip(panels, COSTS, strict=True):
        handles = _series(axes, models, ngrams, True, column) + _series(axes, models, networks, False, column)
        handles += _front(axes, pd.concat([ngrams, networks]), column)
        handles += _compressors(axes, models)
        handles += _floor(axes, models[models["split"] == "test"], entropy_rate)
        axes.set(xlabel=COSTS[column])
        axes.margins(x=0.12, y=0.1)
        log_axis(axes, "x")
    panels[0].set_ylabel("test bits per character")
    legend(figure, handles + [legend_line(note) for note in infinite_notes(ngrams)])
    return figure


def _drawable(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    return runs[np.isfinite(runs["bits_per_char"]) & (runs[column] >= SHORTEST)]


def _series(axes: Axes, models: pd.DataFrame, runs: pd.DataFrame, is_ngram: bool, column: str) -> list[Any]:
    """The points of one family, a series for each smoothing or cell, and the name of the best on valid."""
    if is_ngram:
        whole = runs["pruned_from"] == ""
        series = [name if own else f"{name} pruned" for name, own in zip(runs["smoothing"], whole, strict=True)]
    else:
        series = list(runs["cell"])
    runs = runs.assign(series=series)
    names = sorted(set(series))
    colours = colour_of(names, from_end=not is_ngram)
    drawable, handles = _drawable(runs, column), []
    kind, zorder = ("n-gram", 3) if is_ngram else ("network", 4)
    line: dict[str, Any] = {
        "linestyle": "-" if is_ngram and column == "parameters" else "none",
        "linewidth": 1,
        "zorder": zorder,
    }
    bars: dict[str, Any] = {"capsize": 3, "elinewidth": 1.3, "linestyle": "none", "zorder": 2}
    for name, group in drawable.groupby("series"):
        colour = colours[name]
        points: dict[str, Any] = {"marker": MARKERS[names.index(name) % len(MARKERS)], "markeredgewidth": 1.5}
        points["markerfacecolor"] = colour if is_ngram else "white"
        place = group[column], group["bits_per_char"]
        handles += axes.plot(*place, color=colour, label=f"{name} {kind}", **points, **line)
        spread = group[group["bits_per_char_std"] > 0]
        if not spread.empty:
            axes.errorbar(spread[column], spread["bits_per_char"], spread["bits_per_char_std"], color=colour, **bars)
    best = best_on_valid(models[models["family"] == ("ngram" if is_ngram else "rnn")])
    for row in drawable[drawable["model"] == best].to_dict("records"):
        point, offset = (row[column], row["bits_per_char"]), (0, 9 if is_ngram else -9)
        label = wrapped(row["model"], 20)
        aside = "right" if row[column] > drawable[column].median() else "left"
        sides: dict[str, Any] = {"ha": aside if "\n" in label else "center", "va": "bottom" if is_ngram else "top"}
        halo = [withStroke(linewidth=3, foreground="white")]
        text = axes.annotate(label, point, offset, textcoords="offset points", zorder=5, path_effects=halo, **sides)
        text.set_in_layout(False)  # a long name does not make the plot smaller
    return handles


def _front(axes: Axes, runs: pd.DataFrame, column: str) -> list[Any]:
    """The models that no other beats in both: a step line from the cheapest to the best."""
    points = _drawable(runs, column).sort_values([column, "bits_per_char"])
    if points.empty:
        return []
    front = points[points["bits_per_char"] < points["bits_per_char"].cummin().shift(fill_value=math.inf)]
    line: dict[str, Any] = {"color": GREY, "linewidth": 1, "drawstyle": "steps-post", "zorder": 1}
    return axes.plot(front[column], front["bits_per_char"], label="Pareto front", **line)


def _compressors(axes: Axes, models: pd.DataFrame) -> list[Any]:
    test = models[(models["split"] == "test") & (models["family"] == "compressor")]
    rows = test[np.isfinite(test["bits_per_char"])].to_dict("records")
    handles = []
    for row, dash in zip(rows, itertools.cycle(DASHES[place] for place in (2, 3, 1)), strict=False):
        label = f"{row['model']}, {number(row['bits_per_char'])}"
        handles.append(axes.axhline(row["bits_per_char"], color=GREY, linestyle=dash, linewidth=1.5, label=label))
    return handles


def _floor(axes: Axes, test: pd.DataFrame, entropy_rate: dict[str, float] | None) -> list[Any]:
    source = test[test["family"] == "source"]
    if entropy_rate is None:
        if source.empty:
            return []
        floor, low, high = float(source["bits_per_char"].iloc[0]), None, None
    else:
        row = (source if len(source) else test).iloc[0]
        share = row["bits_per_char"] / row["bits_per_symbol"]  # symbols per character, the same for every model
        share = share if math.isfinite(share) else 1.0
        floor, low, high = (entropy_rate[name] * share for name in ("bits_per_symbol", "low", "high"))
    handles: list[Any] = [
        axes.axhline(floor, color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=f"known floor, {number(floor)}")
    ]
    if low is not None and high is not None:
        handles.append(
            axes.axhspan(low, high, color="black", alpha=0.1, linewidth=0, label="95 % of test texts\nof this length")
        )
    return handles
