"""Figures of networks by their settings: heat maps, axes and learning curves."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from seqlab.axes import SHAPE
from seqlab.ledger.selection import rank_candidates
from seqlab.report import style
from seqlab.report.axes import format_value, label_axis, list_axis_values, select_value
from seqlab.report.figures import DASHES, make_legend_note, select_networks
from seqlab.report.points import name_points
from seqlab.report.tables import list_axes

MAX_HIGHLIGHTED = 12  # learning curves in colour
MAX_MAPS = 6  # heat maps of pairs of axes
MAX_NUMBERED_VALUES = 6  # values of an axis of a heat map with numbers in its cells
MAX_COLUMNS = 3  # panels in a row
MAX_BARS = 60  # networks whose spread over seeds is drawn
MAX_SHAPES = 300  # networks drawn as vector shapes; more are rasterized to keep the file small
MAX_STYLE_COLOURS = 4  # values in colours of the style; more values of a numeric axis go from dark to light


def _with_valid(models: pd.DataFrame) -> pd.DataFrame:
    """Return the test rows of networks with an added column valid_perplexity."""
    networks = select_networks(models)
    valid = models[(models["family"] == "rnn") & (models["split"] == "valid")].set_index("model")["perplexity"]
    return networks.assign(valid_perplexity=networks["model"].map(valid).astype(float))


def _best_first(networks: pd.DataFrame) -> pd.DataFrame:
    names = zip(networks["valid_perplexity"], networks["model"], strict=True)
    standings = dict(zip(networks.index, names, strict=True))
    return networks.loc[rank_candidates(networks.index, standings.__getitem__)]


@style.styled
def plot_heat_maps(models: pd.DataFrame) -> Figure:
    """Plot heat maps of test perplexity over two settings, labelled with mean and standard deviation over seeds.

    Networks that differ only in cell, layers and hidden units give a map of layers x hidden units for each cell. Others
    give a map for each pair of axes, at most `MAX_MAPS`: those whose cells differ most in test bits. A cell of a map
    shows its best network on validation; a combination that was not run is grey and labelled.
    """
    networks = _with_valid(models)
    if networks.empty:
        return style.draw_message("No recurrent network was trained, so there are no settings to compare.")
    axes = list_axes(select_networks(models))
    if set(axes) <= set(SHAPE):
        by_cell = {cell: networks[networks["cell"] == cell] for cell in list_axis_values(networks, "cell")}
        values = {name: list_axis_values(networks, name) for name in ("hidden", "layers")}  # the same in every panel
        maps = [(str(cell), "hidden", "layers", of_cell) for cell, of_cell in by_cell.items()]
        return _draw_maps(maps, values, len(maps))
    pairs = [(axes[0], "layers" if axes[0] != "layers" else "hidden")] if len(axes) == 1 else _pairs(networks, axes)
    values = {name: list_axis_values(networks, name) for name in {name for pair in pairs for name in pair}}
    maps = [("", across, up, networks) for across, up in pairs]
    figure = _draw_maps(maps, values, _columns(len(maps)))
    if len(networks) > max(len(values[across]) * len(values[up]) for across, up in pairs) or len(axes) > 2:
        note = f"Each cell shows its best network on validation; there are {len(networks)} networks in total."
        figure.suptitle(note, x=0.01, ha="left", fontsize=11, color=style.GREY)
    return figure


def _columns(panels: int) -> int:
    """Return the number of panels in a row that leaves no row almost empty."""
    return 2 if panels == 4 else min(MAX_COLUMNS, panels)


def _pairs(networks: pd.DataFrame, axes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of axes whose maps vary most in test bits, most first; the axis with more values is across."""
    spread = {}
    for first, second in itertools.combinations(axes, 2):
        best = _best_first(networks).drop_duplicates([first, second])["bits_per_symbol"]
        bits = best[np.isfinite(best)]
        across, up = sorted((first, second), key=lambda axis: -len(list_axis_values(networks, axis)))
        spread[across, up] = float(bits.std()) if len(bits) > 1 else 0.0
    return sorted(spread, key=lambda pair: -spread[pair])[:MAX_MAPS]


