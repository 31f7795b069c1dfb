"""Tables summary.csv and models.csv of a series: the figures of every model (docs/files.md)."""

from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.fleet.fit import UNDERFITTED_COLUMN, find_underfitted
from seqlab.io.cards import FAMILY_SETTINGS
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified
from seqlab.io.runs import Run
from seqlab.io.setting_columns import add_settings, read_settings_table
from seqlab.ledger.selection import rank_candidates
from seqlab.series.record import FORECAST_FIGURES, SPREAD_FIGURES, read_forecast_ledger
from seqlab.series.scores import estimate_mean

KEY_COLUMNS, COST_COLUMNS = ["series", "model"], ["parameters", "train_seconds"]
COLUMN_NAME = "column"  # the column of a row, of series that have several; empty for their mean
INTERVAL_ENDS = ("", "_low", "_high")
PERSISTENCE_COLUMN = "mae_less_persistence"
FORECAST_SUMMARY_COLUMNS = [*KEY_COLUMNS, "seed", "split", "horizon", "origins", *FORECAST_FIGURES, *COST_COLUMNS]
FORECAST_MODELS_COLUMNS = [*KEY_COLUMNS, "seeds", "split", "horizon", "origins"]
FORECAST_MODELS_COLUMNS += [
    name + end for name in FORECAST_FIGURES for end in (INTERVAL_ENDS[:1] if name in SPREAD_FIGURES else INTERVAL_ENDS)
]
FORECAST_MODELS_COLUMNS += [*(PERSISTENCE_COLUMN + end for end in INTERVAL_ENDS), *COST_COLUMNS, UNDERFITTED_COLUMN]
NETWORK_SETTINGS = FAMILY_SETTINGS["rnn"]  # columns of models.csv, followed by the other axes of networks
Errors = dict[tuple[str | None, int], NDArray[np.float64]]  # (R, O), by column, None for the mean, and horizon


def summarize_forecasts(runs: Iterable[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables (summary, models) of all `runs` of a series, in the order of `runs`.

    On test, models.csv also holds the mean difference between the absolute errors of a model and those of persistence
    from the same origins, with its interval (the loss differential of Diebold & Mariano 1995), from forecasts.npz.
    `underfitted` is the reason of `fleet.fit.find_underfitted`, or empty. The last columns of models.csv are settings
    of networks: those of NETWORK_SETTINGS, and all others in which two networks differ. Raises InputError where
    persistence is not among the models.
    """
    scores: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    ledger = [(metrics, _errors(arrays)) for metrics, arrays in map(read_forecast_ledger, runs)]
    naive = next((errors for metrics, errors in ledger if metrics["model"] == "persistence"), None)
    if ledger and naive is None:
        raise InputError("persistence is not among the models to summarize; add it, as all others are compared with it")
    reasons = find_underfitted(metrics for metrics, _ in ledger)
    for (metrics, errors), reason in zip(ledger, reasons, strict=True):
        shared = {name: metrics[name] for name in (*KEY_COLUMNS, *COST_COLUMNS)}
        seeds = len({row["seed"] for row in metrics["scores"]} - {None})
        scores += [shared | row for row in metrics["scores"]]
        shared |= {"seeds": seeds, "settings": metrics["settings"] if "cell" in metrics["settings"] else {}}
        shared[UNDERFITTED_COLUMN] = reason
        means += [shared | row | _against(row, errors, naive) for row in metrics["means"]]
    if not means:
        raise InputError("there is no metrics.json of a forecast to summarize; choose a series in forecast.series")
    summary = pd.DataFrame(scores, columns=_with_column(FORECAST_SUMMARY_COLUMNS, scores))
    summary["seed"] = summary["seed"].astype("Int64")  # the integers that can be empty
    models = pd.DataFrame(means, columns=_with_column(FORECAST_MODELS_COLUMNS, means))
    return summary, add_settings(models, [row["settings"] for row in means], NETWORK_SETTINGS)


def _with_column(names: list[str], rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns of a table of `rows`: `names`, with the column of a row after its model if rows have one."""
    keys = len(KEY_COLUMNS)
    return [*names[:keys], COLUMN_NAME, *names[keys:]] if COLUMN_NAME in rows[0] else names


def _errors(arrays: dict[str, NDArray[Any]]) -> Errors:
    """Return the absolute errors on test in the `arrays` of a model; those of the mean over columns are in units of
    their deviations.
    """
    errors_of: Errors = {}
    for place, horizon in enumerate(arrays["horizons"].tolist()):
        errors = np.abs(arrays["errors"][:, :, place])
        errors = errors[:, np.isfinite(errors[0, :, 0])]
        if "columns" in arrays:
            errors_of |= {(name, horizon): errors[..., n] for n, name in enumerate(arrays["columns"].tolist())}
            errors = errors / arrays["deviations"]
        errors_of[None, horizon] = errors.mean(-1)
    return errors_of


def _against(row: dict[str, Any], errors: Errors, naive: Errors | None) -> dict[str, float]:
    """Return the difference to persistence for a row of means; empty on valid."""
    if row["split"] != "test" or naive is None:
        return {}
    key = row.get(COLUMN_NAME), row["horizon"]
    mean = estimate_mean(errors[key] - naive[key], row["horizon"])
    return {PERSISTENCE_COLUMN + end: bound for end, bound in zip(INTERVAL_ENDS, astuple(mean), strict=True)}


def read_forecast_models(path: str | Path) -> pd.DataFrame:
    """Read the models.csv of a series; InputError where it is damaged. The column of a row is empty for the mean over
    several columns, and for a single column.
    """
    text, known = [*KEY_COLUMNS, COLUMN_NAME, UNDERFITTED_COLUMN], [*FORECAST_MODELS_COLUMNS, COLUMN_NAME]
    try:
        models = read_settings_table(verified(path), text, known, NETWORK_SETTINGS)
    except ValueError as error:
        raise damaged(path, error) from None
    missing = [name for name in (*FORECAST_MODELS_COLUMNS, *NETWORK_SETTINGS) if name not in models]
    if missing or models.empty:
        raise damaged(path, f"it has no {'column ' + missing[0] if missing else 'rows'}")
    return models if COLUMN_NAME in models else models.assign(**{COLUMN_NAME: ""})


def select_column(models: pd.DataFrame, column: str = "") -> pd.DataFrame:
    """Return the rows of a column of `read_forecast_models`; without a name those of the mean or of the only column."""
    return models[models[COLUMN_NAME] == column]


def list_table_columns(models: pd.DataFrame) -> list[str]:
    """Return the names of the columns of a series in the rows of its models.csv; empty for a single column."""
    return [name for name in dict.fromkeys(models[COLUMN_NAME]) if name]


def find_best_forecaster(models: pd.DataFrame) -> str:
    """Return the name of the model with the lowest RMSE one step ahead on validation, of several columns their mean."""
    rows = select_column(models)
    valid = rows[(rows["split"] == "valid") & (rows["horizon"] == 1)]
    return rank_candidates(zip(valid["rmse"], valid["model"], strict=True), lambda standing: standing)[0][1]
