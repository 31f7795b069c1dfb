"""What the report says of a series and of the models that forecast it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.files import damaged, read_json
from seqlab.io.runs import Place, Run
from seqlab.io.tables import read_table
from seqlab.report.style import number
from seqlab.series.autoregression import ORDER_COLUMNS, sufficient_order
from seqlab.series.record import read_forecast_metrics
from seqlab.series.tables import find_best_forecaster, read_forecast_models

MODEL_COLUMNS = {  # of models.csv -> head of the table
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
INTERVALS = ("rmse", "mae_less_persistence", "nll", "crps")  # shown; those of the others follow them


def forecast_section(place: Place, runs: Sequence[Run], prepared: str) -> dict[str, Any]:
    """The part of the page about one series and its `runs`; `prepared` is the folder of the prepared series."""
    description, models = read_json(f"{prepared}/series.json"), read_forecast_models(place.file("models.csv"))
    return {
        "series": place.corpus,
        "title": description["title"],
        "unit": description["unit"],
        "columns": MODEL_COLUMNS,
        "about": _about(description),
        "answer": _answer(models, runs),
        "models": [_model(run, models[models["model"] == run.model]) for run in runs],
        "horizons": _horizons(models),
    }


def _about(description: dict[str, Any]) -> list[str]:
    """Sentences about the series itself."""
    sizes = {name: stop - start for name, (start, stop) in description["splits"].items()}
    found = [
        f"{description['length']:,} values, in {description['unit']}: {sizes['train']:,} to learn from, "
        f"{sizes['valid']:,} to choose by, {sizes['test']:,} to score, cut along time."
    ]
    if description["scale"]["difference"]:
        found.append("Models learn the changes from value to value; all figures are of the values themselves.")
    if "predictable" in description["known"]:
        known = description["known"]
        found.append(
            f"Known: the Lyapunov exponent is {known['lyapunov']:.3f} per step, so an error of the size of the noise "
            f"reaches the spread of the series after {known['predictable']:.1f} steps, and nothing can be forecast "
            "beyond."
        )
    return found + description["notes"]


def _answer(models: pd.DataFrame, runs: Sequence[Run]) -> list[str]:
    """The sentences that tell which model is best, how far ahead, and how much of the past it needs."""
    best, test = find_best_forecaster(models), models[models["split"] == "test"].set_index(["model", "horizon"])
    one = test.xs(1, level="horizon")
    found = [
        f"Best on valid, one step ahead: {best}, test RMSE {_figure(one.loc[best], 'rmse')}; "
        f"persistence has {_figure(one.loc['persistence'], 'rmse')}."
    ]
    last = int(models.loc[models["split"] == "test", "horizon"].max())
    if last > 1:
        far = test.xs(last, level="horizon")
        lowest, spread = far["rmse"].idxmin(), _spread(far.loc[best])
        found.append(
            f"{last} steps ahead {best} has {_figure(far.loc[best], 'rmse')}"
            + ("" if math.isnan(spread) else f", and its mean forecasts keep {spread:.0%} of the spread of the values")
            + f"; the lowest RMSE on test is that of {lowest}, {number(far.loc[lowest, 'rmse'])}."
        )
    for run in (run for run in runs if run.model == "autoregression" and Path(run.file("orders.csv")).is_file()):
        orders = read_table(run.file("orders.csv"), ORDER_COLUMNS)
        chosen = int(orders.loc[orders["chosen"], "order"].iloc[0])
        enough = sufficient_order(orders)
        told = "every lower one is worse" if chosen == enough else f"it is tied with order {enough}"
        found.append(f"Markov check: on valid an autoregression of order {chosen} is best, and {told}.")
    return found


def _model(run: Run, rows: pd.DataFrame) -> dict[str, Any]:
    """Notes and card of one model."""
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
    }


def _horizons(models: pd.DataFrame) -> list[dict[str, Any]]:
    """A table for each horizon: its rows of figures on test, the best RMSE on it marked."""
    best, found = find_best_forecaster(models), []
    for horizon, rows in models[models["split"] == "test"].groupby("horizon"):
        table = [
            {"model": row["model"], "best": row["model"] == best, "cells": [_cell(row, name) for name in MODEL_COLUMNS]}
            for _, row in rows.iterrows()
        ]
        found.append({"horizon": int(str(horizon)), "origins": f"{rows['origins'].max():,}", "rows": table})
    return found


def _cell(row: Any, name: str) -> dict[str, str]:
    """A figure and its interval; both empty where the model has none."""
    value = _spread(row) if name == "trajectory_spread" else row[name]
    low, high = (row[f"{name}_{end}"] if name in INTERVALS else math.nan for end in ("low", "high"))
    if math.isnan(value) or (name == "mae_less_persistence" and row["model"] == "persistence"):
        return {"value": "–", "interval": ""}
    if name == "coverage":
        return {"value": f"{value:.0%}", "interval": ""}
    if name == "trajectory_spread":
        return {"value": f"{value:.2f}", "interval": ""}
    return {"value": number(value), "interval": "" if math.isnan(low) else f"{number(low)} to {number(high)}"}


def _spread(row: Any) -> float:
    """That of the means of trajectories, or of the points where a model has no distribution."""
    return float(row["spread"] if math.isnan(row["trajectory_spread"]) else row["trajectory_spread"])


def _figure(row: Any, name: str) -> str:
    """A figure with its interval, for a sentence."""
    cell = _cell(row, name)
    return cell["value"] + (f" (95 % interval {cell['interval']})" if cell["interval"] else "")