def _draw_maps(
    maps: Sequence[tuple[str, str, str, pd.DataFrame]], values: Mapping[str, list[Any]], columns: int
) -> Figure:
    """Draw `maps`, tuples of a title, the settings across and up, and networks, over the `values` of settings."""
    perplexity = pd.concat([networks for *_, networks in maps])["perplexity"]
    finite = perplexity[np.isfinite(perplexity)]
    low, high = (finite.min(), finite.max()) if len(finite) else (1.0, 1.0)
    if high < low * 1.001:  # a single figure needs a scale too, which is not drawn
        low, high = low / 1.05, low * 1.05
    rows = -(-len(maps) // columns)
    width = max((1.15 if _has_numbers(values, across, up) else 0.62) * len(values[across]) for _, across, up, _ in maps)
    height = max((0.85 if _has_numbers(values, across, up) else 0.4) * len(values[up]) for _, across, up, _ in maps)
    size = (1.5 + columns * max(1.9, width), max(3.0, 0.65 + rows * (0.85 + height)))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, (title, across, up, networks) in zip(panels, maps, strict=False):
        image = _draw_map(panel, networks, {across: values[across], up: values[up]}, low, high)
        panel.set_title(title)
    for panel in panels[len(maps) :]:
        panel.set_visible(False)
    if len({(across, up) for _, across, up, _ in maps}) == 1:  # all panels have the same axes
        for place, panel in enumerate(panels):
            if place % columns:
                panel.set_ylabel("")
    if len(finite) > 1:
        bar = figure.colorbar(image, ax=panels, label="test perplexity (darker is better)", shrink=0.9)
        bar.outline.set_visible(False)
        style.set_plain_ticks(bar.ax.yaxis, low, high)
    return figure


def _draw_map(panel: Axes, networks: pd.DataFrame, values: dict[str, list[Any]], low: float, high: float) -> Any:
    """Draw one map of the two settings in `values`, across and up; `low` to `high` is the range of all perplexities."""
    (across, columns), (up, rows) = values.items()
    written = _has_numbers(values, across, up)
    ordered = _best_first(networks)
    cells = [[select_value(select_value(ordered, up, row), across, column)[:1] for column in columns] for row in rows]
    perplexities = np.array([[cell["perplexity"].iloc[0] if len(cell) else math.nan for cell in row] for row in cells])
    panel.set_facecolor("#EBEBEB")
    norm = LogNorm(low / (high / low) ** 0.2, high)
    image = panel.pcolormesh(
        np.ma.masked_invalid(perplexities), cmap="Blues_r", norm=norm, edgecolor="white", linewidth=2
    )
    for row, column in np.ndindex(perplexities.shape) if written else ():
        dark = perplexities[row, column] < low * (high / low) ** 0.15  # false where there is no value
        text, colour = _heat_text(cells[row][column]), "white" if dark else "black"
        panel.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour)
    _name_cells(panel, cells)
    panel.set(xlabel=label_axis(across), xticks=np.arange(len(columns)) + 0.5, xticklabels=map(format_value, columns))
    panel.set(ylabel=label_axis(up), yticks=np.arange(len(rows)) + 0.5, yticklabels=map(format_value, rows))
    panel.grid(False)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    return image


def _name_cells(panel: Axes, cells: Sequence[Sequence[pd.DataFrame]]) -> None:
    """Name the cells of a map, rows of at most one network, by points without a marker."""
    names = {
        (column + 0.5, row + 0.5): f"{network.model}, test perplexity {_heat_text(cell).replace(chr(10), ' ')}"
        for row, cells_of_row in enumerate(cells)
        for column, cell in enumerate(cells_of_row)
        for network in cell.itertuples()
    }
    if names:
        (line,) = panel.plot(*zip(*names, strict=True), linestyle="none", marker="", label="_cells")
        name_points(line, list(names.values()))


def _has_numbers(values: Mapping[str, list[Any]], across: str, up: str) -> bool:
    """Return whether the cells of a map of these settings have room for numbers."""
    return max(len(values[across]), len(values[up])) <= MAX_NUMBERED_VALUES or {across, up} <= set(SHAPE)


