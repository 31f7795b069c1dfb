"""The figures draw the numbers they are given, name what they cannot draw, and are the same bytes each time."""

import math
from pathlib import Path

import pandas as pd
import pytest
from made_results import NOTHING_TO_SPELL, make_results
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from seqlab.io.runs import Run
from seqlab.report.cost import plot_cost
from seqlab.report.figures import plot_perplexity_by_order
from seqlab.report.networks import plot_axes, plot_heat_maps, plot_learning_curves
from seqlab.report.style import format_deviation, format_number, format_tick, save_figure, set_log_axis, wrap_label
from seqlab.report.tables import summarize_texts

SOURCE = {"true-source": {"entropy_rate": {"bits_per_symbol": 1.0, "low": 0.9, "high": 1.15}}}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return make_results(tmp_path)


@pytest.fixture
def models(folders: list[Path]) -> pd.DataFrame:
    return summarize_texts([Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in folders], NOTHING_TO_SPELL)[1]


@pytest.fixture
def histories(folders: list[Path]) -> dict[str, pd.DataFrame]:
    return {path.parent.name: pd.read_csv(path) for path in folders[0].parents[1].glob("rnn/*/history.csv")}


def value(models: pd.DataFrame, model: str, name: str = "perplexity") -> float:
    return float(models[(models["model"] == model) & (models["split"] == "test")][name].iloc[0])


def words(figure: Figure) -> list[str]:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts] + [
        text.get_text() for text in figure.texts
    ]
    return texts + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines(figure: Figure) -> dict[str, list[float]]:
    """y values of each line by its label."""
    return {str(line.get_label()): list(line.get_ydata()) for line in figure.axes[0].lines}


def test_each_smoothing_is_a_line_of_its_test_perplexities(models: pd.DataFrame) -> None:
    figure = plot_perplexity_by_order(models)
    drawn = lines(figure)
    assert drawn["mkn"] == [value(models, f"mkn-{order}") for order in (1, 2, 3)]
    assert "mle" not in drawn and "mle: infinite at order 3" in words(figure)
    assert figure.axes[0].get_yscale() == "log"


def test_infinite_orders_are_named_from_the_first(models: pd.DataFrame) -> None:
    extra = []
    for order, perplexity in ((1, 9.0), (2, math.inf), (4, math.inf)):
        row = models[models["model"] == "mle-3"].assign(model=f"mle-{order}", order=order, perplexity=perplexity)
        extra.append(row)
    figure = plot_perplexity_by_order(pd.concat([models, *extra]))
    assert "mle: infinite from order 2" in words(figure)
    assert lines(figure)["mle"] == [9.0]


def test_the_band_is_of_the_network_that_is_best_on_valid(models: pd.DataFrame) -> None:
    best_on_test = (models["model"] == "lstm-1x8") & (models["split"] == "test")
    models.loc[best_on_test, "perplexity"] = 1.1
    figure = plot_perplexity_by_order(models, SOURCE)
    label = next(label for label in lines(figure) if label.startswith("lstm"))
    assert label.startswith("lstm-2x16") and "±" in label
    assert set(lines(figure)[label]) == {value(models, "lstm-2x16")}
    assert set(lines(figure)["known floor, 2.000"]) == {2.0}
    middle, std = value(models, "lstm-2x16"), value(models, "lstm-2x16", "perplexity_std")
    band = figure.axes[0].patches[0].get_extents().transformed(figure.axes[0].transData.inverted())
    assert (band.y0, band.y1) == pytest.approx((middle - std, middle + std), rel=1e-6)


def test_the_floor_is_that_of_the_source_where_no_rate_is_given(models: pd.DataFrame) -> None:
    floor = next(values for label, values in lines(plot_perplexity_by_order(models)).items() if "floor" in label)
    assert set(floor) == {value(models, "true-source")}
    without = plot_perplexity_by_order(models[models["family"] != "source"])
    assert not any("floor" in label for label in lines(without))


def test_costs_are_drawn_against_bits_per_character(models: pd.DataFrame) -> None:
    figure = plot_cost(models, SOURCE)
    axes = figure.axes[0]
    drawn = {str(line.get_label()): line for line in axes.lines}
    assert list(drawn["mkn n-gram"].get_xdata()) == [10, 100, 1000]
    assert list(drawn["mkn n-gram"].get_ydata()) == [
        value(models, f"mkn-{order}", "bits_per_char") for order in (1, 2, 3)
    ]
    assert len(drawn["lstm network"].get_xdata()) == 4
    markers = [to_hex(drawn[name].get_markerfacecolor()) for name in ("mkn n-gram", "lstm network")]
    assert markers[1] == "#ffffff" and markers[0] != markers[1]
    assert set(drawn["known floor, 1.000"].get_ydata()) == {1.0}
    assert any(label.startswith("xz, ") for label in drawn)
    assert {"mkn-3", "lstm-2x16", "mle: infinite at order 3"} <= set(words(figure))
    band = next(patch for patch in axes.patches if "95 %" in str(patch.get_label()))
    corners = band.get_extents().transformed(axes.transData.inverted())
    assert (corners.y0, corners.y1) == pytest.approx((0.9, 1.15))
    assert len(axes.containers) == 1  # error bars for what has seeds, for nothing else


