"""The cells of a table of a user: CSV in its dialects, plain or compressed by gzip, or Parquet."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, flatten

DELIMITERS = ",;\t|"
LOOKED_AT = 200  # lines from which the delimiter is told
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # what Excel reads and writes as a first line
NUMERIC = re.compile(r"[-+\u2212\d.,:/ TZ'eE]*")  # cells of numbers and times have these characters alone
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"([+-]?\d*,?\d*)?", re.ASCII)
AS_CSV = "save the table as CSV in UTF-8"
FORMATS = {  # how files begin that are no CSV
    b"PK\x03\x04": f"is an Excel workbook or another zip archive; {AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"is a workbook of an old Excel; {AS_CSV}",
    b"\x89HDF": f"is an HDF5 file; {AS_CSV}",
}


@dataclass(frozen=True)
class Cells:
    """The head and the rows of a table, each cell a text without blanks around it; a row without any cell is a line
    without anything. `lines` are the last line of each row in the file, counted from 1. `delimiter` is empty where the
    cells are no texts in the source.
    """

    head: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str


def read_cells(path: Path) -> Cells:
    """The cells of `path`. InputError where it can't be read, is no table, or has no rows below its head.

    The delimiter is told from the lines, or taken from a first line `sep=;`. Lines that begin with # are comments; the
    last one before the rows is the head where these have none. Lines end in LF, CR or CR LF and nowhere else.
    """
    data = path.read_bytes()
    for begin, why in FORMATS.items():
        if data.startswith(begin):
            raise InputError(f"{path} {why}")
    if data.startswith(b"PAR1"):
        return _parquet(path)
    lines = [*io.StringIO(_text(path, data), newline="")]
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} has no rows below its head; give a CSV file with a head and a row for each time")
    numbered = [*_without_comments(lines)]
    given = SEPARATOR_LINE.fullmatch(numbered[0][1]) if numbered else None
    numbered = numbered[1:] if given else numbered
    delimiter = given[1] if given else _delimiter([line for _, line in numbered[:LOOKED_AT]])
    records, ends = _records(path, numbered, delimiter)
    while records and not any(records[-1]):
        records.pop()
    if records and not any(records[0]):
        records, ends = _from_first_cell(records, ends)
    comment = _last_comment(lines, delimiter)
    if records and comment and len(comment) == len(records[0]) and all(map(NUMBER.fullmatch, records[0][1:])):
        records, ends = [comment, *records], [0, *ends]
    if len(records) < 2:
        raise InputError(f"{path} has no rows below its head; give a CSV file with a head and a row for each time")
    head = _trimmed(records[0], 1)
    rows = [_trimmed(row, len(head)) if row else row for row in records[1:]]
    if any(len(head) == 1 and d in head[0] and all(r[:1] and r[0].count(d) == head[0].count(d) for r in rows)
           for d in DELIMITERS):  # fmt: skip
        raise InputError(f"{path} has each row in quotation marks as a whole, as {flatten(head[0])}; remove the marks")
    return Cells(head, rows, ends[1 : len(records)], delimiter)


def _trimmed(cells: list[str], least: int) -> list[str]:
    """`cells` without the empty ones behind the first `least`: a delimiter at the end of a line makes no column."""
    while len(cells) > least and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _text(path: Path, data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(f"{path} is compressed and damaged or cut off ({error}); copy the file again") from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not {'UTF-16' if wide else 'UTF-8'} at byte {error.start}; save it as CSV in UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path} is no text (a zero byte in line {line}); {AS_CSV}")
    return text


def _without_comments(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The number and the text of each line that is no comment; within quotation marks a # begins none."""
    quoted = False
    for number, line in enumerate(lines, 1):
        if quoted or not line.lstrip().startswith("#"):
            quoted ^= line.count('"') % 2 == 1
            yield number, line


def _last_comment(lines: Sequence[str], delimiter: str) -> list[str]:
    """The cells of the last of the comments at the beginning of the file."""
    last = ""
    for line in lines:
        if line.lstrip().startswith("#"):
            last = line
        elif not SEPARATOR_LINE.fullmatch(line):
            break
    text = last.lstrip().lstrip("#").replace('"', "")
    return [cell.strip() for cell in text.split(delimiter)] if text.strip() else []


def _from_first_cell(records: list[list[str]], ends: list[int]) -> tuple[list[list[str]], list[int]]:
    """Without the empty lines before the head."""
    first = next(place for place, record in enumerate(records) if any(record))
    return records[first:], ends[first:]


def _parsed(lines: Sequence[str], delimiter: str, strict: bool) -> Any:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _records(path: Path, numbered: Sequence[tuple[int, str]], delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The cells of every record, none for an empty line, and the line at which each ends."""
    reader = _parsed([line for _, line in numbered], delimiter, True)
    records: list[list[str]] = []
    ends: list[int] = []
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            records.append(cells if any(cells) or len(cells) > 1 else [])
            ends.append(numbered[reader.line_num - 1][0])
    except csv.Error:
        raise InputError(
            f"row {len(records)} of {path}, which begins after line {ends[-1] if ends else 0}, has a quotation mark "
            "that is not closed, or text behind one that is; remove it or write it twice"
        ) from None
    return records, ends


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter with which most rows have as many cells as the head, and then most cells are numbers or times."""
    best, fitting = "", (0.0, 0.0)
    for delimiter in DELIMITERS:
        try:
            head, *rows = [record for record in _parsed(lines, delimiter, False) if any(record)] or [[]]
        except csv.Error:
            continue
        if len(head) < 2:
            continue
        cells = [cell for row in rows for cell in row]
        fit = sum(len(_trimmed(row, len(head))) == len(head) for row in rows) / max(1, len(rows))
        if not fit and not all(DECIMAL_COMMA.fullmatch(line.strip()) for line in lines[1:]):
            fit = sum(len(row) > 1 for row in rows) / max(1, len(rows)) / 1000  # a head that does not suit its rows
        understood = sum(NUMERIC.fullmatch(cell) is not None for cell in cells) / max(1, len(cells))
        if (fit, understood) > fitting or not best:
            best, fitting = delimiter, (fit, understood)
    return best if best and (fitting[0] > 0 or len(lines) < 2) else _absent(lines)


def _absent(lines: Sequence[str]) -> str:
    """A delimiter that parts nothing: the lines have one column."""
    text = "".join(lines)
    return next(character for character in "\x1f\x1e\x1d" + "".join(map(chr, range(0xE000, 0xF000)))
                if character not in text)  # fmt: skip


def _parquet(path: Path) -> Cells:
    """The columns of a Parquet file, an index of pandas in front, as they would stand in a CSV file."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise InputError(f"{path} is not a whole Parquet file ({flatten(error)}); copy it again, or {AS_CSV}") from None
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    if table.empty:
        raise InputError(f"{path} has no rows below its head; give a row for each time")
    columns = [list(map(str, table.iloc[:, place].tolist())) for place in range(table.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Cells([str(name) for name in table.columns], rows, [*range(2, len(rows) + 2)], "")
