"""Forecasts and metrics of a run: forecasts.npz and metrics.json."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.arrays import read_arrays
from seqlab.io.cards import read_card
from seqlab.io.files import damaged, read_digest, read_json, replacing, write_json
from seqlab.io.runs import Run
from seqlab.series.rollout import Array, Forecaster, Mixture, draw_trajectories, roll_out
from seqlab.series.scores import coverage, crps, estimate_mean, naive_error, negative_log_likelihood, probability_below
from seqlab.series.splits import Prepared

POINT_FIGURES = ("rmse", "mae", "mase", "spread")  # of the roll-out of point predictions
# of trajectories, which models without a distribution lack
TRAJECTORY_FIGURES = ("trajectory_rmse", "nll", "crps", "coverage", "trajectory_spread")
FORECAST_FIGURES = (*POINT_FIGURES, *TRAJECTORY_FIGURES)
ROOT_FIGURES = ("rmse", "trajectory_rmse")  # roots of means
# the forecasts whose spread over origins it is; without intervals
SPREAD_FIGURES = {"spread": "forecast", "trajectory_spread": "trajectory"}
# powers of the unit in the costs of figures; nll has its logarithm
COST_POWERS = {"rmse": 2, "mae": 1, "mase": 0, "trajectory_rmse": 2, "crps": 1, "coverage": 0}
KEY_NAMES = ("column", "seed", "split")  # of a row of scores, besides numbers
COLUMN_ARRAYS = ("points", "errors", "means", "nll", "crps")  # of forecasts.npz that have an entry for each column
SIGNED_FIGURES = ("nll",)  # may be negative


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of the column at place `column` from `origins`, (O,), at `horizons`, (H,), in the unit of the column.

    `points` are (R, O, H), by roll-out of point predictions; `mixture` holds the predictive distributions, or None.
    """

    column: int
    origins: NDArray[np.int64]
    horizons: list[int]
    points: Array
    mixture: Mixture | None


