"""Figure of bits by group of symbols, and the text where two models differ most, as HTML."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqlab.questions.breakdown import KIND_QUESTION
from seqlab.report.style import MARKERS, assign_colours, draw_legend, draw_message, styled
from seqlab.text.tokens import join_tokens

BLUE_RGB, ORANGE_RGB = "0, 114, 178", "230, 159, 0"  # of the style, as red, green and blue
FULL_COLOUR_BITS = 6.0  # bits of difference that are drawn in full colour


@styled
def plot_breakdown(breakdown: pd.DataFrame) -> Figure:
    """Plot bits per symbol of each model in the groups of each question, a panel for each, from breakdown.csv.

    The share of symbols in a group is written below its name.
    """
    finite = breakdown[np.isfinite(breakdown["bits_per_symbol"])]
    if finite.empty:
        return draw_message("No model has finite bits to divide among groups of symbols.")
    questions, models = list(dict.fromkeys(finite["question"])), list(dict.fromkeys(finite["model"]))
    colours = assign_colours(models)
    rows = (len(questions) + 1) // 2
    figure = Figure(figsize=(11, 1 + 3.4 * rows), layout="constrained")
    panels = iter(figure.subplots(rows, 2, squeeze=False).flat)
    for question, axes in zip(questions, panels, strict=False):
        rows_of_question = finite[finite["question"] == question]
        groups = list(dict.fromkeys(rows_of_question["group"]))
        total = rows_of_question.groupby("model")["symbols"].sum().max()
        for number, model in enumerate(models):
            of_model = rows_of_question[rows_of_question["model"] == model].set_index("group")
            bits = of_model["bits_per_symbol"].reindex(groups)
            line = "none" if question == KIND_QUESTION else "-"
            style: dict[str, Any] = {"color": colours[model], "marker": MARKERS[number % len(MARKERS)]}
            axes.plot(range(len(groups)), bits, label=model, linestyle=line, **style)
        symbols = rows_of_question.drop_duplicates("group").set_index("group")["symbols"]
        axes.set_xticks(range(len(groups)), [f"{group}\n{symbols[group] / total:.0%}" for group in groups], fontsize=9)
        axes.set_ylim(bottom=0)
        axes.set_xlim(-0.4, len(groups) - 0.6)
        axes.set_xlabel(question)
        axes.set_ylabel("bits per symbol")
    for axes in panels:  # unused
        axes.set_visible(False)
    lines = [
        Line2D([], [], color=colours[model], marker=MARKERS[number % len(MARKERS)], label=model)
        for number, model in enumerate(models)
    ]
    draw_legend(figure, lines)
    return figure


def colour_places(places: list[dict[str, Any]], unit: str) -> list[dict[str, Any]]:
    """Return the places of contrast.json as HTML: blue where the second model charges less, orange where the first
    does.
    """
    between = " " if unit == "word" else ""
    return [
        {
            "difference": f"{abs(place['difference']):.1f}",
            "winner": "second" if place["difference"] > 0 else "first",
            "text": Markup(between).join(
                _symbol(join_tokens([token], unit), difference, number == place["at"])
                for number, (token, difference) in enumerate(zip(place["tokens"], place["differences"], strict=True))
            ),
        }
        for place in places
    ]


def _symbol(token: str, difference: float, strongest: bool) -> Markup:
    colour = BLUE_RGB if difference > 0 else ORANGE_RGB
    strength = min(abs(difference) / FULL_COLOUR_BITS, 1.0)
    text = escape(token.replace("\n", "⏎"))
    inner = Markup("<b>{}</b>").format(text) if strongest else text
    if strength < 0.05:
        return Markup(inner)
    return Markup('<span style="background:rgba({},{:.2f})">{}</span>').format(Markup(colour), strength * 0.75, inner)
