"""One column of numbers from a table of a user; whatever is wrong in it is named by row and column."""

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
    """The numbers of one column, `values` (T,), and the times beside them, in the words of the file."""

    column: str
    index: list[str]
    values: NDArray[np.float64]


def read_column(path: str | Path, column: str | None = None, decimal: str | None = None, gaps: bool = False) -> Column:
    """The numbers of `column` of a table with a head (see `read_cells`); without a name, of its only column besides the
    first. With `gaps`, cells that are empty or say that there is no value become NaN.

    The first column holds the times (see `check_times`), unless it is `column` itself; a file of one column counts its
    rows, and there an empty line is a row without a value. `decimal` is the decimal mark, told from the cells if it is
    None (see `read_numbers`). Rows are counted from 1, below the head. Raises InputError for a file that can't be read,
    a column that does not exist, a cell that is empty, infinite or no number, and times that do not rise in equal
    steps.
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
    others = (cell for row in rows for number, cell in enumerate(row) if number not in (0, place))
    refuse = _refusal(path, head[place], lines)
    mark = decimal if cells.delimiter else "."
    values = read_numbers([row[place] for row in rows], others, cells.delimiter, mark, gaps, refuse)
    if place == 0:
        return Column(head[place], [str(number) for number in range(1, len(rows) + 1)], values)
    index = [row[0] for row in rows]
    check_times(index, _refusal(path, head[0], lines))
    return Column(head[place], index, values)


def _line(number: int, line: int) -> str:
    """The line of a row, where it is not the one that its number leads to expect."""
    return f" (line {line})" if line != number + 1 else ""


def _refusal(path: Path, column: str, lines: Sequence[int]) -> Callable[[int, str], NoReturn]:
    """A function that raises the error for a cell of `column`, told its row and what is wrong with it."""

    def refuse(row: int, what: str) -> NoReturn:
        raise InputError(f"row {row} of column {quote(column)} of {path}{_line(row, lines[row - 1])} {what}")

    return refuse


def _place(path: Path, head: Sequence[str], column: str | None) -> int:
    """The place of `column` in `head`."""
    named = column is not None and _same(head, column)
    if not named and all(NUMBER.fullmatch(cell) or is_time(cell) for cell in head):
        raise InputError(
            f"{path} has no head: row 1 is {flatten(', '.join(head))}; put the names of the columns above it"
        )
    if column is None:
        if len(head) > 2:
            example = f"--config column={flatten(head[-1])}"
            raise InputError(f"{path} has the columns {flatten(', '.join(head))}; say which, as in {example}")
        return len(head) - 1
    if not named or len(named) > 1:
        how = "more than one" if named else "no"
        raise InputError(f"{path} has {how} column {quote(column)}; it has {flatten(', '.join(head))}")
    return named[0]


def _same(head: Sequence[str], column: str) -> list[int]:
    """The places of `column` in `head`: where the name is the same, or else where it is the same number or word.

    On a command line Snakemake reads 007 as 7 and TRUE as true before anyone can ask what was written.
    """
    exact = [place for place, name in enumerate(head) if name == column.strip()]
    return exact or [place for place, name in enumerate(head) if _value(name) == _value(column.strip())]


def _value(name: str) -> float | str:
    return float(name) if NUMBER.fullmatch(name.replace("_", "")) else name.casefold()