def forecast_series(
    model: Forecaster, prepared: Prepared, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> list[Forecasts]:
    """Roll `model` out from `origins`, once with its point predictions and `count` times with values drawn from it.

    Returns the forecasts of each of `prepared.columns`; exogenous columns are rolled out with them and left out.
    """
    scale, scaled, ahead = prepared.scale, prepared.scaled, np.array(horizons)
    paths = scale.path(prepared.values[origins], roll_out(model, scaled, origins, max(horizons)))
    drawn = draw_trajectories(model, scaled, origins, horizons, count)
    forecasts = []
    for place in range(len(prepared.columns)):
        mean, deviation = scale.mean[place], scale.deviation[place]
        sums, means, deviations = (part[..., place] for part in drawn)
        if scale.difference:
            drift = prepared.values[origins, place][:, None, None] + ahead[:, None] * mean
            means = drift + (sums + means) * deviation
        else:
            means = mean + means * deviation
        points = paths[..., ahead - 1, place]
        forecasts.append(Forecasts(place, origins, list(horizons), points, Mixture(means, deviations * deviation)))
    return forecasts


def forecast_points(
    paths: Callable[[Array, NDArray[np.int64], int], Array],
    prepared: Prepared,
    origins: NDArray[np.int64],
    horizons: Sequence[int],
) -> list[Forecasts]:
    """Forecast each of `prepared.columns` with a model of points alone: `paths` of values, origins and steps is
    (1, O, K, d).
    """
    points = paths(prepared.values, origins, max(horizons))[..., np.array(horizons) - 1, :]
    return [
        Forecasts(place, origins, list(horizons), points[..., place], None) for place in range(len(prepared.columns))
    ]


def compute_losses(forecasts: Forecasts, prepared: Prepared, stop: int) -> dict[str, Array]:
    """Compute the cost of each forecast under each figure, (R, O, H); NaN where the target is not before `stop`.

    Costs of ROOT_FIGURES are squares; `forecast`, `trajectory`, the mean of trajectories, and `value` serve the
    spreads.
    """
    targets = forecasts.origins[:, None] + np.array(forecasts.horizons)
    column = prepared.values[:, forecasts.column]
    values = np.where(targets < stop, column[np.minimum(targets, stop - 1)], np.nan)
    errors = forecasts.points - values
    start, end = prepared.splits["train"]
    costs = {"rmse": errors**2, "mae": np.abs(errors)}
    costs["mase"] = costs["mae"] / naive_error(column[start:end])
    costs |= {
        "forecast": np.where(np.isnan(errors), np.nan, forecasts.points),
        "value": np.broadcast_to(values, errors.shape),
    }
    if forecasts.mixture:
        below = probability_below(forecasts.mixture, values)
        costs["trajectory"] = np.where(np.isnan(errors), np.nan, forecasts.mixture.means.mean(-1))
        costs["trajectory_rmse"] = (costs["trajectory"] - values) ** 2
        costs["nll"] = negative_log_likelihood(forecasts.mixture, values)
        costs["crps"] = crps(forecasts.mixture, values)
        costs["coverage"] = np.where(np.isnan(below), np.nan, coverage(below))
    return costs


def average_losses(losses: Sequence[dict[str, Array]], deviations: Sequence[float]) -> dict[str, Array]:
    """Return the mean over columns of the cost of each forecast, (R, O, H), from the costs of every column.

    Costs with a unit are in units of the deviation of their column, so the mean does not depend on the units of the
    columns: errors are divided by it, squares by its square, and its logarithm is subtracted from a negative
    log-likelihood. Costs that serve the spreads are left out.
    """
    columns = [*zip(losses, deviations, strict=True)]
    means: dict[str, Array] = {
        name: np.mean([costs[name] / deviation**power for costs, deviation in columns], axis=0)
        for name, power in COST_POWERS.items()
        if name in losses[0]
    }
    if "nll" in losses[0]:
        means["nll"] = np.mean([costs["nll"] - math.log(deviation) for costs, deviation in columns], axis=0)
    return means | {"value": losses[0]["value"]}


def forecast_score_rows(
    split: str, forecasts: Forecasts, costs: dict[str, Array], seeds: Sequence[int | None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `scores`, one for each seed and horizon, and of `means`, one for each horizon, with intervals.

    `spread` is the standard deviation of the forecasts over origins by that of their targets: 1 for forecasts that vary
    as much as the series, 0 for constant ones; `trajectory_spread` is that of the means of trajectories.
    """
    scores, means = [], []
    for place, horizon in enumerate(forecasts.horizons):
        counted = ~np.isnan(costs["value"][0, :, place])
        at = {name: loss[:, counted, place] for name, loss in costs.items()}
        head: dict[str, Any] = {"split": split, "horizon": horizon, "origins": int(counted.sum())}
        if not head["origins"]:
            continue
        spreads = {name: _spreads(at[of], at["value"]) for name, of in SPREAD_FIGURES.items() if of in at}
        for replica, seed in enumerate(seeds):
            row_figures = {
                name: _figure(name, float(at[name][replica].mean())) for name in FORECAST_FIGURES if name in at
            }
            row_figures |= {name: float(spread[replica]) for name, spread in spreads.items()}
            scores.append({"seed": seed} | head | row_figures)
        row = dict(head)
        for name in FORECAST_FIGURES:
            if name in at:
                mean = estimate_mean(at[name], horizon)
                row[name] = _figure(name, mean.mean)
                row |= {f"{name}_low": _figure(name, mean.low), f"{name}_high": _figure(name, mean.high)}
        means.append(row | {name: float(spread.mean()) for name, spread in spreads.items()})
    return scores, means


def _spreads(forecasts: Array, values: Array) -> Array:
    """Return the deviation over origins of `forecasts` by that of `values`, both (R, O): (R,), NaN for a single origin
    and for constant values.
    """
    if forecasts.shape[1] < 2 or not np.ptp(values) > 0:
        return np.full(len(forecasts), np.nan)
    spreads: Array = forecasts.std(1) / values.std(1)
    return spreads


def _figure(name: str, value: float) -> float:
    """Return the figure of a mean cost or of a bound of its interval, which is not negative either."""
    possible = value if name in SIGNED_FIGURES or math.isnan(value) else max(value, 0.0)
    return math.sqrt(possible) if name in ROOT_FIGURES else possible


def score_columns(
    split: str,
    forecasts: Sequence[Forecasts],
    losses: Sequence[dict[str, Array]],
    seeds: Sequence[int | None],
    prepared: Prepared,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `scores` and of `means` of all columns, from the `losses` of each.

    Several columns are named in `column`; the rows of their mean come first and have None there. Its spread is the mean
    of their spreads.
    """
    tables = [forecast_score_rows(split, column, costs, seeds) for column, costs in zip(forecasts, losses, strict=True)]
    if not prepared.has_several_columns:
        return tables[0]
    scale = prepared.scale.deviation[: len(prepared.columns)]
    averages = forecast_score_rows(split, forecasts[0], average_losses(losses, scale), seeds)
    scores, means = (
        _with_average(average, columns, prepared.columns) for average, *columns in zip(averages, *tables, strict=True)
    )
    return scores, means


def _with_average(
    average: list[dict[str, Any]], tables: list[list[dict[str, Any]]], names: list[str]
) -> list[dict[str, Any]]:
    """Return the rows of the mean over columns, with its spreads, and those of each column, with its name."""
    rows = []
    for row, *columns in zip(average, *tables, strict=True):
        spreads = [name for name in SPREAD_FIGURES if name in columns[0]]
        averages = {name: float(np.mean([column[name] for column in columns])) for name in spreads}
        rows.append({"column": None} | row | averages)
    for table, name in zip(tables, names, strict=True):
        rows += [{"column": name} | row for row in table]
    return rows


def record_forecasts(
    folder: Path,
    prepared: Prepared,
    forecasts_of: dict[str, list[Forecasts]],
    seeds: Sequence[int | None],
    training: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write forecasts.npz and metrics.json (contracts in docs/files.md) into the `folder` of a run.

    `forecasts_of` holds the forecasts of every column on valid and test, `training` the content of training.json of a
    trained model, and `more` further keys of metrics.json.
    """
    card, training = read_card(folder / "card.yaml"), training or {"seconds": 0.0, "parameters": 0, "notes": []}
    scores: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for split, forecasts in forecasts_of.items():
        losses = [compute_losses(column, prepared, prepared.splits[split][1]) for column in forecasts]
        rows, averages = score_columns(split, forecasts, losses, seeds, prepared)
        scores, means = scores + rows, means + averages
        if split == "test":
            arrays = _collect_arrays(forecasts, losses, prepared)
    with replacing(folder / "forecasts.npz") as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    metrics = {key: card[key] for key in ("series", "family", "model")} | {
        "card": read_digest(folder / "card.yaml"),
        "settings": card["settings"],
        "forecasts_sha256": read_digest(folder / "forecasts.npz"),
        "parameters": training["parameters"],
        "train_seconds": training["seconds"],
        "notes": training["notes"],
        "scores": [_plain(row) for row in scores],
        "means": [_plain(row) for row in means],
    }
    fit = {"fit": training["fit"]} if "fit" in training else {}
    write_json(folder / "metrics.json", metrics | fit | more)


def _collect_arrays(
    forecasts: Sequence[Forecasts], losses: Sequence[dict[str, Array]], prepared: Prepared
) -> dict[str, NDArray[Any]]:
    """Return the arrays of forecasts.npz, of several columns with a last axis for the column."""
    columns: list[dict[str, Array]] = []
    for column, costs in zip(forecasts, losses, strict=True):
        columns.append({"points": column.points, "errors": costs["value"] - costs["forecast"]})
        columns[-1] |= {name: costs[name] for name in ("nll", "crps") if name in costs}
        if column.mixture:
            columns[-1]["means"] = column.mixture.means.mean(-1)
    head: dict[str, NDArray[Any]] = {"origins": forecasts[0].origins, "horizons": np.array(forecasts[0].horizons)}
    if not prepared.has_several_columns:
        return head | columns[0]
    deviations = np.array(prepared.scale.deviation[: len(columns)])
    stacked = {name: np.stack([column[name] for column in columns], axis=-1) for name in columns[0]}
    return head | {"columns": np.array(prepared.columns), "deviations": deviations} | stacked


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for JSON: NaN is null, an infinity is "inf"."""
    return {
        name: (None if math.isnan(value) else "inf" if math.isinf(value) else value)
        if isinstance(value, float)
        else value
        for name, value in row.items()
    }


def read_forecast_metrics(path: str | Path) -> dict[str, Any]:
    """Read metrics.json, with "inf" and null as floats; InputError where it has another content."""
    metrics = read_json(path, "series_metrics")
    for rows in ("scores", "means"):
        metrics[rows] = [{name: _as_read(name, value) for name, value in row.items()} for row in metrics[rows]]
    return metrics


def _as_read(name: str, value: Any) -> Any:
    """Return the value of a row that `_plain` wrote."""
    if name in KEY_NAMES:
        return value
    return math.inf if value == "inf" else math.nan if value is None else value


def read_forecast_ledger(run: Run) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the metrics of `run` and the arrays of its forecasts.npz, as `read_forecasts` does.

    Raises InputError where a file is damaged, or the metrics are those of other forecasts.
    """
    metrics, forecasts = read_forecast_metrics(run.file("metrics.json")), run.file("forecasts.npz")
    if read_digest(forecasts) != metrics["forecasts_sha256"]:
        raise damaged(forecasts, "its SHA-256 is not that in metrics.json beside it")
    return metrics, read_forecasts(forecasts)


def read_forecasts(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of forecasts.npz: origins (O,), horizons (H,), points and errors (R, O, H, c) of c columns, the
    values less the points and NaN where there is no value, and for a model with distributions means, nll and crps, each
    (R, O, H, c). A series of several columns has their names `columns` and their `deviations` on train, each (c,).

    Raises InputError where the file is damaged.
    """
    arrays = read_arrays(path)
    if missing := [name for name in ("origins", "horizons", "points", "errors") if name not in arrays]:
        raise damaged(path, f"it has no {missing[0]}")
    if "columns" in arrays:
        return arrays
    return {name: array[..., None] if name in COLUMN_ARRAYS else array for name, array in arrays.items()}