def _heat_text(networks: pd.DataFrame) -> str:
    if networks.empty:
        return "not run"
    value, std = networks["perplexity"].iloc[0], networks["perplexity_std"].iloc[0]
    return (
        f"{style.format_number(value)}\n± {style.format_deviation(std, value)}"
        if math.isfinite(std)
        else style.format_number(value)
    )


@style.styled
def plot_axes(models: pd.DataFrame) -> Figure:
    """Plot test bits per symbol of networks against each setting in which they differ, a panel for each.

    A point is a network, with a bar of one standard deviation over its seeds; black is the mean of the points at a
    value. Colours and markers show the two settings whose means differ most, the same in all panels. A scale is
    logarithmic where that spaces the values of a setting more evenly.
    """
    networks = select_networks(models)
    varied = list_axes(networks)
    if len(varied) < 2:
        difference = f"only in {label_axis(varied[0])}" if varied else "in no setting"
        return style.draw_message(
            f"The networks of this experiment differ {difference}, so there are no axes to compare."
        )
    infinite = int((~np.isfinite(networks["bits_per_symbol"])).sum())
    networks = networks[np.isfinite(networks["bits_per_symbol"])]
    if networks.empty:
        return style.draw_message("No recurrent network has finite test bits to draw against its settings.")
    encoded = _by_effect(networks, varied)[:2]
    keys = [_colours(list_axis_values(networks, encoded[0])), _markers(list_axis_values(networks, encoded[1]))]
    columns = _columns(len(varied))
    rows = -(-len(varied) // columns)
    figure = Figure(figsize=(2.4 + 3.4 * columns, 0.6 + 3.1 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for panel, axis in zip(panels, varied, strict=False):
        _draw_axis(panel, networks, axis, encoded, keys)
    for panel in panels[len(varied) :]:
        panel.set_visible(False)
    spread = networks["bits_per_symbol_std"].fillna(0.0) if len(networks) <= MAX_BARS else 0.0
    low, high = (networks["bits_per_symbol"] - spread).min(), (networks["bits_per_symbol"] + spread).max()
    room = 0.05 * (high - low) or 0.01
    panels[0].set_ylim(low - room, high + room)  # matplotlib ignores shifted points
    for panel in panels[::columns]:
        panel.set_ylabel("test bits per symbol")
    handles = [make_legend_note(label_axis(encoded[0]))]
    handles += [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=format_value(value))
        for value, colour in keys[0]
    ]
    handles.append(make_legend_note(label_axis(encoded[1])))
    handles += [
        Line2D([], [], color=style.GREY, marker=marker, linestyle="none", label=format_value(value))
        for value, marker in keys[1]
    ]
    handles.append(Line2D([], [], color="black", linewidth=1.2, marker="_", markersize=12, label="mean"))
    handles += [make_legend_note(f"{infinite} with infinite bits")] if infinite else []
    style.draw_legend(figure, handles)
    return figure


def _by_effect(networks: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """Return the axes by the range of the mean test bits of their values, largest first."""

    def effect(axis: str) -> float:
        means = [
            select_value(networks, axis, value)["bits_per_symbol"].mean() for value in list_axis_values(networks, axis)
        ]
        return float(np.ptp(means))

    return sorted(axes, key=effect, reverse=True)


def _colours(values: Sequence[Any]) -> list[tuple[Any, str]]:
    """Return a colour for each value: from dark to light for many numbers, else the colours of the style."""
    if len(values) > MAX_STYLE_COLOURS and not any(isinstance(value, str) or value is None for value in values):
        shades = colormaps["viridis"](np.linspace(0, 0.92, len(values)))
        return list(zip(values, map(to_hex, shades), strict=True))
    return [(value, style.COLOURS[place % len(style.COLOURS)]) for place, value in enumerate(values)]


def _markers(values: Sequence[Any]) -> list[tuple[Any, str]]:
    return [(value, style.MARKERS[place % len(style.MARKERS)]) for place, value in enumerate(values)]


def _draw_axis(
    panel: Axes,
    networks: pd.DataFrame,
    axis: str,
    encoded: Sequence[str],
    keys: Sequence[Sequence[tuple[Any, str]]],
) -> None:
    """Draw the networks against one axis; `keys` are the colours and markers of the values of the `encoded` axes."""
    values = list_axis_values(networks, axis)
    numeric = not any(isinstance(value, str) or value is None for value in values)
    place_of = {value: float(value) if numeric else place for place, value in enumerate(values)}
    places = np.array([place_of[value] for value in values])
    if numeric:
        _scale(panel, places)
    for shift, (colour_value, colour) in enumerate(keys[0]):
        aside = 5.0 * (shift - (len(keys[0]) - 1) / 2) / 72 if encoded[0] != axis else 0.0  # inches
        where = panel.transData + ScaledTranslation(aside, 0, panel.figure.dpi_scale_trans)
        coloured = select_value(networks, encoded[0], colour_value)
        for marker_value, marker in keys[1]:
            points = select_value(coloured, encoded[1], marker_value)
            x = [place_of[None if pd.isna(value) else value] for value in points[axis]]
            y, spread = points["bits_per_symbol"], points["bits_per_symbol_std"].fillna(0.0)
            if len(networks) <= MAX_BARS:
                panel.vlines(x, y - spread, y + spread, color=colour, linewidth=0.9, alpha=0.4, transform=where)
            shape: dict[str, Any] = {"markersize": 5.5, "markeredgewidth": 0, "alpha": 0.8, "transform": where}
            label = f"{label_axis(encoded[0])} {format_value(colour_value)}"
            (line,) = panel.plot(
                x, y, marker, color=colour, label=label, rasterized=len(networks) > MAX_SHAPES, **shape
            )
            name_points(line, [f"{row.model} ({row.seeds} seeds)" for row in points.itertuples()])
    means = [select_value(networks, axis, value)["bits_per_symbol"].mean() for value in values]
    bar: dict[str, Any] = {"marker": "_", "markersize": 16, "markeredgewidth": 1.6, "zorder": 4}
    panel.plot(places, means, color="black", linewidth=1.2 if numeric else 0, **bar)
    _ticks(panel.xaxis, places, [format_value(value) for value in values])
    panel.margins(x=0.18)
    panel.set_xlabel(label_axis(axis))


def _scale(panel: Axes, places: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Make the horizontal axis logarithmic where that spaces the rising `places` more evenly; with a zero among them it
    is linear up to the smallest positive value.
    """
    positive = places[places > 0]
    if places[0] < 0 or len(positive) < 2:
        return
    uneven = [np.diff(scale).std() / np.diff(scale).mean() for scale in (positive, np.log(positive))]
    wide = positive[-1] >= 10 * positive[0]
    if uneven[1] < uneven[0] - 1e-9 or (len(positive) == 2 and wide):
        if places[0] > 0:
            panel.set_xscale("log")
        elif wide:
            panel.set_xscale("symlog", linthresh=positive[0], linscale=0.5)


def _ticks(axis: Axis, places: np.ndarray[Any, np.dtype[np.float64]], labels: Sequence[str]) -> None:
    """Put ticks at `places`, at most seven."""
    every = -(-len(places) // 7)
    axis.set_major_locator(FixedLocator(places[::every].tolist()))
    axis.set_major_formatter(FixedFormatter(list(labels[::every])))
    axis.set_minor_locator(NullLocator())


@style.styled
def plot_learning_curves(models: pd.DataFrame, histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Plot validation perplexity (log axis) against epoch, a panel for each cell; `histories[model]` is a history.csv.

    A line is the mean over seeds, its band reaches from the lowest to the highest. After the first seed has stopped,
    the others continue as separate thin lines, since a mean over fewer seeds would jump. Colours and dashes show hidden
    units and layers, or, where other settings vary, the two whose means differ most on test. The best
    `MAX_HIGHLIGHTED` networks on validation are coloured, the others pale.
    """
    networks = _with_valid(models)
    networks = networks[[not histories.get(model, pd.DataFrame()).empty for model in networks["model"]]]
    if networks.empty:
        return style.draw_message("No recurrent network was trained, so there are no learning curves.")
    best = _best_first(networks)["model"][:MAX_HIGHLIGHTED]
    coloured = networks[networks["model"].isin(best)]
    encoded = _curve_axes(networks)
    colours = _colours(list_axis_values(coloured, encoded[0]))
    dashes = [
        (value, DASHES[place % len(DASHES)]) for place, value in enumerate(list_axis_values(coloured, encoded[1]))
    ]
    cells = list_axis_values(networks, "cell")
    figure = Figure(figsize=(1.6 + 3.4 * len(cells), 4) if len(cells) > 1 else (7.5, 4.2), layout="constrained")
    panels = figure.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    for panel, cell in zip(panels, cells, strict=True):
        for model in select_value(networks[~networks["model"].isin(best)], "cell", cell)["model"]:
            mean = histories[model].groupby("epoch")["valid_perplexity"].mean()
            panel.plot(
                mean.index, mean, color=style.PALE_GREY, linewidth=0.8, zorder=1, rasterized=len(networks) > MAX_SHAPES
            )
        for colour_value, colour in colours:
            for dash_value, dash in dashes:
                of_colour = select_value(select_value(coloured, "cell", cell), encoded[0], colour_value)
                for model in select_value(of_colour, encoded[1], dash_value)["model"]:
                    _curve(panel, histories[model], model, colour, dash)
        panel.set(title=cell, xlabel="epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
        style.set_log_axis(panel, "y")
    panels[0].set_ylabel("validation perplexity")
    handles = [Line2D([], [], color=colour, label=_with_unit(encoded[0], value)) for value, colour in colours]
    handles += [
        Line2D([], [], color=style.GREY, linestyle=dash, label=_with_unit(encoded[1], value)) for value, dash in dashes
    ]
    if pale := len(networks) - len(coloured):
        handles.append(Line2D([], [], color=style.PALE_GREY, linewidth=0.8, label=f"{pale} others"))
    style.draw_legend(figure, handles)
    return figure


def _curve_axes(networks: pd.DataFrame) -> list[str]:
    """Return the settings that colours and dashes show."""
    varied = [axis for axis in list_axes(networks.drop(columns="valid_perplexity")) if axis != "cell"]
    if set(varied) <= set(SHAPE):
        return ["hidden", "layers"]
    finite = networks[np.isfinite(networks["bits_per_symbol"])]
    first, *others = _by_effect(finite, varied) if len(finite) else varied
    few = [axis for axis in others if len(list_axis_values(networks, axis)) <= len(DASHES)]
    return [first, (few or others or [axis for axis in ("layers", "hidden") if axis != first])[0]]


def _with_unit(axis: str, value: Any) -> str:
    """Return a value with the name of its setting, for a legend: 16 hidden units, 2 layers, dropout 0.3."""
    if axis == "layers":
        return f"{value} layer{'s' if value > 1 else ''}"
    return (
        f"{format_value(value)} {label_axis(axis)}" if axis == "hidden" else f"{label_axis(axis)} {format_value(value)}"
    )


def _curve(panel: Axes, history: pd.DataFrame, model: str, colour: str, dash: Any) -> None:
    seeds = history.pivot_table(index="epoch", columns="seed", values="valid_perplexity").sort_index()
    together = seeds.dropna()  # the epochs that every seed has reached
    panel.plot(together.index, together.mean(axis=1), color=colour, linestyle=dash, label=model)
    panel.fill_between(
        together.index, together.min(axis=1), together.max(axis=1), color=colour, alpha=0.2, linewidth=0, label=model
    )
    for seed in seeds.columns:
        alone = seeds[seed].dropna().loc[together.index.max() if len(together) else seeds.index.min() :]
        if len(alone) > 1:
            panel.plot(alone.index, alone, color=colour, linestyle=dash, linewidth=0.7, label=f"{model}, seed {seed}")
