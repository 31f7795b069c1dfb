"""Sections of docs/published.md: a published table of config/published, with its results in docs/results.

tools/pages.py writes them. The results of config/published/NAME.yaml are docs/results/NAME.csv, which tools/table.py
prints from published.csv; a table without results shows its printed values.
"""

import csv
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from seqlab.io.errors import InputError
from seqlab.published import list_cells, name_protocol

ROOT = Path(__file__).parents[1]
LINE_LENGTH = 100
PRINTED_HEADER = ["cell", "unit", "protocol", "printed", "tolerance", "source"]


def sections(folder: Path) -> Iterator[str]:
    """The lines of the section of every table in `folder`, a blank line before each."""
    for path in sorted(folder.glob("*.yaml")):
        published = yaml.safe_load(path.read_text(encoding="utf-8"))["published"]
        yield f"\n## {published['title']}: {path.stem}\n"
        yield from head(path)
        yield "\n"
        yield from markdown(results(path.stem, list_cells(published)))


def head(path: Path) -> Iterator[str]:
    """The comment at the head of a configuration, with its command as a block of code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line[1:] for line in takewhile(lambda line: line.startswith("#"), lines)]
    text = " ".join(line.strip() for line in comment if not line.startswith("   "))
    yield textwrap.fill(text, LINE_LENGTH, break_on_hyphens=False) + "\n"
    yield from (f"\n    {line.strip()}\n" for line in comment if line.startswith("   "))


def results(name: str, cells: list[dict[str, Any]]) -> list[list[str]]:
    """The header and the rows of docs/results/{name}.csv, or of the printed values where that file is missing."""
    path = ROOT / "docs/results" / f"{name}.csv"
    if not path.exists():
        return [PRINTED_HEADER, *map(printed_row, cells)]
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = [header.index(column) for column in ("cell", "printed")]
    present = [[row[column] for column in columns] for row in rows]
    if present != [[cell["name"], f"{cell['printed']:g}"] for cell in cells]:
        raise InputError(
            f"{path.relative_to(ROOT)} has other cells than config/published/{name}.yaml; run that experiment and "
            "write the file by tools/table.py"
        )
    return [header, *rows]


def printed_row(cell: dict[str, Any]) -> list[str]:
    """A row of a table without results."""
    source = f"{cell['source']} ({cell['evidence']})"
    return [cell["name"], cell["unit"], name_protocol(cell), f"{cell['printed']:g}", f"{cell['tolerance']:g}", source]


def markdown(rows: list[list[str]]) -> Iterator[str]:
    """The lines of a table of Markdown; the first of `rows` is its header."""
    header, *others = rows
    for cells in (header, ["---"] * len(header), *others):
        yield f"| {' | '.join(cells)} |\n"
