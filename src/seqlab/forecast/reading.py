"""One column of numbers from a CSV file; whatever is wrong in it is named by row and column."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError

DELIMITERS = ",;\t"
NOTHING = {"", "na", "n/a", "null", "none", "nan", "-", "."}  # ways to write that there is no value
EPOCH = datetime(1970, 1, 1)
EQUAL = 1e-6  # relative difference up to which two steps of a numeric index are equal


@dataclass(frozen=True)
class Column:
    """The numbers of one column, `values` (T,), and the times beside them, in the words of the file."""

    column: str
    index: list[str]
    values: NDArray[np.float64]


def read_column(path: str | Path, column: str | None = None) -> Column:
    """The numbers of `column` of a CSV file with a head; without a name, of its only column besides the first.

    The first column holds the times, numbers or ISO dates, unless it is `column` itself; a file of one column counts
    its rows. Rows are counted from 1, below the head. Raises InputError for a file that can't be read, a column that
    does not exist, a cell that is empty, NaN, infinite or no number, and times that do not rise in equal steps.
    """
    head, rows = _rows(Path(path))
    place = _place(Path(path), head, column)
    for number, row in enumerate(rows, 1):
        if len(row) != len(head):
            raise InputError(
                f"row {number} of {path} has {len(row)} columns where the head has {len(head)}; correct it"
            )
    name = head[place]
    values = np.array([_number(path, name, row[place], number) for number, row in enumerate(rows, 1)])
    if place == 0:
        return Column(name, [str(number) for number in range(1, len(rows) + 1)], values)
    index = [row[0].strip() for row in rows]
    _check_index(path, head[0], index)
    return Column(name, index, values)


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the file, cells stripped of blanks; lines without anything are no rows."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 at byte {error.start}; save it as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    lines = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    if len(lines) < 2:
        raise InputError(f"{path} has no rows below its head; give a CSV file with a head and a row for each time")
    return lines[0], lines[1:]


def _place(path: Path, head: Sequence[str], column: str | None) -> int:
    if all(_as_number(cell) is not None for cell in head):
        raise InputError(f"{path} has no head: row 1 is {', '.join(head)}; put the names of the columns above it")
    if column is None:
        if len(head) > 2:
            raise InputError(f"{path} has the columns {', '.join(head)}; say which, as in --config column={head[-1]}")
        return len(head) - 1
    if list(head).count(column) != 1:
        how = "no" if column not in head else "more than one"
        raise InputError(f"{path} has {how} column {column!r}; it has {', '.join(head)}")
    return list(head).index(column)


def _as_number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _number(path: str | Path, column: str, cell: str, row: int) -> float:
    where = f"row {row} of column {column!r} of {path}"
    if cell.lower() in NOTHING:
        shown = f"is {cell!r}" if cell else "is empty"
        raise InputError(f"{where} {shown}; fill the gap or leave the rows up to it out")
    value = _as_number(cell)
    if value is None:
        raise InputError(f"{where} is {cell!r}, which is no number (write 1.5, not 1,5); correct it or choose a column")
    if not math.isfinite(value):
        raise InputError(f"{where} is {cell!r}, which is not finite; correct it")
    return value


def _check_index(path: str | Path, name: str, index: Sequence[str]) -> None:
    """Raises InputError where the times do not rise in equal steps, or in equal numbers of months."""
    read = [_as_time(cell) for cell in index]
    for row, time in enumerate(read, 1):
        if time is None or isinstance(time, float) != isinstance(read[0], float):
            raise InputError(
                f"row {row} of column {name!r} of {path} is {index[row - 1]!r}, which is neither a number nor a date "
                "such as 2001-12-29 like those before it; correct it, or move the values to the first column"
            )
    places = [
        time if isinstance(time, float) else (time - EPOCH).total_seconds() / 86400 for time in read if time is not None
    ]
    steps = np.diff(places)
    back = np.flatnonzero(steps <= 0)
    if len(back):
        row = int(back[0]) + 2
        raise InputError(
            f"row {row} of column {name!r} of {path} is {index[row - 1]}, which does not come after {index[row - 2]}; "
            "sort the rows and remove what stands twice"
        )
    months = [time.year * 12 + time.month for time in read if isinstance(time, datetime)]
    if len(set(np.diff(months))) == 1 and months[1] > months[0]:
        return
    usual = float(np.sort(steps)[(len(steps) - 1) // 2]) if len(steps) else 0.0  # the median, as one of them
    odd = np.flatnonzero(np.abs(steps - usual) > EQUAL * max(usual, 1e-300))
    if len(odd):
        row = int(odd[0]) + 2
        raise InputError(
            f"row {row} of column {name!r} of {path} is {index[row - 1]}, {steps[row - 2]:g} after {index[row - 2]} "
            f"where a step is {usual:g}; fill the gap, or remove the column if its steps are to count as equal"
        )


def _as_time(cell: str) -> float | datetime | None:
    number = _as_number(cell)
    if number is not None:
        return number if math.isfinite(number) else None
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        try:
            moment = datetime.combine(date.fromisoformat(f"{cell}-01"), datetime.min.time())  # a month, as in 2001-12
        except ValueError:
            return None
    return moment.replace(tzinfo=None)
