"""Numbers with decimal points or commas, and with separators of thousands."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import quote

MISSING_MARKS = {  # of a missing value, in lower case
    *("", "na", "n/a", "#n/a", "<na>", "null", "none", "nan", "nat", "-", ".", "..", "..."),
}
INFINITE_MARKS = {"inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"}
SPACES = "[ \u00a0\u2009\u202f'\u2019]"  # separators of thousands with either decimal mark
SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:{SPACES}\d{{3}})+(?!\d)", re.ASCII)
EXPONENT = r"(?:[eE][+-]?\d+)?"
Refuse = Callable[[int, str], NoReturn]  # takes a row, from 1, and the fault of its cell


def _marked(decimal: str, thousands: str) -> re.Pattern[str]:
    d, t = re.escape(decimal), re.escape(thousands)
    return re.compile(rf"[+-]?(?:[1-9]\d{{0,2}}(?:{t}\d{{3}})+(?:{d}\d*)?|\d+(?:{d}\d*)?|{d}\d+){EXPONENT}", re.ASCII)


NUMBER_FORMS = {".": _marked(".", ","), ",": _marked(",", ".")}  # by decimal mark
AMBIGUOUS_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)  # a thousand or more, or three decimal places


def read_numbers(
    cells: Sequence[str], other_cells: Iterable[str], delimiter: str, decimal: str | None, gaps: bool, refuse: Refuse
) -> NDArray[np.float64]:
    """Read the numbers in `cells`, (T,); with `gaps`, NaN for missing ones.

    `decimal` is the decimal mark, "." or ",", or None to infer it from the cells. Where these allow both, the cells of
    other columns, `other_cells`, and the `delimiter` decide: between commas a point is a decimal one; between
    semicolons, which are used with decimal commas, it may separate thousands. Calls `refuse` for a cell that is empty,
    infinite or not a number, for cells with different marks, and for ambiguous cells.
    """
    plain = [SPACED.sub(lambda match: re.sub(SPACES, "", match[0]), cell.replace("\u2212", "-")) for cell in cells]
    mark = decimal or _decimal_mark(plain, other_cells, delimiter, refuse)
    values = np.empty(len(cells))
    for place, cell in enumerate(plain):
        if cell.lower() in MISSING_MARKS:
            if not gaps:
                fault = f"is {cell!r}" if cell else "is empty"
                refuse(place + 1, f"{fault}; fill the gap or omit the rows up to it")
            values[place] = math.nan
        elif NUMBER_FORMS[mark].fullmatch(cell):
            values[place] = float(cell.replace("." if mark == "," else ",", "").replace(",", "."))
        elif cell.lower() not in INFINITE_MARKS:
            refuse(place + 1, f"is {quote(cells[place])}, which is not a number; correct it or choose another column")
        else:
            values[place] = math.inf
        if math.isinf(values[place]):
            refuse(place + 1, f"is {quote(cells[place])}, which is not finite; correct it")
    return values


def _decimal_mark(cells: Sequence[str], other_cells: Iterable[str], delimiter: str, refuse: Refuse) -> str:
    """Infer the decimal mark of `cells`, "." where they have none."""
    rows = {mark: next((row for row, cell in enumerate(cells) if _is_sure(cell, mark)), -1) for mark in ".,"}
    if min(rows.values()) >= 0:
        first, row = sorted(rows.values())
        refuse(
            row + 1,
            f"is {quote(cells[row])} and row {first + 1} is {quote(cells[first])}; write all with one decimal mark",
        )
    if max(rows.values()) >= 0:
        return max(rows, key=lambda mark: rows[mark])
    ambiguous = {
        match[1]: row for row, cell in reversed([*enumerate(cells)]) if (match := AMBIGUOUS_NUMBER.fullmatch(cell))
    }
    if not ambiguous:
        return "."
    has_small = any(re.fullmatch(r"[+-]?[1-9]\d{0,2}", cell, re.ASCII) for cell in cells)
    if "." not in ambiguous and has_small:
        return "."  # three decimal places would need a comma in all cells
    marks = {mark for cell in other_cells for mark in ".," if _is_sure(cell, mark)}
    if len(marks) == 1:
        return marks.pop()
    if ambiguous.keys() == {"."} and not marks and (delimiter == "," or not (has_small or delimiter == ";")):
        return "."
    row = ambiguous.get(",", ambiguous.get(".", 0))
    whole, parts = re.sub("[.,]", "", cells[row]), cells[row].replace(",", ".")
    doubt = f"is {quote(cells[row])}, which may be {whole} or {parts}"
    remedy = "give the decimal mark, decimal: '.' or ',', or write it without a separator of thousands"
    refuse(row + 1, f"{doubt}; {remedy}")


def _is_sure(cell: str, mark: str) -> bool:
    """Return whether `cell` is a number with this decimal mark alone; not for whole numbers without a separator."""
    other_mark = "," if mark == "." else "."
    if (mark not in cell and other_mark not in cell) or AMBIGUOUS_NUMBER.fullmatch(cell):
        return False
    return NUMBER_FORMS[mark].fullmatch(cell) is not None and NUMBER_FORMS[other_mark].fullmatch(cell) is None
