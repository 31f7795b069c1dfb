"""Figure of perplexity by order, and rows of models.csv that several figures draw."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqlab.report import style
from seqlab.report.tables import find_best_model

Sources = Mapping[str, Mapping[str, Any]]  # the metrics of each source by its name
NO_SOURCES: Sources = {}
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@style.styled
def plot_perplexity_by_order(models: pd.DataFrame, sources: Sources = NO_SOURCES) -> Figure:
    """Plot test perplexity (log axis) against order, a line for each smoothing, from the rows of models.csv.

    The best network of each cell on validation is a horizontal line with a band of one standard deviation over its
    seeds; the known floor is dashed: the entropy rate in the metrics of `sources` as a perplexity, else the test
    perplexity of the source. Infinite figures are listed in the legend.
    """
    ngrams = select_ngrams(models[models["pruned_from"] == ""])  # one point for each order
    finite = ngrams[np.isfinite(ngrams["perplexity"])]
    if finite.empty:
        return style.draw_message(
            " ".join(["No n-gram has a finite test perplexity to draw.", *describe_infinite(ngrams)])
        )
    figure, axes = style.make_axes()
    smoothings = sorted(ngrams["smoothing"].unique())
    colours = style.assign_colours(smoothings)
    handles: list[Any] = []
    for place, (smoothing, line) in enumerate(finite.groupby("smoothing")):
        marker = style.MARKERS[smoothings.index(smoothing) % len(style.MARKERS)]
        dash = DASHES[place // len(set(colours.values())) % len(DASHES)]
        look = {"color": colours[smoothing], "marker": marker, "linestyle": dash, "zorder": 3}
        handles += axes.plot(line["order"], line["perplexity"], label=smoothing, **look)
    handles += _bands(axes, models)
    floor = _floor_perplexity(models, find_entropy_rate(sources))
    if floor is not None:
        label = f"known floor, {style.format_number(floor)}"
        handles.append(axes.axhline(floor, color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=label))
    handles += [make_legend_note(note) for note in describe_infinite(ngrams)]
    axes.set(xlabel="order of the n-gram (symbols, the predicted one included)", ylabel="test perplexity")
    axes.set_xlim(ngrams["order"].min() - 0.3, ngrams["order"].max() + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    style.set_log_axis(axes, "y")
    style.draw_legend(figure, handles)
    return figure


def select_ngrams(models: pd.DataFrame) -> pd.DataFrame:
    """Return the test rows of n-grams by rising order."""
    rows = models[(models["family"] == "ngram") & (models["split"] == "test")]
    return rows.sort_values("order", kind="stable")


def select_networks(models: pd.DataFrame) -> pd.DataFrame:
    """Return the test rows of recurrent networks."""
    return models[(models["family"] == "rnn") & (models["split"] == "test")]


def find_entropy_rate(sources: Sources) -> dict[str, float] | None:
    """Return the entropy rate of the source of a text with its interval; None where it is unknown."""
    return next((metrics["entropy_rate"] for metrics in sources.values() if metrics.get("entropy_rate")), None)


def describe_infinite(ngrams: pd.DataFrame) -> list[str]:
    """Return a note for each smoothing with infinite test perplexity at some order."""
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
    networks = select_networks(models)
    cells = sorted(networks["cell"].unique())
    colours = style.assign_colours(cells, from_end=True)
    handles = []
    for cell in cells:
        of_cell = networks.loc[networks["cell"] == cell, "model"]
        best = find_best_model(models[(models["family"] == "rnn") & models["model"].isin(of_cell)])
        dash = ("-", *DASHES[3:], *DASHES[1:3])[cells.index(cell) % 4]
        for row in networks[(networks["model"] == best) & np.isfinite(networks["perplexity"])].itertuples():
            label = f"{row.model}, {style.format_number(row.perplexity)}"
            if row.perplexity_std > 0:
                label += f" ± {style.format_deviation(row.perplexity_std, row.perplexity)}"
                low, high = max(row.perplexity - row.perplexity_std, 1.0), row.perplexity + row.perplexity_std
                axes.axhspan(low, high, color=colours[cell], alpha=0.25, linewidth=0, label=label)
            line = axes.axhline(row.perplexity, color=colours[cell], linestyle=dash, linewidth=1.6, label=label)
            handles.append(line)
    return handles


def _floor_perplexity(models: pd.DataFrame, entropy_rate: dict[str, float] | None) -> float | None:
    if entropy_rate is not None:
        return float(2.0 ** entropy_rate["bits_per_symbol"])
    source = models.loc[(models["family"] == "source") & (models["split"] == "test"), "perplexity"]
    return float(source.iloc[0]) if len(source) and math.isfinite(source.iloc[0]) else None


def make_legend_note(note: str) -> Line2D:
    """Return an entry of the legend that has only text."""
    return Line2D([], [], linestyle="none", label=note)
