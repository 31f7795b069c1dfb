"""Tables as csv: of any columns, or of rows that a dataclass describes."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.files import damaged, replacing, verified


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write `table` as csv: floats with every digit, an infinity as inf, what there is not as an empty field."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_table(path: str | Path, columns: Sequence[str] | None, **options: Any) -> pd.DataFrame:
    """The `columns` of the csv in `path`, all of them for None, read by pandas with `options`; InputError where the
    file is damaged.
    """
    try:
        table = pd.read_csv(verified(path), **options)
    except ValueError as error:  # an empty file, bytes that are no text
        raise damaged(path, error) from None
    columns = list(table.columns if columns is None else columns)
    missing = [name for name in columns if name not in table]
    if missing:
        raise damaged(path, f"it has no column {missing[0]}")
    return table[columns]


def tabulate_rows(kind: type[Any], rows: Iterable[Any] = ()) -> pd.DataFrame:
    """Return `rows`, instances of the dataclass `kind`, as a table with a column for each of its fields."""
    return pd.DataFrame(list(rows), columns=[field.name for field in fields(kind)])


def read_rows(path: str | Path, kind: type[Any]) -> pd.DataFrame:
    """Return the table that `write_table` wrote of the rows of a dataclass `kind`; only numbers may be missing.

    Raises InputError where the file is damaged or a value is not of the type of its field.
    """
    types = {field.name: field.type for field in fields(kind)}
    missing = {name: [""] for name, type_ in types.items() if type_ is not str}
    return read_table(path, list(types), dtype=types, keep_default_na=False, na_values=missing)
