"""The section of the report about a series and its forecasts."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.fleet.fit import UNDERFITTED_COLUMN
from seqlab.io.files import damaged
from seqlab.io.runs import FORECAST, Place, Run
from seqlab.io.tables import read_table
from seqlab.report.answer import Lead, describe_cost, describe_lead, describe_underfitted, recommend_run
from seqlab.report.style import format_number
from seqlab.series.autoregression import ORDER_COLUMNS, sufficient_order
from seqlab.series.record import read_forecast_metrics
from seqlab.series.splits import read_description
from seqlab.series.tables import (
    PERSISTENCE_COLUMN,
    find_best_forecaster,
    list_table_columns,
    read_forecast_models,
    select_column,
)

MODEL_COLUMNS = {  # column of models.csv -> head of the table
    "rmse": "RMSE",
    "trajectory_rmse": "RMSE of the mean of trajectories",
    "mae": "MAE",
    "mase": "MASE",
    "mae_less_persistence": "MAE less that of persistence",
    "nll": "NLL (nats)",
    "crps": "CRPS",
    "coverage": "in the central 90 %",
    "trajectory_spread": "spread",
}
PERSISTENCE = "persistence"
INTERVAL_COLUMNS = ("rmse", "mae_less_persistence", "nll", "crps")  # figures with intervals in the table


def compose_forecast_section(place: Place, runs: Sequence[Run], prepared: str) -> dict[str, Any]:
    """Return the section about one series and its `runs`; `prepared` is the folder of the prepared series."""
    description, models = read_description(f"{prepared}/series.json"), read_forecast_models(place.file("models.csv"))
    return {
        "series": place.corpus,
        "title": description["title"],
        "unit": description["units"][0] if len(description["columns"]) == 1 else "the unit of the column",
        "has_mean": bool(list_table_columns(models)),
        "columns": MODEL_COLUMNS,
        "about": _about(description),
        "summary": compose_forecast_summary(models, description),
        "answer": _answer(models, runs),
        "models": [_model(run, models[models["model"] == run.model]) for run in runs],
        "horizons": _horizons(models, description),
    }


def compose_forecast_summary(models: pd.DataFrame, description: Mapping[str, Any]) -> list[str]:
    """Return sentences for a reader in a hurry: the best model, its lead over persistence, whether it is settled, its
    cost, and what to run next.
    """
    best, columns = find_best_forecaster(models), list_table_columns(models)
    rows = select_column(models[models["horizon"] == 1])
    test = rows[rows["split"] == "test"]
    row = test[test["model"] == best].iloc[0]
    unit = "deviations on train" if columns else description["units"][0]
    underfitted = bool((models[UNDERFITTED_COLUMN] != "").any())
    low, high = (float(row[f"{PERSISTENCE_COLUMN}_{end}"]) for end in ("low", "high"))
    is_settled = low > 0 or high < 0
    if best == PERSISTENCE:
        sentence = "No other model has a lower RMSE on validation."
    elif math.isnan(low):
        sentence = f"Its lead over {PERSISTENCE} is not settled: there are too few origins for an interval."
    else:
        measure, difference = f"of mean absolute error ({unit})", -row[PERSISTENCE_COLUMN]
        lead = Lead(PERSISTENCE, difference, -high, -low, not is_settled, measure, ".4g")
        sentence = describe_lead(lead, "series", underfitted)
    is_tied = best != PERSISTENCE and not is_settled
    tie = f"use a longer series or more seeds ({FORECAST}.seeds)" if is_tied else ""
    networks = test[test["cell"] != ""]
    network = find_best_forecaster(rows[rows["cell"] != ""]) if len(networks) else None
    return [
        f"{best} forecasts this series best one step ahead: RMSE {format_number(row['rmse'])} ({unit}).",
        sentence,
        describe_cost(row),
        f"Next: {recommend_run(networks, network, FORECAST, 'series', underfitted, tie)}.",
    ]


def _about(description: dict[str, Any]) -> list[str]:
    """Return sentences about the series itself."""
    sizes = {name: stop - start for name, (start, stop) in description["splits"].items()}
    columns = _name_columns(description)
    values = f"values, in {description['units'][0]}" if len(columns) == 1 else f"vectors of {', '.join(columns)}"
    sentences = [
        f"{description['length']:,} {values}, split along time: {sizes['train']:,} for "
        f"training, {sizes['valid']:,} for validation and {sizes['test']:,} for test."
    ]
    if description["exogenous"]:
        sentences.append(f"Inputs, which are known up to the origin only: {', '.join(description['exogenous'])}.")
    if description["scale"]["difference"]:
        sentences.append("Models learn the changes from value to value; all figures are of the values themselves.")
    if "predictable" in description["known"]:
        known = description["known"]
        sentences.append(
            f"The Lyapunov exponent is {known['lyapunov']:.3f} per step, so an error of the size of the noise reaches "
            f"the spread of the series after {known['predictable']:.1f} steps; no model can forecast further."
        )
    return sentences + description["notes"]


def _name_columns(description: dict[str, Any]) -> list[str]:
    """Return the names of the columns, with their units where these differ from the names."""
    names = zip(description["columns"], description["units"], strict=True)
    return [name if name == unit else f"{name} ({unit})" for name, unit in names]


def _answer(models: pd.DataFrame, runs: Sequence[Run]) -> list[str]:
    """Return sentences on the best model, one step and the most steps ahead, and on the order that it needs."""
    best, columns = find_best_forecaster(models), list_table_columns(models)
    tests = models[models["split"] == "test"]
    test = select_column(tests).set_index(["model", "horizon"])
    nearest = test.xs(1, level="horizon")
    unit = ", a mean over columns in units of their deviations on train" if columns else ""
    sentences = [
        f"Best model on validation, one step ahead: {best}, test RMSE {_figure(nearest.loc[best], 'rmse')}{unit}; "
        f"persistence has {_figure(nearest.loc[PERSISTENCE], 'rmse')}.",
        *describe_underfitted(models, FORECAST),
    ]
    for column in columns:
        rows = select_column(tests[tests["horizon"] == 1], column).set_index("model")
        sentences.append(
            f"{column}: {best} has a test RMSE of {_figure(rows.loc[best], 'rmse')}; persistence has "
            f"{_figure(rows.loc[PERSISTENCE], 'rmse')}."
        )
    last = int(models.loc[models["split"] == "test", "horizon"].max())
    if last > 1:
        far = test.xs(last, level="horizon")
        lowest, spread = far["rmse"].idxmin(), _spread(far.loc[best])
        sentences.append(
            f"{last} steps ahead, {best} has a test RMSE of {_figure(far.loc[best], 'rmse')}{unit}"
            + ("" if math.isnan(spread) else f", and its mean forecasts have {spread:.0%} of the spread of the values")
            + f"; the lowest test RMSE is that of {lowest}, {format_number(far.loc[lowest, 'rmse'])}."
        )
    for run in (run for run in runs if run.model == "autoregression" and Path(run.file("orders.csv")).is_file()):
        orders = read_table(run.file("orders.csv"), ORDER_COLUMNS)
        chosen = int(orders.loc[orders["chosen"], "order"].iloc[0])
        enough = sufficient_order(orders)
        rival = "every lower order is worse" if chosen == enough else f"it is tied with order {enough}"
        sentences.append(f"Markov check: the best autoregression on validation has order {chosen}, and {rival}.")
    return sentences


def _model(run: Run, rows: pd.DataFrame) -> dict[str, Any]:
    """Return notes, card and sizes of one model."""
    card = Path(run.file("card.yaml"))
    metrics = read_forecast_metrics(run.file("metrics.json"))
    if rows.empty:
        raise damaged(run.place.file("models.csv"), f"it lacks {run.model}")
    first = rows.iloc[0]
    return {
        "model": run.model,
        "notes": metrics["notes"],
        "card": card.read_text(encoding="utf-8") if card.is_file() else None,
        "parameters": f"{first['parameters']:,.0f}" if first["parameters"] else "–",
        "seconds": f"{first['train_seconds']:,.1f}" if first["train_seconds"] else "–",
        "seeds": f"{first['seeds']}" if first["seeds"] else "–",
        "underfitted": first[UNDERFITTED_COLUMN],
    }


def _horizons(models: pd.DataFrame, description: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a table of test figures for each horizon, with the best model on validation marked; of several columns
    those of their mean, then those of each.
    """
    best, columns, tables = find_best_forecaster(models), list_table_columns(models), []
    titles = {"": "Mean over columns: " if columns else ""}
    titles |= {name: f"{title}: " for name, title in zip(columns, _name_columns(description), strict=False)}
    for column, title in titles.items():
        rows = select_column(models[models["split"] == "test"], column)
        for horizon, ahead in rows.groupby("horizon"):
            table = [
                {
                    "model": row["model"],
                    "best": row["model"] == best,
                    "cells": [_cell(row, name) for name in MODEL_COLUMNS],
                }
                for _, row in ahead.iterrows()
            ]
            heading = f"{title}{horizon} step{'s' * (int(str(horizon)) > 1)} ahead"
            tables.append({"heading": heading, "origins": f"{ahead['origins'].max():,}", "rows": table})
    return tables


def _cell(row: Any, name: str) -> dict[str, str]:
    """Return a figure and its interval as text; a dash where the model has none."""
    value = _spread(row) if name == "trajectory_spread" else row[name]
    low, high = (row[f"{name}_{end}"] if name in INTERVAL_COLUMNS else math.nan for end in ("low", "high"))
    if math.isnan(value) or (name == PERSISTENCE_COLUMN and row["model"] == PERSISTENCE):
        return {"value": "–", "interval": ""}
    if name == "coverage":
        return {"value": f"{value:.0%}", "interval": ""}
    if name == "trajectory_spread":
        return {"value": f"{value:.2f}", "interval": ""}
    return {
        "value": format_number(value),
        "interval": "" if math.isnan(low) else f"{format_number(low)} to {format_number(high)}",
    }


def _spread(row: Any) -> float:
    """Return the spread of the means of trajectories, or of the points where a model has no distribution."""
    return float(row["spread"] if math.isnan(row["trajectory_spread"]) else row["trajectory_spread"])


def _figure(row: Any, name: str) -> str:
    """Return a figure with its interval, for a sentence."""
    cell = _cell(row, name)
    return cell["value"] + (f" (95 % interval {cell['interval']})" if cell["interval"] else "")
