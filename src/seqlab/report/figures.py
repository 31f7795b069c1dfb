"""The figure of n-grams by order, and the rows of models.csv that several figures draw."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqlab.report.style import (
    MARKERS,
    colour_of,
    deviation,
    legend,
    log_axis,
    message,
    number,
    single_axes,
    styled,
)
from seqlab.report.tables import best_on_valid

Sources = Mapping[str, Mapping[str, Any]]  # the metrics of each source by its name
NO_SOURCES: Sources = {}
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@styled
def perplexity_by_order(models: pd.DataFrame, sources: Sources = NO_SOURCES) -> Figure:
    """Test perplexity (log axis) against order, a line for each smoothing, from the rows of models.csv.

    The network that is best on valid of each cell is a horizontal line with a band of one standard deviation over
    its seeds; the known floor is dashed: the entropy rate in the metrics of `sources` as a perplexity, else the test
    perplexity of the source. Infinite figures are named, not drawn.
    """
    ngrams = ngram_rows(models[models["pruned_from"] == ""])  # a point for each order; the parameters show the others
    finite = ngrams[np.isfinite(ngrams["perplexity"])]
    if finite.empty:
        return message(" ".join(["No n-gram has a finite test perplexity to draw.", *infinite_notes(ngrams)]))
    figure, axes = single_axes()
    smoothings = sorted(ngrams["smoothing"].unique())
    colours = colour_of(smoothings)
    handles: list[Any] = []
    for place, (smoothing, line) in enumerate(finite.groupby("smoothing")):
        marker = MARKERS[smoothings.index(smoothing) % len(MARKERS)]
        dash = DASHES[place // len(set(colours.values())) % len(DASHES)]
        look = {"color": colours[smoothing], "marker": marker, "linestyle": dash, "zorder": 3}
        handles += axes.plot(line["order"], line["perplexity"], label=smoothing, **look)
    handles += _bands(axes, models)
    floor = _floor_perplexity(models, entropy_rate_of(sources))
    if floor is not None:
        label = f"known floor, {number(floor)}"
        handles.append(axes.axhline(floor, color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=label))
    handles += [legend_line(note) for note in infinite_notes(ngrams)]
    axes.set(xlabel="order of the n-gram (symbols, the predicted one included)", ylabel="test perplexity")
    axes.set_xlim(ngrams["order"].min() - 0.3, ngrams["order"].max() + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    log_axis(axes, "y")
    legend(figure, handles)
    return figure


def ngram_rows(models: pd.DataFrame) -> pd.DataFrame:
    """The test rows of n-grams by rising order."""
    rows = models[(models["family"] == "ngram") & (models["split"] == "test")]
    return rows.sort_values("order", kind="stable")


def network_rows(models: pd.DataFrame) -> pd.DataFrame:
    """The test rows of recurrent networks."""
    return models[(models["family"] == "rnn") & (models["split"] == "test")]


def entropy_rate_of(sources: Sources) -> dict[str, float] | None:
    """The entropy rate of the source that generated a text, with its interval; None where it is not known."""
    return next((metrics["entropy_rate"] for metrics in sources.values() if metrics.get("entropy_rate")), None)


def infinite_notes(ngrams: pd.DataFrame) -> list[str]:
    """A note for each smoothing that gives some symbol of the test split no probability."""
    notes = []
    for smoothing, line in ngrams.groupby("smoothing"):
        infinite = line["order"][np.isinf(line["perplexity"])].tolist()
        if not infinite:
            continue
        onwards = infinite == [order for order in line["order"] if order >= infinite[0]] and len(line) > 1
        orders = f"from order {infinite[0]}" if onwards else f"at order {', '.join(map(str, infinite))}"
        notes.append(f"{smoothing}: infinite {orders}")
    return notes


def _bands(axes: Axes, models: pd.DataFrame) -> list[Any]:
    networks = network_rows(models)
    cells = sorted(networks["cell"].unique())
    colours = colour_of(cells, from_end=True)
    handles = []
    for cell in cells:
        of_cell = networks.loc[networks["cell"] == cell, "model"]
        best = best_on_valid(models[(models["family"] == "rnn") & models["model"].isin(of_cell)])
        dash = ("-", *DASHES[3:], *DASHES[1:3])[cells.index(cell) % 4]
        for row in networks[(networks["model"] == best) & np.isfinite(networks["perplexity"])].itertuples():
            label = f"{row.model}, {number(row.perplexity)}"
            if row.perplexity_std > 0:
                label += f" ± {deviation(row.perplexity_std, row.perplexity)}"
                low, high = max(row.perplexity - row.perplexity_std, 1.0), row.perplexity + row.perplexity_std
                axes.axhspan(low, high, color=colours[cell], alpha=0.25, linewidth=0)
            line = axes.axhline(row.perplexity, color=colours[cell], linestyle=dash, linewidth=1.6, label=label)
            handles.append(line)
    return handles


def _floor_perplexity(models: pd.DataFrame, entropy_rate: dict[str, float] | None) -> float | None:
    if entropy_rate is not None:
        return float(2.0 ** entropy_rate["bits_per_symbol"])
    source = models.loc[(models["family"] == "source") & (models["split"] == "test"), "perplexity"]
    return float(source.iloc[0]) if len(source) and math.isfinite(source.iloc[0]) else None


def legend_line(note: str) -> Line2D:
    """A line of the legend that has words alone."""
    return Line2D([], [], linestyle="none", label=note)
