"""Points of a figure that a reader can ask: names and values, kept in the SVG file, and the SVG as part of a page.

`mark_series` and `list_points` are called around the saving of a figure. The page calls `inline_figure`, and shows a
file that is not of this form as an image, in which a browser runs no scripts and loads no files.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter

MAX_LINE_POINTS = 300  # points of a line that can be asked; of more, every second, third, ...
METADATA_ID = "points"
SVG_NAMESPACE, XLINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
DRAWING_TAGS = {"svg", "g", "path", "use", "defs", "clipPath", "rect", "image"}
DRAWING_ATTRIBUTES = {"d", "id", "transform", "style", "clip-path", "x", "y", "width", "height", "viewBox", "version"}
LOCAL_ADDRESS = re.compile(r"url\(#([^)\s\"']+)\)")
# the style sheet in files of matplotlib, which would change other parts of the page
BASE_STYLE = "stroke-linejoin:round;stroke-linecap:butt"

POINT_NAMES: WeakKeyDictionary[Line2D, list[str]] = WeakKeyDictionary()


def name_points(line: Line2D, names: Sequence[str]) -> None:
    """Give each point of a line a name, which is shown in place of the label of the line."""
    POINT_NAMES[line] = list(names)


def mark_series(figure: Figure) -> None:
    """Set the ids of all artists that belong to a series, before the figure is saved."""
    for number, (_, _, artist) in enumerate(_list_artists(figure)):
        artist.set_gid(f"series-{number}")
    for number, (_, artist) in enumerate(_list_entries(figure)):
        artist.set_gid(f"legend-{number}")


def list_points(figure: Figure) -> str:
    """Return the series of a saved figure as JSON: a name, the ids of its artists and of its entry in a legend, and
    its points.

    A point is x and y in points (1/72 inch) from the upper left corner, and its text. Points outside of the axes are
    left out.
    """
    series: dict[str, dict[str, Any]] = {}
    for name, axes, artist in _list_artists(figure):
        content = series.setdefault(name, {"name": name, "ids": [], "legend": [], "points": []})
        content["ids"].append(artist.get_gid())
        if isinstance(artist, Line2D):
            content["points"] += _list_line_points(figure, axes, artist)
    entries = {_join_words(name): content for name, content in series.items() if name}
    for label, artist in _list_entries(figure):
        if label in entries:
            entries[label]["legend"].append(artist.get_gid())
    return json.dumps(list(series.values()), ensure_ascii=False, separators=(",", ":"))


def add_points(svg: str, points: str) -> str:
    """Return the text of an SVG file with `points`, those of `list_points`, as its last metadata."""
    escaped = points.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    start, end, rest = svg.rpartition("</svg>")
    return f'{start}<metadata id="{METADATA_ID}">{escaped}</metadata>\n{end}{rest}'


def inline_figure(svg: bytes, key: str, label: str) -> Markup | None:
    """Return a figure with points as an SVG element of a page; None where the file has no points, or has a tag,
    attribute or address that drawings of matplotlib lack.

    `key` makes the ids unique in the page, and `label` describes the figure.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return None
    points = root.find(f"{{{SVG_NAMESPACE}}}metadata[@id='{METADATA_ID}']")
    if points is None or not _keep_drawing(root, key):
        return None
    content = json.loads(points.text or "[]")
    for series in content:
        for part in ("ids", "legend"):
            series[part] = [f"{key}.{name}" for name in series.get(part, [])]
    root.attrib.pop("version", None)
    root.attrib |= {"class": "plot", "role": "img", "aria-label": label, "style": BASE_STYLE}
    root.set("data-series", json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    ElementTree.register_namespace("", SVG_NAMESPACE)
    return Markup(ElementTree.tostring(root, encoding="unicode").replace(f' xmlns="{SVG_NAMESPACE}"', ""))


def _list_artists(figure: Figure) -> Iterator[tuple[str, Axes, Artist]]:
    """Yield the name of the series, the axes and the artist of everything with a label or with named points."""
    for axes in figure.axes:
        parts = {
            part: str(container.get_label())
            for container in axes.containers
            for part in container.get_children()  # lines and bars of an interval, whose label is that of the container
        }
        for artist in (*axes.lines, *axes.collections, *axes.patches):
            name = parts.get(artist, str(artist.get_label())).replace("\n", " ")
            if not name.startswith("_"):
                yield name, axes, artist
            elif artist in POINT_NAMES:
                yield "", axes, artist


def _list_entries(figure: Figure) -> Iterator[tuple[str, Artist]]:
    """Yield the label, without blanks, and each of the two artists of every entry of a legend."""
    for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)):
        if legend is not None:
            for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
                label = _join_words(text.get_text())
                yield from ((label, artist) for artist in (handle, text) if artist is not None)


