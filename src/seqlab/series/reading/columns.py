"""One column of numbers with its times from a table; errors name row and column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError, flatten, quote
from seqlab.series.reading.cells import NUMBER, read_cells
from seqlab.series.reading.numerals import read_numbers
from seqlab.series.reading.times import check_times, is_time


@dataclass(frozen=True)
class Column:
    """The numbers of one column, `values` (T,), and their times, as written in the file."""

    column: str
    index: list[str]
    values: NDArray[np.float64]


def read_column(path: str | Path, column: str | None = None, decimal: str | None = None, gaps: bool = False) -> Column:
    """Read the numbers of `column` of a table with a head (see `read_cells`); without a name, of its only column
    besides the first. With `gaps`, cells that are empty or mark a missing value become NaN.

    The first column holds the times (see `check_times`), unless it is `column` itself; the times of a file of one
    column are the numbers of its rows, and there an empty line is a missing value. `decimal` is the decimal mark,
    inferred from the cells where it is None (see `read_numbers`). Rows are counted from 1, below the head. Raises
    InputError for an unreadable file, an unknown column, a cell that is empty, infinite or not a number, and times that
    do not rise in equal steps.
    """
    path = Path(path)
    cells = read_cells(path)
    place = _place(path, cells.head, column)
    filled = [number for number, row in enumerate(cells.rows) if row or place == 0]
    head = cells.head
    rows = [cells.rows[number] or [""] * len(head) for number in filled]
    lines = [cells.lines[number] for number in filled]
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if len(row) != len(head):
            fault = f"row {number} of {path}{_line(number, line)} has {len(row)} columns where the head has {len(head)}"
            raise InputError(f"{fault}; correct it")
    other_cells = (cell for row in rows for number, cell in enumerate(row) if number not in (0, place))
    refuse = _refusal(path, head[place], lines)
    mark = decimal if cells.delimiter else "."
    values = read_numbers([row[place] for row in rows], other_cells, cells.delimiter, mark, gaps, refuse)
    if place == 0:
        return Column(head[place], [str(number) for number in range(1, len(rows) + 1)], values)
    index = [row[0] for row in rows]
    check_times(index, _refusal(path, head[0], lines))
    return Column(head[place], index, values)


def _line(number: int, line: int) -> str:
    """Name the line of a row, where it does not follow from the number of the row."""
    return f" (line {line})" if line != number + 1 else ""


def _refusal(path: Path, column: str, lines: Sequence[int]) -> Callable[[int, str], NoReturn]:
    """Return a function that raises the error for a cell of `column`, from its row and its fault."""

    def refuse(row: int, fault: str) -> NoReturn:
        raise InputError(f"row {row} of column {quote(column)} of {path}{_line(row, lines[row - 1])} {fault}")

    return refuse


def _place(path: Path, head: Sequence[str], column: str | None) -> int:
    """Find the place of `column` in `head`."""
    places = column is not None and _same(head, column)
    if not places and all(NUMBER.fullmatch(cell) or is_time(cell) for cell in head):
        raise InputError(
            f"{path} has no head: row 1 is {flatten(', '.join(head))}; put the names of the columns above it"
        )
    if column is None:
        if len(head) > 2:
            example = f"--config column={flatten(head[-1])}"
            raise InputError(f"{path} has the columns {flatten(', '.join(head))}; choose one, as in {example}")
        return len(head) - 1
    if not places or len(places) > 1:
        how = "more than one" if places else "no"
        raise InputError(f"{path} has {how} column {quote(column)}; it has {flatten(', '.join(head))}")
    return places[0]


def _same(head: Sequence[str], column: str) -> list[int]:
    """Find the places of `column` in `head`: of the same name, or else of the same number or word.

    On a command line Snakemake reads 007 as 7 and TRUE as true, and the original text is lost.
    """
    exact = [place for place, name in enumerate(head) if name == column.strip()]
    return exact or [place for place, name in enumerate(head) if _value(name) == _value(column.strip())]


def _value(name: str) -> float | str:
    return float(name) if NUMBER.fullmatch(name.replace("_", "")) else name.casefold()
