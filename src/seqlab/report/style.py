"""How figures look: colours, fonts, axes and the one way they are saved."""

import functools
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from seqlab.io.errors import InputError
from seqlab.io.files import replacing

# Okabe and Ito's colours, told apart by colour-blind readers; without yellow, which is pale on white
ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
COLOURS = (BLUE, GREEN, ORANGE, SKY, PURPLE, VERMILLION)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY = "#595959"

STYLE: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 11,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.5,
    "svg.fonttype": "path",  # letters as outlines: no reader needs the font
    "svg.hashsalt": "seqlab",  # ids inside the file depend on its content alone
}

SUFFIXES = (".svg", ".png", ".pdf")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`draw` under the style of the house, whatever the settings of its caller."""

    @functools.wraps(draw)
    def under_style(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*arguments, **named)

    return under_style


@styled
def save(figure: Figure, path: str | Path) -> None:
    """Write `figure` to `path` in the format of its suffix; the same figure gives the same bytes."""
    if Path(path).suffix not in SUFFIXES:
        raise InputError(f"a figure can't be written as {path}; its name must end in one of {', '.join(SUFFIXES)}")
    with replacing(path) as temporary:
        figure.savefig(temporary, metadata={"Date": None} if temporary.suffix == ".svg" else None, dpi=110)


def message(sentence: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = Figure(figsize=(7, 1.4))
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=GREY, wrap=True)
    return figure


def single_axes() -> tuple[Figure, Axes]:
    """A figure with one plot, and room for a legend beside it."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    return figure, figure.subplots()


def colour_of(names: list[str], *, from_end: bool = False) -> dict[str, str]:
    """A colour for each of `names`; two families that count from different ends share none while colours last."""
    colours = COLOURS[::-1] if from_end else COLOURS
    return {name: colours[place % len(colours)] for place, name in enumerate(names)}


def legend(figure: Figure, handles: list[Any]) -> None:
    """One legend right of everything drawn."""
    if handles:
        labels = [wrapped(str(handle.get_label())) for handle in handles]
        figure.legend(handles, labels, loc="outside right upper", handlelength=2.2, labelspacing=0.6)


def wrapped(label: str, width: int = 30) -> str:
    """`label` in lines of at most `width` characters, broken after blanks and hyphens as far as it has any."""
    lines: list[str] = []
    for line in label.split("\n"):
        lines.append("")
        for part in re.findall(r"[^-\s]+[-\s]*|[-\s]+", line):
            if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def log_axis(axes: Axes, which: str) -> None:
    """Make the axis `which` ("x" or "y") logarithmic with plain numbers at round places within its limits."""
    axes.set_xscale("log") if which == "x" else axes.set_yscale("log")
    low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
    plain_ticks(axes.xaxis if which == "x" else axes.yaxis, low, high)


def plain_ticks(axis: Axis, low: float, high: float) -> None:
    """Put plain numbers at round places from `low` to `high` on a logarithmic `axis`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(ticks) >= 4:
            labels = [plain(tick) for tick in ticks]
            break
    else:  # less than a factor of about two: an even scale has rounder numbers
        ticks = [tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
        decimals = max(len(plain(tick).partition(".")[2]) for tick in ticks)
        labels = [plain(tick) if tick >= 1e4 else f"{tick:.{decimals}f}" for tick in ticks]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(labels))
    axis.set_minor_locator(NullLocator())


def whole_ticks(axes: Axes, numbers: Iterable[int]) -> None:
    """Put these whole numbers, and no marks between them, on the horizontal axis, whatever its scale."""
    ticks = list(numbers)
    axes.set_xticks(ticks, list(map(str, ticks)))
    axes.xaxis.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """A number of an axis: 0.05, 1.5, 200, 10k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{round(value, 10):g}"


def number(value: float) -> str:
    """A figure with about four digits: 1.234, 12.34, 123.4, 1,234; 1.234e-13 where it is far from one."""
    if math.isinf(value):
        return "∞"
    if 0 < abs(value) < 5e-4 or abs(value) >= 1e12:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - len(str(int(value))) + 1)}f}"


def deviation(std: float, value: float) -> str:
    """`std` with as many decimals as `number(value)`, and a decimal more where it would be rounded to zero."""
    decimals = max(0, 3 - len(str(int(value))) + 1)
    while std > 0 and decimals < 6 and round(std, decimals) == 0:
        decimals += 1
    return f"{std:,.{decimals}f}"
