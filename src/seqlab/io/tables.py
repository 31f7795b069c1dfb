"""CSV tables of any columns, or of rows that a dataclass describes."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.files import damaged, replacing, verified


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write `table` as CSV: floats with every digit, infinities as inf, missing values as empty fields."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_table(path: str | Path, columns: Sequence[str] | None, **options: Any) -> pd.DataFrame:
    """Return the `columns` (None for all) of the CSV file `path`, read by pandas with `options`; InputError where the
    file is damaged.
    """
    try:
        table = pd.read_csv(verified(path), **options)
    except ValueError as error:  # an empty or binary file
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
    """Return the table in `path` with a column for each field of the dataclass `kind`; only numbers may be missing.

    Raise InputError where the file is damaged or a value is not of the type of its field.
    """
    types = {field.name: field.type for field in fields(kind)}
    missing = {name: [""] for name, type_ in types.items() if type_ is not str}
    return read_table(path, list(types), dtype=types, keep_default_na=False, na_values=missing)