def test_the_floor_of_words_is_put_into_characters(models: pd.DataFrame) -> None:
    for name in ("bits_per_char", "bits_per_char_std"):
        models[name] = models[name] / 5
    assert lines(plot_cost(models, SOURCE))["known floor, 0.200"] == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize("family", ["ngram", "rnn"])
def test_a_family_alone_is_drawn_or_its_absence_said(models: pd.DataFrame, family: str) -> None:
    alone = models[models["family"] == family]
    assert plot_cost(alone).axes
    if family == "ngram":
        assert plot_perplexity_by_order(alone).axes
        assert "No recurrent network" in words(plot_heat_maps(alone))[0]
    else:
        assert plot_heat_maps(alone).axes
        assert "No n-gram" in words(plot_perplexity_by_order(alone))[0]


def test_nothing_to_draw_is_a_sentence(models: pd.DataFrame) -> None:
    assert "no costs to compare" in words(plot_cost(models[models["family"] == "source"]))[0]
    assert "no learning curves" in words(plot_learning_curves(models, {}))[0]
    only_infinite = words(plot_perplexity_by_order(models[models["model"] == "mle-3"]))[0]
    assert "No n-gram" in only_infinite and "mle: infinite at order 3" in only_infinite


def test_saving_twice_gives_the_same_bytes_and_no_date(
    models: pd.DataFrame, histories: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    def draw() -> list[Figure]:
        return [
            plot_perplexity_by_order(models, SOURCE),
            plot_heat_maps(models),
            plot_axes(models),
            plot_learning_curves(models, histories),
            plot_cost(models),
        ]

    for first, second in zip(draw(), draw(), strict=True):
        save_figure(first, tmp_path / "first.svg")
        save_figure(second, tmp_path / "second.svg")
        assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
        assert "dc:date" not in (tmp_path / "first.svg").read_text()
        assert "<text" not in (tmp_path / "first.svg").read_text()  # letters are outlines


@pytest.mark.parametrize(("low", "high"), [(3.3, 4.2), (2, 20), (1.01, 1.02), (10, 3e7)])
def test_a_log_axis_has_plain_numbers_at_several_places(low: float, high: float) -> None:
    axes = Figure().subplots()
    axes.set_ylim(low, high)
    set_log_axis(axes, "y")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert 3 <= len(labels) <= 12 and len(set(labels)) == len(labels)
    assert not any("e" in label or "$" in label for label in labels)


def test_numbers_have_about_four_digits() -> None:
    assert [format_number(each) for each in (1.23456, 12.3456, 123.456, 1234.56, math.inf)] == [
        "1.235",
        "12.35",
        "123.5",
        "1,235",
        "∞",
    ]
    assert (format_deviation(0.0312, 3.9), format_deviation(0.00002, 3.9), format_deviation(0.0, 3.9)) == (
        "0.031",
        "0.00002",
        "0.000",
    )
    assert [format_tick(each) for each in (0.5, 1500, 20000, 3e6)] == ["0.5", "1500", "20k", "3M"]


def test_a_frontier_has_the_models_that_are_best_on_valid_of_all_that_cost_no_more(models: pd.DataFrame) -> None:
    models.loc[(models["model"] == "mkn-2") & (models["split"] == "test"), "bits_per_char"] = 9.0
    drawn = {str(line.get_label()): line for line in plot_cost(models).axes[0].lines}
    ngrams, networks = (drawn[f"best {name} within a cost"] for name in ("n-gram", "lstm"))
    assert list(ngrams.get_xdata()) == [10, 100, 250, 1000, 1000]  # to the highest cost of all
    assert ngrams.get_ydata()[1] == 9.0
    sizes = {"lstm-1x8": 64, "lstm-2x8": 128, "lstm-1x16": 256, "lstm-2x16": 512}
    assert list(networks.get_xdata()) == [*sizes.values(), 1000]
    assert list(networks.get_ydata()[:-1]) == [value(models, model, "bits_per_char") for model in sizes]
    every = drawn["best of all within a cost"].get_xdata()
    valid = models[(models["split"] == "valid") & models["family"].isin(["ngram", "rnn"])].set_index("parameters")
    best = {cost: valid["bits_per_char"][valid.index <= cost].min() for cost in valid.index}
    assert list(every[:-1]) == sorted(cost for cost in best if (valid["bits_per_char"][[cost]] == best[cost]).any())


def test_long_names_are_broken_after_hyphens_and_short_ones_are_not() -> None:
    assert wrap_label("lstm-2x16, 3.940 ± 0.030") == "lstm-2x16, 3.940 ± 0.030"
    name = "lstm-2x256-dropout~0.3-learning_rate~0.01, 2.5"
    lines = wrap_label(name, 24).split("\n")
    assert lines == ["lstm-2x256-dropout~0.3-", "learning_rate~0.01, 2.5"]
    assert wrap_label("x" * 40 + "\nsecond") == "x" * 40 + "\nsecond"
    assert wrap_label("x" * 200, 24).split("\n") == ["x" * 24] * 8 + ["x" * 8]
