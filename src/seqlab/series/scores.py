"""Scores of point and distribution forecasts, with confidence intervals.

Every score is a mean of a loss over origins, which has a standard error; RMSE is the root of one.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from seqlab.ledger.statistics import choose_block_length, combine_variances, estimate_block_variance
from seqlab.series.rollout import Array, Mixture

CENTRAL_SHARE = 0.9  # the expected share of values in the central interval
FEWEST_ORIGIN_BLOCKS = 3  # of independent errors, fewer do not determine their spread
ROUNDING_SHARE = 1e-12  # of the size of the values, below which an error is rounding
PAIRS_AT_ONCE = 50_000_000  # pairs of components with distances in memory


def naive_error(train: Array) -> float:
    """The scale of MASE: the mean absolute error, on train, of forecasting each value by the one before it.

    Hyndman & Koehler 2006, "Another look at measures of forecast accuracy", section 3; `train` (n,) as measured. One
    number for a series, so MASE divides the MAE of each horizon by the same error of one step: it is below 1 where a
    forecast is better, on average, than persistence was one step ahead on train.
    """
    return float(np.abs(np.diff(train)).mean())


def negative_log_likelihood(mixture: Mixture, values: Array) -> Array:
    """-ln p(x), in nats, of each of `values`, (O, H), under its mixture of Gaussians: (R, O, H).

    NaN where a Gaussian is a point, which has no density.
    """
    points, deviations = _points(mixture.deviations)
    standard = (values[..., None] - mixture.means) / deviations
    density = -0.5 * standard**2 - np.log(deviations) - 0.5 * math.log(2 * math.pi)
    cost: Array = math.log(mixture.means.shape[-1]) - logsumexp(density, axis=-1)
    return cost if points is None else np.where(points.any(-1), math.nan, cost)


def _points(deviations: Array) -> tuple[NDArray[np.bool_] | None, Array]:
    """Return a mask of the Gaussians that are points, None where none is, and non-zero deviations."""
    points = deviations == 0
    return (points, np.where(points, 1.0, deviations)) if points.any() else (None, deviations)


def crps(mixture: Mixture, values: Array) -> Array:
    """The continuous ranked probability score of each of `values`, (O, H), in their unit, lower is better: (R, O, H).

    E|X - x| - E|X - X'| / 2 with X and X' independent from the forecast (Gneiting & Raftery 2007, "Strictly proper
    scoring rules, prediction, and estimation", Eq. 21, with the opposite sign), exactly for a mixture of Gaussians
    (Grimit, Gneiting, Berrocal & Johnson 2006, Eq. 5 and 6), which for one component is their closed form of the
    normal distribution. Of a forecast that is a point the score is its absolute error.
    """
    means, deviations = mixture.means, mixture.deviations
    from_value = _absolute_mean(values[..., None] - means, deviations).mean(-1)
    among = np.empty(means.shape[:-1])
    flat = among.reshape(-1)
    rows_m, rows_d = (part.reshape(-1, part.shape[-1]) for part in (means, deviations))
    chunk = max(1, PAIRS_AT_ONCE // rows_m.shape[-1] ** 2 // 8)
    for first in range(0, len(flat), chunk):
        m, d = (part[first : first + chunk] for part in (rows_m, rows_d))
        between = _absolute_mean(m[:, :, None] - m[:, None, :], np.hypot(d[:, :, None], d[:, None, :]))
        flat[first : first + chunk] = between.mean((-1, -2))
    score: Array = from_value - among / 2
    return score


def _absolute_mean(mean: Array, deviation: Array) -> Array:
    """E|Y| for Gaussian Y, which may be a point."""
    points, divisor = _points(deviation)
    standard = mean / divisor
    density = np.exp(-0.5 * standard**2) / math.sqrt(2 * math.pi)
    absolute: Array = 2 * deviation * density + mean * (2 * ndtr(standard) - 1)
    return absolute if points is None else np.where(points, np.abs(mean), absolute)


def probability_below(mixture: Mixture, values: Array) -> Array:
    """The probability integral transform: the forecast probability below `values`, (O, H): (R, O, H).

    Uniform from 0 to 1 for calibrated forecasts (Dawid 1984). Half of a point lies below it, and a point equals values
    that differ from it by rounding alone.
    """
    points, deviations = _points(mixture.deviations)
    errors = values[..., None] - mixture.means
    below = ndtr(errors / deviations)
    if points is not None:
        equal = np.abs(errors) <= ROUNDING_SHARE * np.nanmax(np.abs(values), initial=0.0)
        below = np.where(points, np.where(np.isnan(errors), math.nan, np.where(equal, 0.5, errors > 0)), below)
    probability: Array = below.mean(-1)
    return probability


def coverage(below: Array) -> Array:
    """Return whether each value lies in the central interval of 90 %, as 0 and 1."""
    return (np.abs(below - 0.5) <= CENTRAL_SHARE / 2).astype(np.float64)


@dataclass(frozen=True)
class MeanInterval:
    """A mean over origins and seeds with its 95 % interval; `low` and `high` are NaN where there is none."""

    mean: float
    low: float
    high: float


def estimate_mean(losses: Array, horizon: int) -> MeanInterval:
    """Estimate the mean of `losses`, (R, O), with its 95 % interval over other origins and other seeds.

    Forecasts `horizon` steps ahead from neighbouring origins share most of the values between, so their losses are
    correlated: the error from the origins is that of the circular block bootstrap (Politis & Romano 1992) in closed
    form, with blocks of at least `horizon`, and longer ones by the autocorrelation; that from the seeds is the error of
    the mean over replicas. Student's t, with the degrees of freedom of Satterthwaite 1946. With fewer than three blocks
    there is no interval.
    """
    mean = float(losses.mean())
    if not np.isfinite(losses).all():
        return MeanInterval(mean, math.nan, math.nan)
    values = losses.mean(0)
    origins = len(values)
    block = max(horizon, choose_block_length(values)) if origins >= 16 else horizon
    if origins < FEWEST_ORIGIN_BLOCKS * block:
        return MeanInterval(mean, math.nan, math.nan)
    sources = [(estimate_block_variance(values, block), origins / block - 1)]
    if len(losses) > 1:
        sources.append((float(losses.mean(1).var(ddof=1)) / len(losses), len(losses) - 1))
    _, _, wide = combine_variances(sources)
    return MeanInterval(mean, mean - wide, mean + wide)
