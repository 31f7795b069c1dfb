"""Figure and table of bits per answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from seqlab.io.tables import read_rows
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.gaps import ALL_GAPS, GapRow
from seqlab.report.figures import DASHES, NO_SOURCES, Sources
from seqlab.report.style import (
    GREY,
    MARKERS,
    assign_colours,
    draw_legend,
    draw_message,
    format_number,
    make_axes,
    styled,
)

BITS = "bits_per_answer"  # the column of figures
MOST_LINES = 12  # of networks, those with the lowest validation perplexity


@styled
def plot_gaps(gaps: pd.DataFrame, models: pd.DataFrame, sources: Sources = NO_SOURCES) -> Figure:
    """Plot bits per answer against the gap (log axis), a line for the best n-gram and each network, from the rows of
    gaps.csv on the last text that they score.

    A line is the mean over seeds, each of which has a thin line. The legend names a network by its cell, where no
    other has it, and has the mean of all answers. At most MOST_LINES networks of models.csv are drawn. Floor and
    chance, in the metrics of `sources`, are horizontal lines, and the mean gap of the training text is a vertical
    one.
    """
    rates = find_answer_rates(sources)
    texts = list(dict.fromkeys(gaps["text"]))
    scored = gaps[gaps["text"] == texts[-1]] if texts else gaps
    ranges, whole = (scored[rows] for rows in (np.isfinite(scored["longest"]), np.isinf(scored["longest"])))
    means = whole.groupby("model")[BITS].mean()
    shown = [name for name in _select_models(ranges, models) if _is_finite(ranges, name)]
    if rates is None or not shown:
        return draw_message("No model has finite bits per answer to draw against the gap.")
    colours, cells = assign_colours(shown), _name_single_cells(models)
    figure, axes = make_axes()
    handles: list[Any] = []
    for number, name in enumerate(shown):
        seeds = ranges[ranges["model"] == name].pivot(index=["shortest", "longest"], columns="seed", values=BITS)
        places = np.sqrt([(shortest + 1) * (longest + 1) for shortest, longest in seeds.index])  # gaps begin at 0
        look: dict[str, Any] = {"color": colours[name], "marker": MARKERS[number % len(MARKERS)]}
        look |= {"linestyle": DASHES[number // len(set(colours.values())) % len(DASHES)], "markersize": 5.5}
        label = f"{cells.get(name, name)}, {format_number(means[name])}"
        handles += axes.plot(places, seeds.mean(axis=1), label=label, **look)
        if seeds.shape[1] > 1:
            axes.plot(places, seeds, color=colours[name], linewidth=0.8, alpha=0.5)
    label = f"chance, {format_number(rates['chance'])}"
    handles.append(axes.axhline(rates["chance"], color=GREY, linestyle=(0, (1, 1.2)), linewidth=1.6, label=label))
    label = f"floor, {format_number(rates['floor'])}"
    handles.append(axes.axhline(rates["floor"], color="black", linestyle=(0, (5, 3)), linewidth=1.4, label=label))
    trained = 1 / rates["share"] - 2  # two symbols of the distance between two answers are the question and an answer
    axes.axvline(trained + 1, color=GREY, linestyle=":", linewidth=1)
    axes.annotate(
        f"mean gap in training, {trained:.3g}",
        (trained + 1, 1),
        xytext=(4, -2),
        textcoords="offset points",
        xycoords=("data", "axes fraction"),
        va="top",
        fontsize=9,
        color=GREY,
    )
    axes.set_xscale("log", base=2)
    longest = ranges["longest"].max()
    axes.minorticks_off()
    ticks = [0, 1, 3, *(2**power for power in range(3, 24) if 2**power <= longest)]
    axes.set_xticks([tick + 1 for tick in ticks], [str(tick) for tick in ticks])
    axes.set_ylim(bottom=-0.03 * rates["chance"], top=max(1.2 * rates["chance"], axes.get_ylim()[1]))
    axes.set(xlabel="gap (symbols since the answer before)", ylabel="bits per answer")
    draw_legend(figure, handles)
    return figure


def find_answer_rates(sources: Sources) -> Mapping[str, Any] | None:
    """Return the rates of the answers of the source of a text; None without answers."""
    return next((metrics["answers"] for metrics in sources.values() if metrics.get("answers")), None)


def read_answers(path: str | Path) -> list[dict[str, str]]:
    """Return the rows of the report's table of answers, a row for each model and text of the gaps.csv `path`: the mean
    bits per answer over seeds, and those of the best and the worst seed, as text.
    """
    gaps = read_rows(path, GapRow)
    rows = []
    for (model, text), of_text in gaps.groupby(["model", "text"], sort=False):
        whole = of_text.loc[of_text["longest"] == ALL_GAPS[1], BITS]
        rows.append(
            {
                "model": str(model),
                "text": str(text),
                "answers": f"{of_text['answers'].max():,}",
                "mean": format_number(whole.mean()),
                "lowest": format_number(whole.min()),
                "highest": format_number(whole.max()),
            }
        )
    return rows


def _select_models(gaps: pd.DataFrame, models: pd.DataFrame) -> list[str]:
    """Return the n-grams in `gaps`, then at most MOST_LINES networks in their order there."""
    families: dict[str, str] = dict(zip(gaps["model"], gaps["family"], strict=True))
    valid = models[(models["split"] == "valid") & (models["family"] == "rnn")]
    ranking = rank_candidates(zip(valid["perplexity"], valid["model"], strict=True), lambda standing: standing)
    networks = {model for _, model in ranking[:MOST_LINES]}
    return [model for model, family in families.items() if family == "ngram" or model in networks]


def _name_single_cells(models: pd.DataFrame) -> dict[str, str]:
    """Return the cell of every network in `models` that is the only one of its cell, by model."""
    networks = models[models["family"] == "rnn"].drop_duplicates("model").drop_duplicates("cell", keep=False)
    return dict(zip(networks["model"], networks["cell"], strict=True))


def _is_finite(gaps: pd.DataFrame, model: str) -> bool:
    return bool(np.isfinite(gaps.loc[gaps["model"] == model, BITS]).all())
