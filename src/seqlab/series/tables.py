"""summary.csv and models.csv of a series: the figures of every model in two tables (docs/architecture.md)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.io.cards import FAMILY_SETTINGS
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified
from seqlab.io.runs import Run
from seqlab.io.setting_columns import add_settings, read_settings_table
from seqlab.ledger.selection import rank_candidates
from seqlab.series.record import FIGURES, SPREADS, read_forecast_ledger
from seqlab.series.scores import interval

NAMES = ["series", "model"]
SUMMARY_COLUMNS = [*NAMES, "seed", "split", "horizon", "origins", *FIGURES, "parameters", "train_seconds"]
MODELS_COLUMNS = [*NAMES, "seeds", "split", "horizon", "origins"]
MODELS_COLUMNS += [
    name + end for name in FIGURES for end in (("",) if name in SPREADS else ("", "_low", "_high"))
]  # fmt: skip
AGAINST = "mae_less_persistence"
MODELS_COLUMNS += [AGAINST, f"{AGAINST}_low", f"{AGAINST}_high", "parameters", "train_seconds"]
SETTING_KINDS = FAMILY_SETTINGS["rnn"]  # columns of models.csv; behind them stand the other axes of networks


def summarize(runs: Iterable[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables (summary, models) of all `runs` of a series, models in the order given.

    On test, models.csv also holds the mean difference between the absolute errors of a model and those of persistence
    from the same origins, with its interval (the loss differential of Diebold & Mariano 1995); their forecasts.npz are
    read for it. The last columns of models.csv are settings of networks: those of SETTING_KINDS, and
    every other one in which two networks differ. InputError where persistence is not among the models.
    """
    scores: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    ledger = [(metrics, _errors(arrays)) for metrics, arrays in map(read_forecast_ledger, runs)]
    naive = next((errors for metrics, errors in ledger if metrics["model"] == "persistence"), None)
    if ledger and naive is None:
        raise InputError("persistence is not among the models to summarize; all others are held against it")
    for metrics, errors in ledger:
        shared = {name: metrics[name] for name in (*NAMES, "parameters", "train_seconds")}
        seeds = len({row["seed"] for row in metrics["scores"]} - {None})
        scores += [shared | row for row in metrics["scores"]]
        shared |= {"seeds": seeds, "settings": metrics["settings"] if "cell" in metrics["settings"] else {}}
        means += [shared | row | _against(row, errors, naive) for row in metrics["means"]]
    if not means:
        raise InputError("there is no metrics.json of a forecast to summarize; choose a series in forecast.series")
    summary = pd.DataFrame(scores, columns=SUMMARY_COLUMNS)
    summary["seed"] = summary["seed"].astype("Int64")  # the integers that can be empty
    models = pd.DataFrame(means, columns=MODELS_COLUMNS)
    return summary, add_settings(models, [row["settings"] for row in means], SETTING_KINDS)


def _errors(arrays: dict[str, NDArray[Any]]) -> dict[int, NDArray[np.float64]]:
    """The absolute errors on test in the `arrays` of a model, (R, O), by horizon."""
    found = {}
    for place, horizon in enumerate(arrays["horizons"].tolist()):
        errors = np.abs(arrays["errors"][:, :, place])
        found[horizon] = errors[:, np.isfinite(errors[0])]
    return found


def _against(
    row: dict[str, Any], own: dict[int, NDArray[np.float64]], naive: dict[int, NDArray[np.float64]] | None
) -> dict[str, float]:
    """The difference to persistence for a row of means; nothing on valid."""
    if row["split"] != "test" or naive is None:
        return {}
    told = interval(own[row["horizon"]] - naive[row["horizon"]], row["horizon"])
    return {AGAINST: told.mean, f"{AGAINST}_low": told.low, f"{AGAINST}_high": told.high}


def read_models(path: str | Path) -> pd.DataFrame:
    """The models.csv in `path`; InputError where it is damaged."""
    try:
        models = read_settings_table(verified(path), NAMES, MODELS_COLUMNS, SETTING_KINDS)
    except ValueError as error:
        raise damaged(path, error) from None
    missing = [name for name in (*MODELS_COLUMNS, *SETTING_KINDS) if name not in models]
    if missing or models.empty:
        raise damaged(path, f"it has no {'column ' + missing[0] if missing else 'rows'}")
    return models


def best_on_valid(models: pd.DataFrame) -> str:
    """Return the name of the model with the lowest RMSE one step ahead on validation."""
    valid = models[(models["split"] == "valid") & (models["horizon"] == 1)]
    return rank_candidates(zip(valid["rmse"], valid["model"], strict=True), lambda standing: standing)[0][1]
