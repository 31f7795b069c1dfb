"""The figures of an experiment, drawn from models.csv and history.csv; nothing here knows where files lie."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqlab.report.style import (
    GREY,
    MARKERS,
    colour_of,
    deviation,
    legend,
    log_axis,
    message,
    number,
    plain_ticks,
    single_axes,
    styled,
)
from seqlab.report.tables import best_on_valid, natural, parse_ngram, parse_rnn

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


@styled
def perplexity_by_order(models: pd.DataFrame, entropy_rate: dict[str, float] | None = None) -> Figure:
    """Test perplexity (log axis) against order, a line for each smoothing, from the rows of models.csv.

    The network that is best on valid of each cell is a horizontal line with a band of one standard deviation over
    its seeds; the known floor is dashed: `entropy_rate["bits_per_symbol"]` as a perplexity, else the test perplexity
    of the source. Infinite figures are named, not drawn.
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
        handles += axes.plot(line["order"], line["perplexity"], color=colours[smoothing], marker=marker, linestyle=dash,
                             label=smoothing, zorder=3)  # fmt: skip
    handles += _bands(axes, models)
    floor = _floor_perplexity(models, entropy_rate)
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


@styled
def layers_by_hidden(models: pd.DataFrame) -> Figure:
    """A heat map of test perplexity for each cell, layers x hidden units, with mean and standard deviation written in.

    A combination that was not run is grey and says so.
    """
    networks = network_rows(models)
    if networks.empty:
        return message("No recurrent network was trained, so there are no layers and hidden units to compare.")
    layers, hidden = (sorted(networks[name].unique()) for name in ("layers", "hidden"))
    cells = sorted(networks["cell"].unique())
    finite = networks["perplexity"][np.isfinite(networks["perplexity"])]
    low, high = (finite.min(), finite.max()) if len(finite) else (1.0, 1.0)
    if high < low * 1.001:  # a single figure still needs a scale, which is then not drawn
        low, high = low / 1.05, low * 1.05
    figure = Figure(figsize=(1.5 + len(cells) * max(1.9, 1.15 * len(hidden)), max(2.6, 1.5 + 0.85 * len(layers))),
                    layout="constrained")  # fmt: skip
    panels = figure.subplots(1, len(cells), squeeze=False)[0]
    for axes, cell in zip(panels, cells, strict=True):
        values = np.full((len(layers), len(hidden)), np.nan)
        for row in networks[networks["cell"] == cell].itertuples():
            values[layers.index(row.layers), hidden.index(row.hidden)] = row.perplexity
        drawn = np.ma.masked_invalid(values)
        axes.set_facecolor("#EBEBEB")
        image = axes.pcolormesh(
            drawn, cmap="Blues_r", norm=LogNorm(low / (high / low) ** 0.2, high), edgecolor="white", linewidth=2
        )
        for layer, unit in np.ndindex(values.shape):
            run = networks[(networks["cell"] == cell) & (networks["layers"] == layers[layer])
                           & (networks["hidden"] == hidden[unit])]  # fmt: skip
            text = _heat_text(run)
            dark = values[layer, unit] < low * (high / low) ** 0.15  # false where there is no value
            axes.text(unit + 0.5, layer + 0.5, text, ha="center", va="center", color="white" if dark else "black")
        axes.set(title=cell, xlabel="hidden units", xticks=np.arange(len(hidden)) + 0.5, xticklabels=hidden,
                 yticks=np.arange(len(layers)) + 0.5, yticklabels=layers)  # fmt: skip
        axes.grid(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    panels[0].set_ylabel("layers")
    if len(finite) > 1:
        bar = figure.colorbar(image, ax=list(panels), label="test perplexity (darker is better)", shrink=0.9)
        bar.outline.set_visible(False)
        plain_ticks(bar.ax.yaxis, low, high)
    return figure


@styled
def learning_curves(histories: dict[str, pd.DataFrame]) -> Figure:
    """Valid perplexity (log axis) against epoch, a panel for each cell; `histories[model]` is a history.csv.

    A line is the mean over seeds, its band reaches from the lowest to the highest; beyond the epoch where the first
    seed stopped, the other seeds go on as thin lines of their own, since a mean over fewer seeds would jump.
    """
    histories = {model: history for model, history in histories.items() if not history.empty}
    if not histories:
        return message("No recurrent network was trained, so there are no learning curves.")
    names = {model: parse_rnn(model) for model in sorted(histories, key=natural)}
    cells = sorted({cell for cell, _, _ in names.values()})
    layers = sorted({layer for _, layer, _ in names.values()})
    hidden = sorted({unit for _, _, unit in names.values()})
    colours = colour_of([str(unit) for unit in hidden])
    figure = Figure(figsize=(1.6 + 3.4 * len(cells), 4) if len(cells) > 1 else (7.5, 4.2), layout="constrained")
    panels = figure.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    for model, (cell, layer, unit) in names.items():
        _curve(panels[cells.index(cell)], histories[model], model, colours[str(unit)],
               DASHES[layers.index(layer) % len(DASHES)])  # fmt: skip
    for axes, cell in zip(panels, cells, strict=True):
        axes.set(title=cell, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
        log_axis(axes, "y")
    panels[0].set_ylabel("valid perplexity")
    handles = [Line2D([], [], color=colours[str(unit)], label=f"{unit} hidden units") for unit in hidden]
    for place, layer in enumerate(layers):
        words = f"{layer} layer{'s' if layer > 1 else ''}"
        handles.append(Line2D([], [], color=GREY, linestyle=DASHES[place % len(DASHES)], label=words))
    legend(figure, handles)
    return figure


def ngram_rows(models: pd.DataFrame) -> pd.DataFrame:
    """The test rows of n-grams with columns smoothing and order, by rising order."""
    rows = models[(models["family"] == "ngram") & (models["split"] == "test")]
    names = [parse_ngram(model) for model in rows["model"]]
    return rows.assign(smoothing=[name[0] for name in names], order=[name[1] for name in names]).sort_values("order")


def network_rows(models: pd.DataFrame) -> pd.DataFrame:
    """The test rows of recurrent networks with columns cell, layers and hidden."""
    rows = models[(models["family"] == "rnn") & (models["split"] == "test")]
    names = [parse_rnn(model) for model in rows["model"]]
    columns = ("cell", "layers", "hidden")
    return rows.assign(**{column: [name[place] for name in names] for place, column in enumerate(columns)})


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


def _heat_text(run: pd.DataFrame) -> str:
    if run.empty:
        return "not run"
    value, std = run["perplexity"].iloc[0], run["perplexity_std"].iloc[0]
    return f"{number(value)}\n± {deviation(std, value)}" if math.isfinite(std) else number(value)


def _curve(axes: Axes, history: pd.DataFrame, model: str, colour: str, dash: Any) -> None:
    seeds = history.pivot_table(index="epoch", columns="seed", values="valid_perplexity").sort_index()
    together = seeds.dropna()  # the epochs that every seed has reached
    axes.plot(together.index, together.mean(axis=1), color=colour, linestyle=dash, label=model)
    axes.fill_between(together.index, together.min(axis=1), together.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    for seed in seeds.columns:
        alone = seeds[seed].dropna().loc[together.index.max() if len(together) else seeds.index.min() :]
        if len(alone) > 1:
            axes.plot(alone.index, alone, color=colour, linestyle=dash, linewidth=0.7, label=f"{model}, seed {seed}")


def legend_line(note: str) -> Line2D:
    """A line of the legend that has words alone."""
    return Line2D([], [], linestyle="none", label=note)
