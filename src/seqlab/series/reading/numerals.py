"""Numbers as people write them: with a decimal point or comma, and with signs between thousands."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import quote

NOTHING = {  # ways to write that there is no value
    *("", "na", "n/a", "#n/a", "<na>", "null", "none", "nan", "nat", "-", ".", "..", "..."),
}
INFINITE = {"inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"}
SPACES = "[ \u00a0\u2009\u202f'\u2019]"  # between thousands, whatever the decimal mark
SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:{SPACES}\d{{3}})+(?!\d)", re.ASCII)
EXPONENT = r"(?:[eE][+-]?\d+)?"
Refuse = Callable[[int, str], NoReturn]  # is told a row, from 1, and what is wrong with its cell


def _marked(decimal: str, thousands: str) -> re.Pattern[str]:
    d, t = re.escape(decimal), re.escape(thousands)
    return re.compile(rf"[+-]?(?:[1-9]\d{{0,2}}(?:{t}\d{{3}})+(?:{d}\d*)?|\d+(?:{d}\d*)?|{d}\d+){EXPONENT}", re.ASCII)


PATTERNS = {".": _marked(".", ","), ",": _marked(",", ".")}  # by decimal mark
EITHER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)  # a thousand and more, or three decimal places


def read_numbers(
    cells: Sequence[str], others: Iterable[str], delimiter: str, decimal: str | None, gaps: bool, refuse: Refuse
) -> NDArray[np.float64]:
    """The numbers that `cells` are, (T,); with `gaps`, NaN where there is none.

    `decimal` is the decimal mark, "." or ",", or None to tell it from the cells. Where these could mean either, the
    cells of other columns, `others`, and the `delimiter` decide: between commas a point is a decimal one, and between
    semicolons, which are used where numbers have decimal commas, it may be one between thousands. Calls `refuse` for a
    cell that is empty, infinite or no number, for cells with different marks, and where nothing decides.
    """
    plain = [SPACED.sub(lambda match: re.sub(SPACES, "", match[0]), cell.replace("\u2212", "-")) for cell in cells]
    mark = decimal or _decimal_mark(plain, others, delimiter, refuse)
    values = np.empty(len(cells))
    for place, cell in enumerate(plain):
        if cell.lower() in NOTHING:
            if not gaps:
                fault = f"is {cell!r}" if cell else "is empty"
                refuse(place + 1, f"{fault}; fill the gap or leave the rows up to it out")
            values[place] = math.nan
        elif PATTERNS[mark].fullmatch(cell):
            values[place] = float(cell.replace("." if mark == "," else ",", "").replace(",", "."))
        elif cell.lower() not in INFINITE:
            refuse(place + 1, f"is {quote(cells[place])}, which is no number; correct it or choose a column")
        else:
            values[place] = math.inf
        if math.isinf(values[place]):
            refuse(place + 1, f"is {quote(cells[place])}, which is not finite; correct it")
    return values


def _decimal_mark(cells: Sequence[str], others: Iterable[str], delimiter: str, refuse: Refuse) -> str:
    """The decimal mark of `cells`, "." where they have none."""
    sure = {mark: next((row for row, cell in enumerate(cells) if _is_sure(cell, mark)), -1) for mark in ".,"}
    if min(sure.values()) >= 0:
        first, row = sorted(sure.values())
        refuse(
            row + 1,
            f"is {quote(cells[row])} and row {first + 1} is {quote(cells[first])}; write all with one decimal mark",
        )
    if max(sure.values()) >= 0:
        return max(sure, key=lambda mark: sure[mark])
    doubtful = {match[1]: row for row, cell in reversed([*enumerate(cells)]) if (match := EITHER.fullmatch(cell))}
    if not doubtful:
        return "."
    small = any(re.fullmatch(r"[+-]?[1-9]\d{0,2}", cell, re.ASCII) for cell in cells)
    if "." not in doubtful and small:
        return "."  # with three decimal places, all would have a comma
    elsewhere = {mark for cell in others for mark in ".," if _is_sure(cell, mark)}
    if len(elsewhere) == 1:
        return elsewhere.pop()
    if doubtful.keys() == {"."} and not elsewhere and (delimiter == "," or not (small or delimiter == ";")):
        return "."
    row = doubtful.get(",", doubtful.get(".", 0))
    whole, parts = re.sub("[.,]", "", cells[row]), cells[row].replace(",", ".")
    doubt = f"is {quote(cells[row])}, which may be {whole} or {parts}"
    remedy = "say which by the decimal mark, decimal: '.' or ',', or write it without a sign between thousands"
    refuse(row + 1, f"{doubt}; {remedy}")


def _is_sure(cell: str, mark: str) -> bool:
    """Return whether `cell` is a number only with this decimal mark, whole numbers without any sign aside."""
    other = "," if mark == "." else "."
    if (mark not in cell and other not in cell) or EITHER.fullmatch(cell):
        return False
    return PATTERNS[mark].fullmatch(cell) is not None and PATTERNS[other].fullmatch(cell) is None
