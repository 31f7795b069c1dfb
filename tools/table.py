"""Print figures of test as CSV, as docs/results has them: python tools/table.py TABLE.

TABLE is the models.csv of a text or a series, the published.csv of a text with published values, or the gaps.csv of a
text with answers.
"""

import csv
import sys
from math import isinf, isnan
from typing import Any

import pandas as pd

from seqlab.io.errors import InputError, command
from seqlab.report import tables as texts
from seqlab.report.gaps import read_answers
from seqlab.report.published import read_published
from seqlab.report.style import format_deviation, format_number
from seqlab.series import tables as series


def text_rows(models: pd.DataFrame) -> list[list[str]]:
    """The header, and a row for each model of a text."""
    valid = models[models["split"] == "valid"].set_index("model")
    loss = ["bits per symbol lost by pruning"] if models["pruning_loss"].notna().any() else []
    header = [
        "model",
        "parameters",
        "validation perplexity",
        "test perplexity",
        "bits per character",
        "unknown",
        "seconds",
    ]
    rows = [header + loss]
    for row in models[models["split"] == "test"].to_dict("records"):
        cells = [
            row["model"],
            f"{row['parameters']:,}" if row["parameters"] else "",
            format_number(valid.loc[row["model"], "perplexity"]),
            with_spread(row, "perplexity"),
            with_spread(row, "bits_per_char"),
            f"{row['unknown'] / row['symbols']:.1%}",
            f"{row['train_seconds']:.0f}",
        ]
        rows.append(cells + [f"{row['pruning_loss']:+.4f}" if row["pruned_from"] else "" for _ in loss])
    return rows


def published_rows(path: str) -> list[list[str]]:
    """The header, and a row for each printed value and the figure of its model."""
    names = {"cell": "cell", "model": "model", "parameters": "parameters", "seeds": "seeds", "unit": "unit"}
    names |= {"protocol": "protocol", "printed": "printed", "tolerance": "tolerance", "seqlab": "figure"}
    names |= {"95 % interval": "interval", "verdict": "verdict"}
    rows = [
        [*(row[name] for name in names.values()), f"{row['source']} ({row['evidence']})"]
        for row in read_published(path)
    ]
    return [[*names, "source"], *rows]


def answer_rows(path: str) -> list[list[str]]:
    """The header, and a row for each model and text with answers."""
    names = {"model": "model", "text": "text", "answers": "answers", "bits per answer": "mean"}
    names |= {"best seed": "lowest", "worst seed": "highest"}
    return [[*names], *([row[name] for name in names.values()] for row in read_answers(path))]


def with_spread(row: dict[str, Any], name: str) -> str:
    """Format a figure with its standard deviation over seeds."""
    if isinf(row[name]):
        return f"∞ ({row['zero_probability']:,} impossible, {row['zero_probability'] / row['symbols']:.2%})"
    spread = row[f"{name}_std"]
    return format_number(row[name]) + ("" if isnan(spread) else f" ± {format_deviation(spread, row[name])}")


def series_rows(models: pd.DataFrame) -> list[list[str]]:
    """The header, and a row for each model of a series, of several columns for their mean and for each of them."""
    names = series.list_table_columns(models)
    tables = [column_rows(series.select_column(models, name)) for name in ["", *names]]
    if not names:
        return tables[0]
    rows = [["column", *tables[0][0]]]
    for name, table in zip(["mean", *names], tables, strict=True):
        rows += [[name, *row] for row in table[1:]]
    return rows


def column_rows(models: pd.DataFrame) -> list[list[str]]:
    """The header, and a row for each model, from the rows of one column or of the mean over columns."""
    test = models[models["split"] == "test"]
    ahead = sorted(test["horizon"].unique())
    errors = [f"{name}, {k}" for name in ("RMSE", "CRPS") for k in ahead]
    rows = [["model", *errors, "MASE, 1", "MAE less that of persistence, 1", f"spread, {ahead[-1]}"]]
    for model, horizons in test.groupby("model", sort=False):
        records = horizons.sort_values("horizon").to_dict("records")
        first, last = records[0], records[-1]
        against = "" if model == "persistence" else cell(first[series.PERSISTENCE_COLUMN])
        low, high = (first[f"{series.PERSISTENCE_COLUMN}_{end}"] for end in ("low", "high"))
        if against and not isnan(low):
            against += f" ({cell(low)} to {cell(high)})"
        spread = last["spread"] if isnan(last["trajectory_spread"]) else last["trajectory_spread"]
        errors = [cell(record[name]) for name in ("rmse", "crps") for record in records]
        rows.append([str(model), *errors, cell(first["mase"]), against, f"{spread:.2f}"])
    return rows


def cell(value: float) -> str:
    """Format a figure; empty for NaN."""
    return "" if isnan(value) else format_number(value)


@command
def main() -> None:
    if len(sys.argv) != 2:
        raise InputError(
            "the path of one models.csv, published.csv or gaps.csv is needed; give it as the only argument"
        )
    path = sys.argv[1]
    columns = pd.read_csv(path, nrows=0)
    if "printed" in columns:
        rows = published_rows(path)
    elif "shortest" in columns:
        rows = answer_rows(path)
    elif "horizon" in columns:
        rows = series_rows(series.read_forecast_models(path))
    else:
        rows = text_rows(texts.read_text_models(path))
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
