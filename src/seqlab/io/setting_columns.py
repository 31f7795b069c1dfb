"""Settings of runs as columns of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd


def add_settings(table: pd.DataFrame, settings: Sequence[Mapping[str, Any]], kinds: Mapping[str, type]) -> pd.DataFrame:
    """Return `table` with the settings of its rows as columns: those of `kinds`, which maps them to types, then all
    others in which two networks differ.

    `settings` has an entry for each row; networks are the rows with a setting `cell`. A field is empty where a row
    lacks the setting.
    """
    networks = [values for values in settings if "cell" in values]
    names = dict.fromkeys(name for values in networks for name in values)
    axes = [name for name in names if any(values.get(name) != networks[0].get(name) for values in networks)]
    columns = {}
    for name in dict.fromkeys([*kinds, *axes]):
        texts = ["" if values.get(name) is None else str(values[name]) for values in settings]
        columns[name] = _typed(pd.Series(texts, index=table.index, dtype=str), kinds.get(name))
    return table.assign(**columns)


def read_settings_table(
    path: str | Path, text: Sequence[str], known: Sequence[str], kinds: Mapping[str, type]
) -> pd.DataFrame:
    """Return the table in the CSV file `path`: the `known` columns, of which `text` are texts, and settings."""
    settings = [name for name in pd.read_csv(path, nrows=0).columns if name not in known]
    strings = dict.fromkeys([*text, *settings], str)
    table = pd.read_csv(
        path, dtype=strings, keep_default_na=False, na_values={name: [""] for name in known if name not in strings}
    )
    return table.assign(**{name: _typed(table[name], kinds.get(name)) for name in settings})


def _typed(texts: "pd.Series[str]", kind: type | None) -> "pd.Series[Any]":
    """Return a column of settings as integers (with gaps), floats or text: of type `kind`, or inferred for None."""
    values = texts[texts != ""]
    if kind is int or (kind is None and values.str.fullmatch("-?[0-9]+").all()):
        return pd.to_numeric(texts.where(texts != "")).astype("Int64")
    if kind is str or pd.to_numeric(values, errors="coerce").isna().any():
        return texts
    return texts.where(texts != "").astype(float)
