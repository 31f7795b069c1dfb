"""Points of figures in SVG files, and what of a file becomes part of a page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from matplotlib.figure import Figure

from seqlab.report.points import add_points, inline_figure, name_points
from seqlab.report.style import draw_legend, save_figure

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def draw(path: Path) -> tuple[Figure, str]:
    """Draw two series from (0, 0) to (4, 8), in axes that fill a figure of 72 by 72 points."""
    figure = Figure(figsize=(1, 1))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 4), ylim=(0, 8), xlabel="order", ylabel="bits")
    axes.plot([1, 2, 9], [2, 4, 4], label="a <b>")
    (line,) = axes.plot([4], [8], "o", label="c")
    name_points(line, ["seed 7"])
    axes.plot([0, 4], [0, 8], label="_grid")
    save_figure(figure, path)
    return figure, path.read_text(encoding="utf-8")


def read_series(page: Markup | None) -> list[dict[str, Any]]:
    assert page is not None
    (content,) = re.findall(r'data-series="([^"]*)"', page)
    return json.loads(Markup(content).unescape())


def test_points_have_their_place_and_values_in_the_page(tmp_path: Path) -> None:
    series = read_series(inline_figure(draw(tmp_path / "a.svg")[1].encode(), "key", "label"))
    assert [(content["name"], content["points"]) for content in series] == [
        ("a <b>", [[18.0, 54.0, "order 1, bits 2"], [36.0, 36.0, "order 2, bits 4"]]),  # the third is outside
        ("c", [[72.0, 0.0, "seed 7, order 4, bits 8"]]),
    ]


def test_the_ids_of_series_are_those_of_their_lines(tmp_path: Path) -> None:
    page = inline_figure(draw(tmp_path / "a.svg")[1].encode(), "key", "label")
    for content in read_series(page):
        assert all(f'id="{name}"' in str(page) for name in content["ids"])


def test_a_series_has_the_ids_of_its_entry_in_a_wrapped_legend(tmp_path: Path) -> None:
    label = "best of all networks within-a-cost of training"
    figure = Figure()
    axes = figure.subplots()
    handles = axes.plot([1, 2], [1, 2], label=label) + axes.plot([1, 2], [2, 1], label="other")
    draw_legend(figure, handles)
    save_figure(figure, tmp_path / "a.svg")
    page = inline_figure((tmp_path / "a.svg").read_bytes(), "key", "label")
    series = {content["name"]: content["legend"] for content in read_series(page)}
    assert series == {label: ["key.legend-0", "key.legend-1"], "other": ["key.legend-2", "key.legend-3"]}
    assert all(f'id="{name}"' in str(page) for names in series.values() for name in names)


def test_no_text_of_a_figure_is_markup_in_the_page(tmp_path: Path) -> None:
    page = inline_figure(draw(tmp_path / "a.svg")[1].encode(), "key", 'a "label" <b>')
    assert "<b>" not in str(page) and "&lt;b" in str(page)


def test_the_same_figure_gives_the_same_file(tmp_path: Path) -> None:
    assert draw(tmp_path / "a.svg")[1] == draw(tmp_path / "b.svg")[1]


@pytest.mark.parametrize(
    "content",
    [
        "<script>1</script>",
        '<path onload="1"/>',
        '<rect style="fill:url(https://example.org/a)"/>',
        '<image xlink:href="https://example.org/a.png"/>',
        '<use xlink:href="data:image/svg+xml,a"/>',
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
        '<a xlink:href="#a"/>',
    ],
)
def test_a_file_with_more_than_a_drawing_is_no_part_of_the_page(content: str) -> None:
    assert inline_figure(add_points(DRAWING.format("<g/>"), "[]").encode(), "key", "label") is not None
    assert inline_figure(add_points(DRAWING.format(content), "[]").encode(), "key", "label") is None


def test_a_file_without_points_and_a_damaged_one_are_no_part_of_the_page() -> None:
    assert inline_figure(DRAWING.format("<g/>").encode(), "key", "label") is None
    assert inline_figure(b"<svg", "key", "label") is None
