"""Figure of bits against parameters and against seconds of training, which compares models at equal cost."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from seqlab.report import style
from seqlab.report.figures import (
    DASHES,
    NO_SOURCES,
    Sources,
    describe_infinite,
    find_entropy_rate,
    make_legend_note,
    select_networks,
    select_ngrams,
)
from seqlab.report.tables import find_best_model, find_frontier_models, select_single_models

COST_LABELS = {"parameters": "parameters", "train_seconds": "seconds of training"}
SHORTEST_SECONDS = 1e-3  # faster trainings are not measurable


@style.styled
def plot_cost(models: pd.DataFrame, sources: Sources = NO_SOURCES) -> Figure:
    """Plot test bits per character against parameters and against seconds of training (log axes), a panel for each.

    n-grams are filled, networks open with error bars over seeds. A step line shows, at every cost, the best model that
    costs no more (chosen on the validation split), one for n-grams and one for each cell; the wide grey one is that of
    all of them. Compressors, which have no cost, are dotted lines. The known floor is the entropy rate in the metrics
    of `sources`, converted to bits per character, with its interval shaded.
    """
    entropy_rate = find_entropy_rate(sources)
    ngrams, networks = select_ngrams(models).sort_values("parameters"), select_networks(models)
    if ngrams.empty and networks.empty:
        return style.draw_message("No n-gram and no recurrent network was scored, so there are no costs to compare.")
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, column in zip(panels, COST_LABELS, strict=True):
        handles = _series(axes, models, ngrams, True, column) + _series(axes, models, networks, False, column)
        handles += _frontiers(axes, models, column)
        handles += _compressors(axes, models)
        handles += _floor(axes, models[models["split"] == "test"], entropy_rate)
        axes.set(xlabel=COST_LABELS[column])
        axes.margins(x=0.12, y=0.1)
        style.set_log_axis(axes, "x")
    panels[0].set_ylabel("test bits per character")
    style.draw_legend(figure, handles + [make_legend_note(note) for note in describe_infinite(ngrams)])
    return figure


def _drawable(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    return runs[np.isfinite(runs["bits_per_char"]) & (runs[column] >= SHORTEST_SECONDS)]


def _series(axes: Axes, models: pd.DataFrame, runs: pd.DataFrame, is_ngram: bool, column: str) -> list[Any]:
    """Draw the points of one family, a series for each smoothing or cell, and name the best model on validation."""
    if is_ngram:
        whole = runs["pruned_from"] == ""
        series = list(runs["smoothing"].where(whole, runs["smoothing"] + " pruned"))
    else:
        series = list(runs["cell"])
    runs = runs.assign(series=series)
    names = sorted(set(series))
    colours = style.assign_colours(names, from_end=not is_ngram)
    drawable, handles = _drawable(runs, column), []
    kind, zorder = ("n-gram", 3) if is_ngram else ("network", 4)
    bars: dict[str, Any] = {"capsize": 3, "elinewidth": 1.3, "linestyle": "none", "zorder": 2}
    for name, group in drawable.groupby("series"):
        colour = colours[name]
        points: dict[str, Any] = {
            "marker": style.MARKERS[names.index(name) % len(style.MARKERS)],
            "markeredgewidth": 1.5,
            "linestyle": "none",
            "zorder": zorder,
        }
        points["markerfacecolor"] = colour if is_ngram else "white"
        place = group[column], group["bits_per_char"]
        handles += axes.plot(*place, color=colour, label=f"{name} {kind}", **points)
        spread = group[group["bits_per_char_std"] > 0]
        if not spread.empty:
            axes.errorbar(spread[column], spread["bits_per_char"], spread["bits_per_char_std"], color=colour, **bars)
    best = find_best_model(models[models["family"] == ("ngram" if is_ngram else "rnn")])
    for row in drawable[drawable["model"] == best].to_dict("records"):
        point, offset = (row[column], row["bits_per_char"]), (0, 9 if is_ngram else -9)
        label = style.wrap_label(row["model"], 20)
        aside = "right" if row[column] > drawable[column].median() else "left"
        sides: dict[str, Any] = {"ha": aside if "\n" in label else "center", "va": "bottom" if is_ngram else "top"}
        halo = [withStroke(linewidth=3, foreground="white")]
        text = axes.annotate(label, point, offset, textcoords="offset points", zorder=5, path_effects=halo, **sides)
        text.set_in_layout(False)  # a long name does not make the plot smaller
    return handles


def _frontiers(axes: Axes, models: pd.DataFrame, column: str) -> list[Any]:
    """Draw the test bits of the best model within every cost, of all single models, of n-grams and of each cell."""
    single = select_single_models(models)
    ngrams, networks = (single[single["family"] == family] for family in ("ngram", "rnn"))
    cells = sorted(networks["cell"].unique())
    colours = style.assign_colours(cells, from_end=True)
    kinds = [
        ("best of all within a cost", single, style.PALE_GREY, 4.5),
        ("best n-gram within a cost", ngrams, style.GREY, 1.2),
    ]
    kinds += [(f"best {cell} within a cost", networks[networks["cell"] == cell], colours[cell], 1.2) for cell in cells]
    highest_cost, handles = _drawable(single, column)[column].max(), []
    for label, candidates, colour, width in kinds:
        frontier = _drawable(find_frontier_models(candidates, column), column)
        if len(frontier):
            bits = frontier["bits_per_char"]
            line: dict[str, Any] = {"color": colour, "linewidth": width, "drawstyle": "steps-post", "zorder": 1}
            handles += axes.plot([*frontier[column], highest_cost], [*bits, bits.iloc[-1]], label=label, **line)
    return handles


def _compressors(axes: Axes, models: pd.DataFrame) -> list[Any]:
    test = models[(models["split"] == "test") & (models["family"] == "compressor")]
    rows = test[np.isfinite(test["bits_per_char"])].to_dict("records")
    handles = []
    for row, dash in zip(rows, itertools.cycle(DASHES[place] for place in (2, 3, 1)), strict=False):
        label = f"{row['model']}, {style.format_number(row['bits_per_char'])}"
        handles.append(axes.axhline(row["bits_per_char"], color=style.GREY, linestyle=dash, linewidth=1.5, label=label))
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
    label = f"known floor, {style.format_number(floor)}"
    handles: list[Any] = [axes.axhline(floor, color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=label)]
    if low is not None and high is not None:
        handles.append(
            axes.axhspan(low, high, color="black", alpha=0.1, linewidth=0, label="95 % of test texts\nof this length")
        )
    return handles
