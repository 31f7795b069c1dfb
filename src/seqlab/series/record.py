"""Entering a model into the record: its forecasts from every origin of test, and the figures that follow from them."""

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
from seqlab.series.rollout import Array, Forecaster, Mixture, roll_out, trajectories
from seqlab.series.scores import covered, crps, interval, naive_error, negative_log_likelihood, probability_below
from seqlab.series.splits import Prepared

POINTS = ("rmse", "mae", "mase", "spread")  # of the roll-out of point predictions
# of trajectories; a model without a distribution has none
SAMPLED = ("trajectory_rmse", "nll", "crps", "coverage", "trajectory_spread")
FIGURES = (*POINTS, *SAMPLED)
ROOTS = ("rmse", "trajectory_rmse")  # roots of means
SPREADS = {"spread": "forecast", "trajectory_spread": "trajectory"}  # of what over origins; without intervals
ANY = ("nll",)  # may be negative


@dataclass(frozen=True)
class Forecasts:
    """What a model forecasts from `origins`, (O,), at `horizons`, (H,), in the unit of the series.

    `points` are (R, O, H), by roll-out of point predictions; `mixture` holds the predictive distributions, None for a
    model that has none.
    """

    origins: NDArray[np.int64]
    horizons: list[int]
    points: Array
    mixture: Mixture | None


