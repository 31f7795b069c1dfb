"""Published values: the rows of published.csv as text, for the report, the terminal and the pages."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.tables import read_rows
from seqlab.questions.reproduction import ReproductionRow
from seqlab.report.style import format_number

SHORT_COLUMNS = ("cell", "model", "unit", "printed", "figure", "interval", "verdict")  # in the terminal


def read_published(path: str | Path) -> list[dict[str, str]]:
    """Return the rows of the published.csv `path` as `format_published` does; InputError where it is damaged."""
    return format_published(read_rows(path, ReproductionRow))


def format_published(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of ReproductionRow as text, with `interval` instead of low and high."""
    return [_format_row(row) for row in table.to_dict("records")]


def count_verdicts(rows: list[dict[str, str]]) -> str:
    """Return the number of rows with each verdict as text, such as 2 reproduced, 1 better."""
    return ", ".join(f"{count} {verdict}" for verdict, count in Counter(row["verdict"] for row in rows).items())


def _format_row(row: dict[str, Any]) -> dict[str, str]:
    low, high = row.pop("low"), row.pop("high")
    return {name: str(value) for name, value in row.items()} | {
        "parameters": f"{row['parameters']:,}" if row["parameters"] else "–",
        "seeds": str(row["seeds"] or "–"),
        "printed": f"{row['printed']:g}",
        "tolerance": f"{row['tolerance']:g}",
        "figure": format_number(row["figure"]),
        "interval": "–" if math.isnan(low) else f"{format_number(low)} to {format_number(high)}",
    }
