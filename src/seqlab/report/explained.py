"""Who knows what, for people: a figure of the groups of symbols, and the text where two models differ most."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqlab.questions.breakdown import KIND
from seqlab.report.style import MARKERS, colour_of, legend, message, styled
from seqlab.text.tokens import join_tokens

BLUE, ORANGE = "0, 114, 178", "230, 159, 0"  # of the style, as red, green and blue
STRONG = 6.0  # bits of difference that are drawn in full colour


@styled
def who_knows_what(breakdown: pd.DataFrame) -> Figure:
    """Bits per symbol of each model in the groups of each question, a panel for each, from the rows of breakdown.csv.

    The share of the symbols that is in a group stands below its name.
    """
    finite = breakdown[np.isfinite(breakdown["bits_per_symbol"])]
    if finite.empty:
        return message("No model has finite bits to divide among groups of symbols.")
    questions, models = list(dict.fromkeys(finite["question"])), list(dict.fromkeys(finite["model"]))
    colours = colour_of(models)
    rows = (len(questions) + 1) // 2
    figure = Figure(figsize=(11, 1 + 3.4 * rows), layout="constrained")
    panels = iter(figure.subplots(rows, 2, squeeze=False).flat)
    for question, axes in zip(questions, panels, strict=False):
        asked = finite[finite["question"] == question]
        groups = list(dict.fromkeys(asked["group"]))
        total = asked.groupby("model")["symbols"].sum().max()
        for number, model in enumerate(models):
            own = asked[asked["model"] == model].set_index("group")["bits_per_symbol"].reindex(groups)
            axes.plot(
                range(len(groups)), own, color=colours[model], marker=MARKERS[number % len(MARKERS)], label=model,
                linestyle="none" if question == KIND else "-")  # fmt: skip
        symbols = asked.drop_duplicates("group").set_index("group")["symbols"]
        axes.set_xticks(range(len(groups)), [f"{group}\n{symbols[group] / total:.0%}" for group in groups], fontsize=9)
        axes.set_ylim(bottom=0)
        axes.set_xlim(-0.4, len(groups) - 0.6)
        axes.set_xlabel(question)
        axes.set_ylabel("bits per symbol")
    for axes in panels:  # what is left over
        axes.set_visible(False)
    lines = [
        Line2D([], [], color=colours[model], marker=MARKERS[number % len(MARKERS)], label=model)
        for number, model in enumerate(models)
    ]
    legend(figure, lines)
    return figure


def coloured(places: list[dict[str, Any]], unit: str) -> list[dict[str, Any]]:
    """The places of contrast.json as HTML: blue where the second model charged less, orange where the first did."""
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
    colour = BLUE if difference > 0 else ORANGE
    strength = min(abs(difference) / STRONG, 1.0)
    shown = escape(token.replace("\n", "⏎"))
    inner = Markup("<b>{}</b>").format(shown) if strongest else shown
    if strength < 0.05:
        return Markup(inner)
    return Markup('<span style="background:rgba({},{:.2f})">{}</span>').format(Markup(colour), strength * 0.75, inner)