def forecast(
    model: Forecaster, prepared: Prepared, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> Forecasts:
    """Roll `model` out from `origins`, once with its point predictions and `count` times with values drawn from it."""
    scale, scaled = prepared.scale, prepared.scaled
    last = prepared.values[origins]
    ahead = np.array(horizons)
    points = scale.path(last, roll_out(model, scaled, origins, max(horizons)))[..., ahead - 1]
    sums, means, deviations = trajectories(model, scaled, origins, horizons, count)
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
    """The same for a model that gives points alone: `paths` of values, origins and steps is (1, O, K)."""
    points = paths(prepared.values, origins, max(horizons))
    return Forecasts(origins, list(horizons), points[..., np.array(horizons) - 1], None)


def losses(made: Forecasts, prepared: Prepared, stop: int) -> dict[str, Array]:
    """What each forecast costs under each figure, (R, O, H); NaN where the target is not before `stop`.

    Of ROOTS these are the squares, and `forecast`, `trajectory`, the mean of trajectories, and `value` themselves stand
    beside them for the spreads.
    """
    targets = made.origins[:, None] + np.array(made.horizons)
    values = np.where(targets < stop, prepared.values[np.minimum(targets, stop - 1)], np.nan)
    errors = made.points - values
    start, end = prepared.splits["train"]
    found = {"rmse": errors**2, "mae": np.abs(errors)}
    found["mase"] = found["mae"] / naive_error(prepared.values[start:end])
    found |= {
        "forecast": np.where(np.isnan(errors), np.nan, made.points),
        "value": np.broadcast_to(values, errors.shape),
    }
    if made.mixture:
        below = probability_below(made.mixture, values)
        found["trajectory"] = np.where(np.isnan(errors), np.nan, made.mixture.means.mean(-1))
        found["trajectory_rmse"] = (found["trajectory"] - values) ** 2
        found["nll"] = negative_log_likelihood(made.mixture, values)
        found["crps"] = crps(made.mixture, values)
        found["coverage"] = np.where(np.isnan(below), np.nan, covered(below))
    return found


def score_rows(
    split: str, made: Forecasts, found: dict[str, Array], seeds: Sequence[int | None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of `scores`, one for each seed and horizon, and those of `means`, one for each horizon, with intervals.

    `spread` is the standard deviation of the forecasts over origins by that of what they forecast: 1 for forecasts that
    move as much as the series, 0 for those that have collapsed to their mean; `trajectory_spread` is that of the means
    of trajectories.
    """
    scores, means = [], []
    for place, horizon in enumerate(made.horizons):
        counted = ~np.isnan(found["value"][0, :, place])
        at = {name: loss[:, counted, place] for name, loss in found.items()}
        head: dict[str, Any] = {"split": split, "horizon": horizon, "origins": int(counted.sum())}
        if not head["origins"]:
            continue
        spreads = {name: _spreads(at[of], at["value"]) for name, of in SPREADS.items() if of in at}
        for replica, seed in enumerate(seeds):
            own = {name: _figure(name, float(at[name][replica].mean())) for name in FIGURES if name in at}
            own |= {name: float(spread[replica]) for name, spread in spreads.items()}
            scores.append({"seed": seed} | head | own)
        row = dict(head)
        for name in FIGURES:
            if name in at:
                told = interval(at[name], horizon)
                row[name] = _figure(name, told.mean)
                row |= {f"{name}_low": _figure(name, told.low), f"{name}_high": _figure(name, told.high)}
        means.append(row | {name: float(spread.mean()) for name, spread in spreads.items()})
    return scores, means


def _spreads(forecasts: Array, values: Array) -> Array:
    """Deviation over origins of `forecasts` by that of `values`, both (R, O): (R,), NaN for a single origin and for
    values that do not change.
    """
    if forecasts.shape[1] < 2 or not np.ptp(values) > 0:
        return np.full(len(forecasts), np.nan)
    found: Array = forecasts.std(1) / values.std(1)
    return found


def _figure(name: str, value: float) -> float:
    """The figure that the mean of its losses makes, or a bound of its interval, which can't be negative either."""
    possible = value if name in ANY or math.isnan(value) else max(value, 0.0)
    return math.sqrt(possible) if name in ROOTS else possible


def record(
    folder: Path,
    prepared: Prepared,
    made: dict[str, Forecasts],
    seeds: Sequence[int | None],
    training: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write forecasts.npz and metrics.json (contracts in docs/files.md) into the `folder` of a run.

    `made` holds the forecasts of valid and test; `training` is the content of training.json where there was a training,
    and `more` are further keys of metrics.json.
    """
    card, training = read_card(folder / "card.yaml"), training or {"seconds": 0.0, "parameters": 0, "notes": []}
    scores: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for split, forecasts in made.items():
        found = losses(forecasts, prepared, prepared.splits[split][1])
        rows, averages = score_rows(split, forecasts, found, seeds)
        scores, means = scores + rows, means + averages
        if split == "test":
            arrays = {
                "origins": forecasts.origins,
                "horizons": np.array(forecasts.horizons),
                "points": forecasts.points,
            }
            arrays["errors"] = found["value"] - found["forecast"]
            arrays |= {name: found[name] for name in ("nll", "crps") if name in found}
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
    write_json(folder / "metrics.json", metrics | more)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row for JSON: what can't be told is null, and an infinity is named."""
    return {
        name: (None if math.isnan(value) else "inf" if math.isinf(value) else value)
        if isinstance(value, float)
        else value
        for name, value in row.items()
    }


def read_forecast_metrics(path: str | Path) -> dict[str, Any]:
    """What `record` wrote as metrics.json, with "inf" and null as floats again; InputError where it is something
    else.
    """
    metrics = read_json(path, "series_metrics")
    for rows in ("scores", "means"):
        metrics[rows] = [
            {name: math.inf if value == "inf" else math.nan if value is None and name != "seed" else value
             for name, value in row.items()}
            for row in metrics[rows]
        ]  # fmt: skip
    return metrics


def read_forecast_ledger(run: Run) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The metrics of `run` and the arrays of its forecasts.npz, as `read_forecasts` gives them.

    Raises InputError where a file is damaged, or the forecasts are not those that the metrics were made of.
    """
    metrics, forecasts = read_forecast_metrics(run.file("metrics.json")), run.file("forecasts.npz")
    if read_digest(forecasts) != metrics["forecasts_sha256"]:
        raise damaged(forecasts, "its SHA-256 is not that in metrics.json beside it")
    return metrics, read_forecasts(forecasts)


def read_forecasts(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays of forecasts.npz: origins (O,), horizons (H,), points and errors (R, O, H), the values less the points
    and NaN where there is no value, and for a model with distributions means, nll and crps, each (R, O, H).

    Raises InputError where the file is damaged.
    """
    arrays = read_arrays(path)
    if missing := [name for name in ("origins", "horizons", "points", "errors") if name not in arrays]:
        raise damaged(path, f"it has no {missing[0]}")
    return arrays
