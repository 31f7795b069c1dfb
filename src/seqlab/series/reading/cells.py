"""Table cells of a CSV or Parquet file; CSV in its dialects, plain or compressed by gzip."""

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
SAMPLE_LINES = 200  # lines from which the delimiter is inferred
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # a first line that Excel reads and writes
NUMERIC_PATTERN = re.compile(r"[-+\u2212\d.,:/ TZ'eE]*")  # the characters of numbers and times
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"([+-]?\d*,?\d*)?", re.ASCII)
AS_CSV = "save the table as CSV in UTF-8"
FOREIGN_FORMATS = {  # by the first bytes of a file
    b"PK\x03\x04": f"is an Excel workbook or another zip archive; {AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"is a workbook of an old Excel; {AS_CSV}",
    b"\x89HDF": f"is an HDF5 file; {AS_CSV}",
}


@dataclass(frozen=True)
class Cells:
    """The head and the rows of a table, cells without blanks around them; an empty line is a row without cells. `lines`
    are the numbers of the last line of each row in the file, from 1. `delimiter` is empty for Parquet.
    """

    head: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str


def read_cells(path: Path) -> Cells:
    """Read the cells of `path`. Raises InputError where it is not a readable table, or has no rows below its head.

    The delimiter is inferred from the lines, or read from a first line `sep=;`. Lines that begin with # are comments;
    the last one before the rows is the head where these have none. Lines end in LF, CR or CR LF.
    """
    data = path.read_bytes()
    for begin, why in FOREIGN_FORMATS.items():
        if data.startswith(begin):
            raise InputError(f"{path} {why}")
    if data.startswith(b"PAR1"):
        return _parquet(path)
    lines = [*io.StringIO(_text(path, data), newline="")]
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} has no rows below its head; give a CSV file with a head and a row for each time")
    numbered = [*_without_comments(lines)]
    separator = SEPARATOR_LINE.fullmatch(numbered[0][1]) if numbered else None
    numbered = numbered[1:] if separator else numbered
    delimiter = separator[1] if separator else _delimiter([line for _, line in numbered[:SAMPLE_LINES]])
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
    if any(
        len(head) == 1 and d in head[0] and all(r[:1] and r[0].count(d) == head[0].count(d) for r in rows)
        for d in DELIMITERS
    ):
        raise InputError(f"{path} has whole rows in quotation marks, such as {flatten(head[0])}; remove the marks")
    return Cells(head, rows, ends[1 : len(records)], delimiter)


def _trimmed(cells: list[str], least: int) -> list[str]:
    """Remove the empty cells at the end after the first `least`: a delimiter at the end of a line is no column."""
    while len(cells) > least and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _text(path: Path, data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(
                f"{path} is compressed, and damaged or incomplete ({error}); copy the file again"
            ) from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not {'UTF-16' if wide else 'UTF-8'} at byte {error.start}; save it as CSV in UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path} is not a text (a zero byte in line {line}); {AS_CSV}")
    return text


def _without_comments(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that is not a comment; a # within quotation marks begins none."""
    quoted = False
    for number, line in enumerate(lines, 1):
        if quoted or not line.lstrip().startswith("#"):
            quoted ^= line.count('"') % 2 == 1
            yield number, line


def _last_comment(lines: Sequence[str], delimiter: str) -> list[str]:
    """Return the cells of the last comment at the beginning of the file."""
    last = ""
    for line in lines:
        if line.lstrip().startswith("#"):
            last = line
        elif not SEPARATOR_LINE.fullmatch(line):
            break
    text = last.lstrip().lstrip("#").replace('"', "")
    return [cell.strip() for cell in text.split(delimiter)] if text.strip() else []


def _from_first_cell(records: list[list[str]], ends: list[int]) -> tuple[list[list[str]], list[int]]:
    """Remove the empty lines before the head."""
    first = next(place for place, record in enumerate(records) if any(record))
    return records[first:], ends[first:]


def _parsed(lines: Sequence[str], delimiter: str, strict: bool) -> Any:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _records(path: Path, numbered: Sequence[tuple[int, str]], delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of every record, none for an empty line, and the number of its last line."""
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
    """Infer the delimiter: most rows have as many cells as the head, then most cells are numbers or times."""
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
            fit = sum(len(row) > 1 for row in rows) / max(1, len(rows)) / 1000  # a head of another length than its rows
        understood = sum(NUMERIC_PATTERN.fullmatch(cell) is not None for cell in cells) / max(1, len(cells))
        if (fit, understood) > fitting or not best:
            best, fitting = delimiter, (fit, understood)
    return best if best and (fitting[0] > 0 or len(lines) < 2) else _absent(lines)


def _absent(lines: Sequence[str]) -> str:
    """Return a delimiter that is absent from the lines, which have one column."""
    text = "".join(lines)
    return next(
        character for character in "\x1f\x1e\x1d" + "".join(map(chr, range(0xE000, 0xF000))) if character not in text
    )


def _parquet(path: Path) -> Cells:
    """Return the columns of a Parquet file, an index of pandas first, with the cells of a CSV file."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise InputError(
            f"{path} is not a complete Parquet file ({flatten(error)}); copy it again, or {AS_CSV}"
        ) from None
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    if table.empty:
        raise InputError(f"{path} has no rows below its head; give a row for each time")
    columns = [list(map(str, table.iloc[:, place].tolist())) for place in range(table.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Cells([str(name) for name in table.columns], rows, [*range(2, len(rows) + 2)], "")
