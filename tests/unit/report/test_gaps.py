"""Bits per answer in the report: lines, references and table."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.gaps import GapRow
from seqlab.report.gaps import MOST_LINES, plot_gaps, read_answers

RATES = {"symbols": "12", "share": 1 / 11, "floor": 0.0, "chance": 1.0}
SOURCES = {"true-source": {"answers": RATES}}
RANGES = ((0, math.inf), (1, 1), (2, 2), (3, 4))


def rows_of(family: str, model: str, seed: str, *bits: float, text: str = "second text") -> list[GapRow]:
    """Rows of all answers, then of rising gaps."""
    return [GapRow(text, family, model, seed, *gaps, 10, cost) for gaps, cost in zip(RANGES, bits, strict=False)]


ROWS = [
    *rows_of("source", "true-source", "", 0.0, 0.0, 0.0, 0.0),
    *rows_of("ngram", "mkn-3", "", 0.5, 0.0, 0.5, 1.0),
    *rows_of("rnn", "lstm", "1", 0.1, 0.1, 0.1, 0.1),
    *rows_of("rnn", "lstm", "2", 0.3, 0.1, 0.3, 0.5),
    *rows_of("rnn", "mingru", "1", 0.9, 0.7, 0.9, 1.1),
]


def models_of(*names: str) -> pd.DataFrame:
    """The validation rows of networks in models.csv, best first."""
    rows = [
        {"split": "valid", "family": "rnn", "model": name, "cell": name, "perplexity": 2.0 + n}
        for n, name in enumerate(names)
    ]
    return pd.DataFrame(rows)


def draw(rows: list[GapRow], models: pd.DataFrame) -> Figure:
    return plot_gaps(tabulate_rows(GapRow, rows), models, SOURCES)


def values(figure: Figure) -> dict[str, list[float]]:
    """The heights of the lines by the first word of their labels."""
    return {str(line.get_label()).split(",")[0]: np.asarray(line.get_ydata()).tolist() for line in figure.axes[0].lines}


def test_a_line_is_the_mean_over_seeds_of_each_range_of_gaps():
    drawn = values(draw(ROWS, models_of("lstm", "mingru")))
    assert drawn["lstm"] == pytest.approx([0.1, 0.2, 0.3])
    assert drawn["mkn-3"] == [0.0, 0.5, 1.0]
    assert drawn["mingru"] == [0.7, 0.9, 1.1]
    assert "true-source" not in drawn


def test_floor_chance_and_the_mean_gap_in_training_are_drawn_in():
    figure = draw(ROWS, models_of("lstm", "mingru"))
    drawn = values(figure)
    assert (set(drawn["floor"]), set(drawn["chance"])) == ({0.0}, {1.0})
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["mkn-3, 0.500", "lstm, 0.200", "mingru, 0.900", "chance, 1.000", "floor, 0.000"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["mean gap in training, 9"]


def test_networks_are_named_by_their_cell_where_that_tells_them_apart():
    models = models_of("lstm-1x8", "mingru-1x8", "mingru-1x8-beta_max~2").assign(cell=["lstm", "mingru", "mingru"])
    rows = [row for name in models["model"] for row in rows_of("rnn", name, "1", 0.5, 0.5)]
    assert {"lstm", "mingru-1x8", "mingru-1x8-beta_max~2"} <= set(values(draw(rows, models)))


def test_the_second_text_is_drawn_where_there_is_one_and_else_test():
    on_test = rows_of("rnn", "lstm", "1", 0.7, 0.7, 0.7, 0.7, text="test")
    assert values(draw([*on_test, *ROWS], models_of("lstm")))["lstm"] == pytest.approx([0.1, 0.2, 0.3])
    assert values(draw(on_test, models_of("lstm")))["lstm"] == [0.7] * 3


def test_the_best_networks_on_validation_are_drawn_where_there_are_many():
    names = [f"net-{number}" for number in range(MOST_LINES + 3)]
    rows = [row for name in names for row in rows_of("rnn", name, "1", 0.5, 0.5)]
    drawn = values(draw(rows, models_of(*names[::-1])))
    assert [name for name in names if name in drawn] == names[3:]


def test_models_without_a_finite_line_are_left_out_and_none_leaves_a_message():
    rows = rows_of("ngram", "mle-3", "", math.inf, 0.0, math.inf)
    assert "mle-3" not in values(draw([*ROWS, *rows], models_of("lstm")))
    assert "No model has finite bits" in draw(rows, models_of("lstm")).texts[0].get_text()


def test_the_table_has_the_best_and_the_worst_seed_of_every_model_and_text(tmp_path: Path):
    write_table(tmp_path / "gaps.csv", tabulate_rows(GapRow, ROWS))
    rows = {row["model"]: row for row in read_answers(tmp_path / "gaps.csv")}
    assert [*rows] == ["true-source", "mkn-3", "lstm", "mingru"]
    named = {"model": "lstm", "text": "second text", "answers": "10"}
    assert rows["lstm"] == named | {"mean": "0.200", "lowest": "0.100", "highest": "0.300"}
