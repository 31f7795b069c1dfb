"""Figures of networks draw the settings that vary, whatever these are, and stay readable with many networks."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_results import NOTHING_TO_SPELL, make_results
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from seqlab.io.runs import Run
from seqlab.report.networks import MAX_HIGHLIGHTED, plot_axes, plot_heat_maps, plot_learning_curves
from seqlab.report.style import PALE_GREY
from seqlab.report.tables import summarize_texts


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


def lines(panel: Axes) -> dict[str, list[float]]:
    """y values of each line by its label."""
    return {str(line.get_label()): list(line.get_ydata()) for line in panel.lines}


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def visible(figure: Figure) -> list[Axes]:
    return [panel for panel in figure.axes if panel.get_visible() and panel.get_xlabel()]


def grid(models: pd.DataFrame, **values: list[object]) -> pd.DataFrame:
    """The rows of models.csv for a grid of networks; test bits fall with each place in the first axis, valid too."""
    template = models[models["model"] == "lstm-1x8"]
    rows = []
    for number, point in enumerate(itertools.product(*values.values())):
        settings = dict(zip(values, point, strict=True))
        first = next(iter(values.values())).index(point[0])
        bits = 2.0 - 0.3 * first + 0.01 * number
        figures = {"bits_per_symbol": bits, "perplexity": 2**bits, "bits_per_symbol_std": 0.01}
        rows.append(template.assign(model=f"any name {number}", **figures, **settings))
    return pd.concat(rows, ignore_index=True)


def test_the_map_has_a_value_in_each_cell_and_says_what_was_not_run(models: pd.DataFrame) -> None:
    figure = plot_heat_maps(models[models["model"] != "lstm-2x8"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    std = value(models, "lstm-1x8", "perplexity_std")
    assert len(texts) == 4 and texts.count("not run") == 1
    assert texts[0] == f"{value(models, 'lstm-1x8'):.3f}\n± {std:.3f}"
    mesh = next(each for each in figure.axes[0].collections if isinstance(each, QuadMesh))
    cells = np.ma.filled(mesh.get_array().astype(float), math.nan).reshape(2, 2)
    expected = [[value(models, "lstm-1x8"), value(models, "lstm-1x16")], [math.nan, value(models, "lstm-2x16")]]
    np.testing.assert_array_equal(cells, expected)


def test_a_map_of_one_network_and_of_two_cells(models: pd.DataFrame) -> None:
    one = models[models["model"] == "lstm-1x8"]
    figure = plot_heat_maps(one)
    assert len(figure.axes) == 1 and len(figure.axes[0].texts) == 1
    two = plot_heat_maps(pd.concat([models, one.assign(model="gru-1x8", cell="gru", perplexity_std=math.nan)]))
    assert [axes.get_title(loc="left") for axes in two.axes[:2]] == ["gru", "lstm"]
    assert [text.get_text() for text in two.axes[0].texts].count("not run") == 3
    assert two.axes[0].texts[0].get_text() == f"{value(models, 'lstm-1x8'):.3f}"  # no deviation of one seed


def test_an_infinite_network_is_written_not_coloured(models: pd.DataFrame) -> None:
    models.loc[models["model"] == "lstm-1x8", ["perplexity", "perplexity_std"]] = [math.inf, math.nan]
    assert plot_heat_maps(models).axes[0].texts[0].get_text() == "∞"


def test_learning_curves_are_means_with_a_band(models: pd.DataFrame, histories: dict[str, pd.DataFrame]) -> None:
    figure = plot_learning_curves(models, histories)
    drawn = lines(figure.axes[0])
    assert set(drawn) == {"lstm-1x8", "lstm-1x16", "lstm-2x8", "lstm-2x16"}
    history = histories["lstm-1x8"]
    by_epoch = [history[history["epoch"] == epoch]["valid_perplexity"] for epoch in (1, 2, 3, 4)]
    assert drawn["lstm-1x8"] == pytest.approx([values.mean() for values in by_epoch])
    edges = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == (by_epoch[3].min(), by_epoch[0].max())


def test_a_seed_that_stopped_early_does_not_bend_the_mean(
    models: pd.DataFrame, histories: dict[str, pd.DataFrame]
) -> None:
    history = histories["lstm-1x8"]
    stopped = history[(history["seed"] != 3) | (history["epoch"] <= 2)]
    drawn = lines(plot_learning_curves(models, {"lstm-1x8": stopped}).axes[0])
    assert len(drawn["lstm-1x8"]) == 2
    assert drawn["lstm-1x8, seed 1"] == list(history[(history["seed"] == 1)]["valid_perplexity"])[1:]
    assert "lstm-1x8, seed 3" not in drawn


def test_where_other_settings_vary_a_cell_of_a_map_is_the_best_on_valid_of_its_networks(models: pd.DataFrame) -> None:
    table = grid(models, hidden=[8, 16], dropout=[0.0, 0.3, 0.5], clip=[1.0, 5.0])
    best = (table["hidden"] == 16) & (table["dropout"] == 0.3)
    table.loc[best & (table["clip"] == 5.0) & (table["split"] == "valid"), "perplexity"] = 1.01
    table.loc[best & (table["clip"] == 5.0) & (table["split"] == "test"), ["perplexity", "perplexity_std"]] = [
        9.25,
        0.5,
    ]
    figure = plot_heat_maps(table)
    panels = {(panel.get_xlabel(), panel.get_ylabel()): panel for panel in visible(figure)}
    assert set(panels) == {("dropout", "hidden units"), ("hidden units", "clip"), ("dropout", "clip")}
    panel = panels["dropout", "hidden units"]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0", "0.3", "0.5"]
    assert [text.get_text() for text in panel.texts][4] == "9.250\n± 0.500"
    assert "best network on validation" in figure.get_suptitle() and "12" in figure.get_suptitle()


def test_at_most_six_pairs_are_drawn_those_that_vary_most_first(models: pd.DataFrame) -> None:
    two = {name: [1.0, 2.0] for name in ("learning_rate", "dropout", "clip", "weight_decay")}
    table = grid(models, hidden=[8, 16], **two)
    panels = visible(plot_heat_maps(table))
    assert len(panels) == 6
    assert all("hidden units" in (panel.get_xlabel(), panel.get_ylabel()) for panel in panels[:4])


def test_one_setting_alone_is_mapped_too(models: pd.DataFrame) -> None:
    (panel,) = visible(plot_heat_maps(grid(models, dropout=[0.0, 0.3])))
    assert panel.get_xlabel() == "dropout" and len(panel.texts) == 2


def test_each_setting_that_varies_is_a_panel_of_its_means(models: pd.DataFrame) -> None:
    table = grid(models, learning_rate=[0.001, 0.01, 0.1], dropout=[0.0, 0.3], schedule=["cosine", "step"])
    figure = plot_axes(table)
    panels = {panel.get_xlabel(): panel for panel in visible(figure)}
    assert list(panels) == ["learning rate", "dropout", "schedule"]
    test = table[table["split"] == "test"]
    for axis, panel in (("learning_rate", panels["learning rate"]), ("schedule", panels["schedule"])):
        drawn = panel.lines[-1]
        assert drawn.get_color() == "black"
        assert list(drawn.get_ydata()) == pytest.approx(list(test.groupby(axis)["bits_per_symbol"].mean()))
    points = sorted(y for line in panels["dropout"].lines[:-1] for y in line.get_ydata())
    assert points == pytest.approx(sorted(test["bits_per_symbol"]))
    assert panels["learning rate"].get_xscale() == "log" and panels["dropout"].get_xscale() == "linear"
    assert [text.get_text() for text in panels["schedule"].get_xticklabels()] == ["cosine", "step"]
    assert legend_of(figure)[:4] == ["learning rate", "0.001", "0.01", "0.1"] and legend_of(figure)[-1] == "mean"


def test_an_axis_from_zero_is_logarithmic_above_it(models: pd.DataFrame) -> None:
    table = grid(models, weight_decay=[0.0, 1e-5, 1e-4, 1e-3], dropout=[0.0, 0.3])
    panel = visible(plot_axes(table))[0]
    assert panel.get_xscale() == "symlog"
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0", "1e-05", "0.0001", "0.001"]


def test_a_setting_that_some_networks_do_not_have_is_drawn_beside_the_others(models: pd.DataFrame) -> None:
    table = grid(models, hidden=[8, 16], window=[4.0, math.nan])
    panel = visible(plot_axes(table))[1]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["4", "none"]
    assert sum(len(line.get_ydata()) for line in panel.lines[:-1]) == 4


def test_infinite_networks_are_counted(models: pd.DataFrame) -> None:
    table = grid(models, hidden=[8, 16], dropout=[0.0, 0.3])
    table.loc[table["model"] == "any name 0", "bits_per_symbol"] = math.inf
    assert "1 with infinite bits" in legend_of(plot_axes(table))


@pytest.mark.parametrize(
    ("kept", "words"), [(["lstm-1x8"], "in no setting"), (["lstm-1x8", "lstm-2x8"], "only in layers")]
)
def test_fewer_than_two_axes_are_a_sentence(models: pd.DataFrame, kept: list[str], words: str) -> None:
    assert words in plot_axes(models[models["model"].isin(kept)]).texts[0].get_text()


def test_of_many_networks_the_best_dozen_on_valid_is_coloured(
    models: pd.DataFrame, histories: dict[str, pd.DataFrame]
) -> None:
    table = grid(models, learning_rate=[0.001, 0.01, 0.1], dropout=[0.0, 0.3, 0.5], clip=[1.0, 5.0])
    names = list(dict.fromkeys(table["model"]))
    figure = plot_learning_curves(table, dict.fromkeys(names, histories["lstm-1x8"]))
    (panel,) = visible(figure)
    grey = [line for line in panel.lines if to_hex(line.get_color()) == PALE_GREY.lower()]
    assert len(grey) == len(names) - MAX_HIGHLIGHTED == 6
    best = table[table["split"] == "valid"].nsmallest(MAX_HIGHLIGHTED, "perplexity")["model"]
    assert {name for name in lines(panel) if name.startswith("any")} == set(best)
    assert legend_of(figure)[-1] == "6 others" and "learning rate 0.1" in legend_of(figure)
