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
SIGNED_FIGURES = ("nll",)  # may be negative


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of a model from `origins`, (O,), at `horizons`, (H,), in the unit of the series.

    `points` are (R, O, H), by roll-out of point predictions; `mixture` holds the predictive distributions, or None.
    """

    origins: NDArray[np.int64]
    horizons: list[int]
    points: Array
    mixture: Mixture | None


def forecast_series(
    model: Forecaster, prepared: Prepared, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> Forecasts:
    """Roll `model` out from `origins`, once with its point predictions and `count` times with values drawn from it."""
    scale, scaled = prepared.scale, prepared.scaled
    last = prepared.values[origins]
    ahead = np.array(horizons)
    points = scale.path(last, roll_out(model, scaled, origins, max(horizons)))[..., ahead - 1]
    sums, means, deviations = draw_trajectories(model, scaled, origins, horizons, count)
    if scale.difference:
        drift = last[:, None, None] + ahead[:, None] * scale.mean
        means = drift + (sums + means) * scale.deviation
    else:
        means = scale.mean + means * scale.deviation
    return Forecasts(origins, list(horizons), points, Mixture(means, deviations * scale.deviation))


def forecast_points(
    paths: Callable[[Array, NDArray[np.int64], int], Array],
    prepared: Prepared,
    origins: NDArray[np.int64],
    horizons: Sequence[int],
) -> Forecasts:
    """Forecast with a model of points alone: `paths` of values, origins and steps is (1, O, K)."""
    points = paths(prepared.values, origins, max(horizons))
    return Forecasts(origins, list(horizons), points[..., np.array(horizons) - 1], None)


def compute_losses(forecasts: Forecasts, prepared: Prepared, stop: int) -> dict[str, Array]:
    """Compute the cost of each forecast under each figure, (R, O, H); NaN where the target is not before `stop`.

    Costs of ROOT_FIGURES are squares; `forecast`, `trajectory`, the mean of trajectories, and `value` serve the
    spreads.
    """
    targets = forecasts.origins[:, None] + np.array(forecasts.horizons)
    values = np.where(targets < stop, prepared.values[np.minimum(targets, stop - 1)], np.nan)
    errors = forecasts.points - values
    start, end = prepared.splits["train"]
    costs = {"rmse": errors**2, "mae": np.abs(errors)}
    costs["mase"] = costs["mae"] / naive_error(prepared.values[start:end])
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


def record_forecasts(
    folder: Path,
    prepared: Prepared,
    forecasts_of: dict[str, Forecasts],
    seeds: Sequence[int | None],
    training: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write forecasts.npz and metrics.json (contracts in docs/files.md) into the `folder` of a run.

    `forecasts_of` holds the forecasts of valid and test, `training` the content of training.json of a trained model,
    and `more` further keys of metrics.json.
    """
    card, training = read_card(folder / "card.yaml"), training or {"seconds": 0.0, "parameters": 0, "notes": []}
    scores: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for split, forecasts in forecasts_of.items():
        costs = compute_losses(forecasts, prepared, prepared.splits[split][1])
        rows, averages = forecast_score_rows(split, forecasts, costs, seeds)
        scores, means = scores + rows, means + averages
        if split == "test":
            arrays = {
                "origins": forecasts.origins,
                "horizons": np.array(forecasts.horizons),
                "points": forecasts.points,
            }
            arrays["errors"] = costs["value"] - costs["forecast"]
            arrays |= {name: costs[name] for name in ("nll", "crps") if name in costs}
            if forecasts.mixture:
                arrays["means"] = forecasts.mixture.means.mean(-1)
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
        metrics[rows] = [
            {
                name: math.inf if value == "inf" else math.nan if value is None and name != "seed" else value
                for name, value in row.items()
            }
            for row in metrics[rows]
        ]
    return metrics


def read_forecast_ledger(run: Run) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the metrics of `run` and the arrays of its forecasts.npz, as `read_forecasts` does.

    Raises InputError where a file is damaged, or the metrics are those of other forecasts.
    """
    metrics, forecasts = read_forecast_metrics(run.file("metrics.json")), run.file("forecasts.npz")
    if read_digest(forecasts) != metrics["forecasts_sha256"]:
        raise damaged(forecasts, "its SHA-256 is not that in metrics.json beside it")
    return metrics, read_forecasts(forecasts)


def read_forecasts(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of forecasts.npz: origins (O,), horizons (H,), points and errors (R, O, H), the values less the
    points and NaN where there is no value, and for a model with distributions means, nll and crps, each (R, O, H).

    Raises InputError where the file is damaged.
    """
    arrays = read_arrays(path)
    if missing := [name for name in ("origins", "horizons", "points", "errors") if name not in arrays]:
        raise damaged(path, f"it has no {missing[0]}")
    return arrays