def _join_words(label: str) -> str:
    """Return a label without the blanks and line ends that its wrapping adds or removes."""
    return "".join(label.split())


def _list_line_points(figure: Figure, axes: Axes, line: Line2D) -> list[list[Any]]:
    data = np.asarray(line.get_xydata(), dtype=float)
    is_level = line.get_transform() == axes.get_yaxis_transform(which="grid")
    if is_level:
        data = data[-1:]
    names = POINT_NAMES.get(line)
    every = 1 if names else -(-len(data) // MAX_LINE_POINTS) or 1
    width, height = figure.get_size_inches() * 72
    pixels = line.get_transform().transform(data)
    inside = np.isfinite(pixels).all(axis=1)
    box = axes.bbox.padded(1)
    inside[inside] = [box.contains(*pixel) for pixel in pixels[inside]]
    shares = figure.transFigure.inverted().transform(pixels)
    y_label = axes.get_ylabel() or next((other.get_ylabel() for other in figure.axes if other.get_ylabel()), "")
    points: list[list[Any]] = []
    for place in range(0, len(data), every):
        if not inside[place]:
            continue
        parts = [axes.get_title(loc="left") or axes.get_title()]
        if names:
            parts.append(names[place])
        if not (names and line.get_marker() in ("", "None")):  # cells of a map have their values in their names
            parts += [] if is_level else [f"{axes.get_xlabel()} {_format_place(axes.xaxis, data[place, 0])}"]
            parts.append(f"{y_label} {_format_place(axes.yaxis, data[place, 1])}")
        x, y = round(float(shares[place, 0] * width), 1), round(float((1 - shares[place, 1]) * height), 1)
        points.append([x, y, ", ".join(part.strip() for part in parts if part.strip())])
    return points


def _format_place(axis: Axis, value: float) -> str:
    """Format a place on an axis by the label of its tick, or as a number."""
    if isinstance(axis.get_major_formatter(), FixedFormatter):
        ticks = axis.get_majorticklocs()
        labels = [label.get_text() for label in axis.get_majorticklabels()]
        for tick, label in zip(ticks, labels, strict=False):
            if tick == value and label:
                return label.replace("\n", " ")
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _keep_drawing(root: ElementTree.Element, key: str) -> bool:
    """Remove what a page does not need from a drawing and make its ids unique; False for what a drawing lacks."""
    prefix = f"{{{SVG_NAMESPACE}}}"
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{prefix}metadata", f"{prefix}style"):
                parent.remove(child)
    for element in root.iter():
        if element.tag.removeprefix(prefix) not in DRAWING_TAGS or not element.tag.startswith(prefix):
            return False
        address = element.attrib.pop(XLINK, None)
        if not set(element.attrib) <= DRAWING_ATTRIBUTES:
            return False
        for name, value in element.attrib.items():
            value = LOCAL_ADDRESS.sub(lambda match: f"url(#{key}.{match[1]})", value)
            if "url(" in LOCAL_ADDRESS.sub("", value) or "@" in value:
                return False
            element.set(name, f"{key}.{value}" if name == "id" else value)
        if address is not None:
            is_image = element.tag == f"{prefix}image" and address.startswith("data:image/png;base64,")
            if not (is_image or address.startswith("#")):
                return False
            element.set("href", address if is_image else f"#{key}.{address[1:]}")
    return True
