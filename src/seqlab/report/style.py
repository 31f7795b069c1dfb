"""Style of figures: colours, fonts, axes, number formats and saving."""

import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from seqlab.io.errors import InputError
from seqlab.io.files import replacing
from seqlab.report.points import add_points, list_points, mark_series

# the colours of Okabe and Ito, distinguishable for colour-blind readers, without yellow
ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
COLOURS = (BLUE, GREEN, ORANGE, SKY, PURPLE, VERMILLION)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY = "#595959"
PALE_GREY = "#BDBDBD"

MAX_WORD_CHARACTERS = 60  # longer parts of a label are cut

STYLE: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 11,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.5,
    "svg.fonttype": "path",  # outlines, which need no installed font
    "svg.hashsalt": "seqlab",  # ids inside the file depend on its content alone
}

SUFFIXES = (".svg", ".png", ".pdf")
Arguments = ParamSpec("Arguments")
StyledResult = TypeVar("StyledResult")


def styled(draw: Callable[Arguments, StyledResult]) -> Callable[Arguments, StyledResult]:
    """Decorate `draw` to run under `STYLE`, independent of the settings of its caller."""

    @functools.wraps(draw)
    def under_style(*arguments: Arguments.args, **named: Arguments.kwargs) -> StyledResult:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*arguments, **named)

    return under_style


@styled
def save_figure(figure: Figure, path: str | Path) -> None:
    """Write `figure` to `path` in the format of its suffix; the same figure gives the same bytes.

    An SVG file has the names and values of its points as metadata, see `seqlab.report.points`.
    """
    if Path(path).suffix not in SUFFIXES:
        raise InputError(f"a figure can't be written as {path}; its name must end in one of {', '.join(SUFFIXES)}")
    with replacing(path) as temporary:
        if temporary.suffix != ".svg":
            figure.savefig(temporary, dpi=110)
            return
        mark_series(figure)
        figure.savefig(temporary, metadata={"Date": None}, dpi=110)
        svg = temporary.read_text(encoding="utf-8")
        temporary.write_text(add_points(svg, list_points(figure)), encoding="utf-8")


def draw_message(sentence: str) -> Figure:
    """Return a figure with the reason for an empty figure."""
    figure = Figure(figsize=(7, 1.4))
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=GREY, wrap=True)
    return figure


def make_axes() -> tuple[Figure, Axes]:
    """Return a figure with one plot and room for a legend beside it."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    return figure, figure.subplots()


def assign_colours(names: list[str], *, from_end: bool = False) -> dict[str, str]:
    """Return a colour for each of `names`; families that start from different ends share colours last."""
    colours = COLOURS[::-1] if from_end else COLOURS
    return {name: colours[place % len(colours)] for place, name in enumerate(names)}


def draw_legend(figure: Figure, handles: list[Any]) -> None:
    """Draw one legend on the right of all panels."""
    if handles:
        labels = [wrap_label(str(handle.get_label())) for handle in handles]
        figure.legend(handles, labels, loc="outside right upper", handlelength=2.2, labelspacing=0.6)


def wrap_label(label: str, width: int = 30) -> str:
    """Wrap `label` after blanks and hyphens into lines of at most `width` characters where possible; a part without
    either of more than `MAX_WORD_CHARACTERS` is cut every `width` characters.
    """
    lines: list[str] = []
    for line in label.split("\n"):
        lines.append("")
        for part in _split_label(line, width):
            if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _split_label(line: str, width: int) -> Iterator[str]:
    """Yield the parts of a line of a label that stay together."""
    for part in re.findall(r"[^-\s]+[-\s]*|[-\s]+", line):
        if len(part) > MAX_WORD_CHARACTERS:
            yield from (part[start : start + width] for start in range(0, len(part), width))
        else:
            yield part


def set_log_axis(axes: Axes, name: str) -> None:
    """Make the axis `name` ("x" or "y") logarithmic, with plain numbers at round places within its limits."""
    axes.set_xscale("log") if name == "x" else axes.set_yscale("log")
    low, high = sorted(axes.get_xlim() if name == "x" else axes.get_ylim())
    set_plain_ticks(axes.xaxis if name == "x" else axes.yaxis, low, high)


def set_plain_ticks(axis: Axis, low: float, high: float) -> None:
    """Put plain numbers at round places from `low` to `high` on a logarithmic `axis`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(ticks) >= 4:
            labels = [format_tick(tick) for tick in ticks]
            break
    else:  # for factors below two an even scale has rounder numbers
        ticks = [tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
        decimals = max(len(format_tick(tick).partition(".")[2]) for tick in ticks)
        labels = [format_tick(tick) if tick >= 1e4 else f"{tick:.{decimals}f}" for tick in ticks]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(labels))
    axis.set_minor_locator(NullLocator())


def set_whole_ticks(axes: Axes, numbers: Iterable[int]) -> None:
    """Put ticks at whole `numbers` only on the horizontal axis."""
    ticks = list(numbers)
    axes.set_xticks(ticks, list(map(str, ticks)))
    axes.xaxis.set_minor_locator(NullLocator())


def format_tick(value: float) -> str:
    """Format a number of an axis: 0.05, 1.5, 200, 10k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{round(value, 10):g}"


def format_number(value: float) -> str:
    """Format a figure with about four digits: 1.234, 12.34, 123.4, 1,234; very small or large ones as 1.234e-13."""
    if math.isinf(value):
        return "∞"
    if 0 < abs(value) < 5e-4 or abs(value) >= 1e12:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - len(str(int(value))) + 1)}f}"


def format_deviation(std: float, value: float) -> str:
    """Format `std` with the decimals of `format_number(value)`, and more where it would be rounded to zero."""
    decimals = max(0, 3 - len(str(int(value))) + 1)
    while std > 0 and decimals < 6 and round(std, decimals) == 0:
        decimals += 1
    return f"{std:,.{decimals}f}"
