"""Columns of numbers with their times from a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError, flatten, quote
from seqlab.series.reading.cells import NUMBER, read_cells
from seqlab.series.reading.numerals import MISSING_MARKS, read_numbers
from seqlab.series.reading.times import check_times, is_time


@dataclass(frozen=True)
class Columns:
    """The numbers of d columns, `values` (T, d), their `names` and times, as written in the file."""

    names: list[str]
    index: list[str]
    values: NDArray[np.float64]


def read_columns(
    path: str | Path, names: Sequence[str] = (), decimal: str | None = None, gaps: bool = False
) -> Columns:
    """Read the numbers of the columns `names` of a table with a head (see `read_cells`); without names, of its only
    column besides the first. With `gaps`, cells that are empty or mark a missing value become NaN.

    The first column holds the times (see `check_times`), unless it is one of `names`, or the only one: then the times
    are the numbers of the rows, and an empty line is a row of missing values. `decimal` is the decimal mark, inferred
    for each column where it is None (see `read_numbers`). Rows are counted from 1, below the head. Raises InputError
    for an unreadable file, an unknown column, a cell that is empty, infinite or not a number, columns that end in
    different rows, and times that do not rise in equal steps.
    """
    path = Path(path)
    cells = read_cells(path)
    places = _places(path, cells.head, names)
    filled = [number for number, row in enumerate(cells.rows) if row or 0 in places]
    head = cells.head
    rows = [cells.rows[number] or [""] * len(head) for number in filled]
    lines = [cells.lines[number] for number in filled]
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if len(row) != len(head):
            fault = f"row {number} of {path}{_line(number, line)} has {len(row)} columns where the head has {len(head)}"
            raise InputError(f"{fault}; correct it")
    _check_ends(path, head, places, rows)
    mark = decimal if cells.delimiter else "."
    columns = []
    for place in places:
        other_cells = (cell for row in rows for number, cell in enumerate(row) if number not in (0, place))
        refuse = _refusal(path, head[place], lines)
        columns.append(read_numbers([row[place] for row in rows], other_cells, cells.delimiter, mark, gaps, refuse))
    values = np.stack(columns, axis=1)
    if 0 in places:
        return Columns([head[place] for place in places], [str(number) for number in range(1, len(rows) + 1)], values)
    index = [row[0] for row in rows]
    check_times(index, _refusal(path, head[0], lines))
    return Columns([head[place] for place in places], index, values)


def _check_ends(path: Path, head: Sequence[str], places: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
    """Raise InputError where the last values of the columns at `places` lie in different rows."""
    ends = {
        place: max((number for number, row in enumerate(rows, 1) if row[place].lower() not in MISSING_MARKS), default=0)
        for place in places
    }
    first, last = min(places, key=lambda place: ends[place]), max(places, key=lambda place: ends[place])
    if ends[first] != ends[last]:
        raise InputError(
            f"column {quote(head[first])} of {path} ends in row {ends[first]} and column {quote(head[last])} in row "
            f"{ends[last]}; remove the rows after the first end, or complete the column"
        )


def _line(number: int, line: int) -> str:
    """Name the line of a row, where it does not follow from the number of the row."""
    return f" (line {line})" if line != number + 1 else ""


def _refusal(path: Path, column: str, lines: Sequence[int]) -> Callable[[int, str], NoReturn]:
    """Return a function that raises the error for a cell of `column`, from its row and its fault."""

    def refuse(row: int, fault: str) -> NoReturn:
        raise InputError(f"row {row} of column {quote(column)} of {path}{_line(row, lines[row - 1])} {fault}")

    return refuse


def _places(path: Path, head: Sequence[str], names: Sequence[str]) -> list[int]:
    """Find the places in `head` of the columns `names`; without names, that of the only one besides the times."""
    matches = [_same(head, name) for name in names]
    if not any(matches) and all(NUMBER.fullmatch(cell) or is_time(cell) for cell in head):
        raise InputError(
            f"{path} has no head: row 1 is {flatten(', '.join(head))}; put the names of the columns above it"
        )
    if not names:
        if len(head) > 2:
            raise InputError(
                f"{path} has the columns {flatten(', '.join(head))}; choose one, as in --config "
                f"column={flatten(head[-1])}, or several, as in --config 'columns=[{flatten(', '.join(head[-2:]))}]'"
            )
        return [len(head) - 1]
    for name, match in zip(names, matches, strict=True):
        if len(match) != 1:
            how = "more than one" if match else "no"
            raise InputError(f"{path} has {how} column {quote(name)}; it has {flatten(', '.join(head))}")
    places = [place for (place,) in matches]
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        if place in places[:number]:
            raise InputError(f"column {quote(head[place])} of {path} is named twice, once as {quote(name)}; omit one")
    return places


def _same(head: Sequence[str], column: str) -> list[int]:
    """Find the places of `column` in `head`: of the same name, or else of the same number or word.

    On a command line Snakemake reads 007 as 7 and TRUE as true, and the original text is lost.
    """
    exact = [place for place, name in enumerate(head) if name == column.strip()]
    return exact or [place for place, name in enumerate(head) if _value(name) == _value(column.strip())]


def _value(name: str) -> float | str:
    return float(name) if NUMBER.fullmatch(name.replace("_", "")) else name.casefold()
