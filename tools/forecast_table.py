"""Print the test figures of series as Markdown: python tools/forecast_table.py PATH..., each a models.csv."""

import sys
from math import isnan
from typing import Any

import pandas as pd

from seqlab.io.errors import InputError, command
from seqlab.report.style import number
from seqlab.series.tables import AGAINST, read_models


def figure(row: dict[str, Any], name: str) -> str:
    """A figure; empty where the model has none."""
    return "" if isnan(row[name]) else number(row[name])


def cells(rows: dict[int, dict[str, Any]]) -> list[str]:
    """The row of one model, from its rows by horizon."""
    one, last = rows[min(rows)], rows[max(rows)]
    against = "" if one["model"] == "persistence" else figure(one, AGAINST)
    if against and not isnan(one[f"{AGAINST}_low"]):
        against += f" ({figure(one, f'{AGAINST}_low')} to {figure(one, f'{AGAINST}_high')})"
    spread = last["spread"] if isnan(last["trajectory_spread"]) else last["trajectory_spread"]
    errors = [figure(row, name) for name in ("rmse", "crps") for row in rows.values()]
    return [one["model"], *errors, figure(one, "mase"), against, f"{spread:.2f}"]


def print_table(models: pd.DataFrame) -> None:
    """One table, a row for each model."""
    test = models[models["split"] == "test"]
    ahead = sorted(test["horizon"].unique())
    heads = ["model", *(f"RMSE, {k}" for k in ahead), *(f"CRPS, {k}" for k in ahead), "MASE, 1"]
    heads += ["MAE less that of persistence, 1", f"spread, {ahead[-1]}"]
    print(f"### {test['series'].iloc[0]}")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for _, own in test.groupby("model", sort=False):
        print("| " + " | ".join(cells({row["horizon"]: row for row in own.to_dict("records")})) + " |")
    print()


@command
def main() -> None:
    if len(sys.argv) < 2:
        raise InputError("give the path of at least one models.csv of a series")
    for path in sys.argv[1:]:
        print_table(read_models(path))


if __name__ == "__main__":
    main()
