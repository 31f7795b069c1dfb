"""Autoregression AR(tau) by least squares, and the choice of its order."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtri

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, write_json
from seqlab.ledger.selection import rank_candidates
from seqlab.ledger.statistics import compare_bits
from seqlab.series.rollout import Array
from seqlab.series.scores import ROUNDING_SHARE

ORDER_COLUMNS = ("order", "valid_rmse", "partial_autocorrelation", "band", "difference", "low", "high", "chosen")


def lag_windows(values: Array, order: int) -> Array:
    """Return the `order` values before each of `values`, (T, d), the latest first: the columns of x_{t-1}, then those
    of x_{t-2} and so on, for t = order to T - 1; (T - order, order d).
    """
    windows = np.lib.stride_tricks.sliding_window_view(values[:-1], order, axis=0)  # (T - order, d, order)
    return windows[:, :, ::-1].swapaxes(1, 2).reshape(len(windows), -1)


@dataclass(frozen=True, eq=False)
class Autoregression:
    """x_t = c + A_1 x_{t-1} + .. + A_tau x_{t-tau} + e_t, module Eq. (2), for vectors x_t of d columns.

    `intercept` is c, (d,), and `coefficients` the matrices A, (tau, d, d); the Gaussian e_t has the standard deviation
    `deviation`, (d,), and the `correlation`, (d, d). For a single column it is the scalar autoregression, for several
    the vector autoregression of Lütkepohl 2005, *New Introduction to Multiple Time Series Analysis*, chapter 3.
    """

    intercept: Array
    coefficients: Array
    deviation: Array
    correlation: Array

    @property
    def order(self) -> int:
        """The order tau."""
        return len(self.coefficients)

    @classmethod
    def fit(cls, values: Array, order: int) -> "Autoregression":
        """Fit `values`, (T, d), by least squares given the first `order` of them (conditional maximum likelihood).

        The covariance of e_t is the sum of products by the degrees of freedom, T - order - d order - 1; a variance
        within rounding counts as zero, and forecasts of its column are points.
        """
        inputs = np.column_stack([np.ones(len(values) - order), lag_windows(values, order)])
        targets, columns = values[order:], values.shape[1]
        solution: NDArray[Any] = np.linalg.lstsq(inputs, targets, rcond=None)[0]
        residuals = targets - inputs @ solution
        freedom = len(targets) - columns * order - 1
        if freedom < columns:
            raise InputError(f"{len(values)} values are too few for an autoregression of order {order}; lower it")
        deviation: Array = np.sqrt(np.array([column @ column for column in residuals.T]) / freedom)
        deviation[deviation <= ROUNDING_SHARE * np.abs(targets).max(0)] = 0.0
        coefficients = solution[1:].reshape(order, columns, columns).swapaxes(1, 2)
        return cls(solution[0], coefficients, deviation, _correlate_columns(residuals, deviation))

    @property
    def parameters(self) -> int:
        """The number of coefficients, intercepts, variances and covariances."""
        columns = len(self.intercept)
        return self.coefficients.size + columns + columns * (columns + 1) // 2

    @property
    def seeds(self) -> list[int | None]:
        """The seed None of the single replica."""
        return [None]

    def start(self, values: Array, origins: NDArray[np.int64]) -> Array:
        """Return the last `order` values at each origin, the latest first: (1, O, order, d)."""
        return values[origins[:, None] - np.arange(self.order)][None]

    def predict(self, state: Array) -> tuple[Array, Array]:
        """Return the linear function of the window, and the constant deviation."""
        weights = self.coefficients.swapaxes(1, 2).reshape(-1, len(self.intercept))
        mean: Array = self.intercept + state.reshape(*state.shape[:2], -1) @ weights
        return mean, np.broadcast_to(self.deviation, mean.shape).copy()

    def correlate(self, noise: Array) -> Array:
        """Return `noise` with the correlation of e_t, by its symmetric square root."""
        variances, axes = np.linalg.eigh(self.correlation)
        root = axes * np.sqrt(np.maximum(variances, 0.0)) @ axes.T
        return noise @ root

    def advance(self, state: Array, values: Array) -> Array:
        """Return the window shifted by one value."""
        return np.concatenate([values[..., None, :], state[..., :-1, :]], axis=-2)

    def repeat(self, state: Array, times: int) -> Array:
        """Repeat each window `times` times."""
        return np.repeat(state, times, axis=1)

    def save(self, path: str | Path) -> None:
        """Write the coefficients as JSON; they belong to scaled values. Those of a single column are numbers."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        if len(self.intercept) == 1:
            del content["correlation"]
            content |= {"intercept": self.intercept[0], "deviation": self.deviation[0]}
            content["coefficients"] = self.coefficients.ravel()
        write_json(path, {name: value.tolist() for name, value in content.items()})

    @classmethod
    def load(cls, path: str | Path) -> "Autoregression":
        """Read a model that `save` wrote; InputError where it is damaged."""
        content = read_json(path)
        try:
            arrays = {name: np.array(value, dtype=np.float64) for name, value in content.items()}
            columns = arrays["intercept"].size
            return cls(
                arrays["intercept"].reshape(columns),
                arrays["coefficients"].reshape(-1, columns, columns),
                arrays["deviation"].reshape(columns),
                arrays.get("correlation", np.eye(1)).reshape(columns, columns),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise damaged(path, error) from None


def _correlate_columns(residuals: Array, deviation: Array) -> Array:
    """Return the correlation of the columns of `residuals`, (n, d), 0 where a `deviation` is zero: (d, d)."""
    norms = np.sqrt((residuals**2).sum(0))
    scaled = np.where(deviation > 0, residuals / np.where(norms > 0, norms, 1.0), 0.0)
    correlation: Array = scaled.T @ scaled
    np.fill_diagonal(correlation, 1.0)
    return correlation


def try_orders(
    values: Array, train: tuple[int, int], valid: tuple[int, int], highest: int, scored: int = 1
) -> pd.DataFrame:
    """Fit AR(1) to AR(`highest`) on `values`, (T, d), in the range `train`, and score one step ahead on those in
    `valid`.

    A row for each order: `order`, `valid_rmse` (scaled) over the first `scored` columns, the others being exogenous,
    `partial_autocorrelation`, `band`, which holds 95 % of these if the true one is zero, `difference`, the excess of
    the mean squared error over that of the best order, its 95 % interval `low` to `high`, empty where valid has too few
    values, and `chosen`, true for the lowest valid_rmse.

    The partial autocorrelation of a single column is the last coefficient of AR(order), with the band of Quenouille
    1949. Of several columns it is the vector correlation of x_t and x_{t-order} given the values between (see
    `_vector_correlation`), which is not negative.
    """
    if highest < 1:
        raise InputError(f"forecast.max_order is {highest}; it must be at least 1")
    rows, errors = [], []
    learnt, targets = values[slice(*train)], values[slice(*valid)][:, :scored]
    rounding = ROUNDING_SHARE * np.abs(values[:, :scored]).max(0)
    for order in range(1, highest + 1):
        model = Autoregression.fit(learnt, order)
        mean, _ = model.predict(model.start(values, np.arange(valid[0] - 1, valid[1] - 1)))
        error = targets - mean[0, :, :scored]
        errors.append((np.where(np.abs(error) > rounding, error, 0.0) ** 2).mean(1))
        if values.shape[1] == 1:
            last, band = model.coefficients[-1, 0, 0], 1.96 / np.sqrt(len(learnt))
        else:
            last, band = _vector_correlation(learnt, order)
        rows.append((order, float(np.sqrt(errors[-1].mean())), last, band))
    table = pd.DataFrame(rows, columns=ORDER_COLUMNS[:4])
    best = rank_candidates(range(len(table)), lambda place: (table["valid_rmse"][place], str(place + 1)))[0]
    intervals = [_interval(error, errors[best]) for error in errors]
    table[["difference", "low", "high"]] = intervals
    table["chosen"] = table.index == best
    return table


def _vector_correlation(values: Array, order: int) -> tuple[float, float]:
    """Return the vector correlation of x_t and x_{t-order} given the values between, for `values` (T, d), and the bound
    that holds 95 % of it if order - 1 suffices.

    It is sqrt(1 - U) with the ratio U of the determinants of the residual covariances of AR(order) and AR(order - 1),
    which for one column is the absolute partial autocorrelation. -(N - 1/2 - d order) ln U is chi-squared with d^2
    degrees of freedom, N = T - order - 1 (Tiao & Box 1981, "Modeling multiple time series with applications", 3.2). It
    may be NaN where a fit is perfect.
    """
    columns = values.shape[1]
    inputs = np.column_stack([np.ones(len(values) - order), lag_windows(values, order), values[order:]])
    triangle: NDArray[Any] = np.array(np.linalg.qr(inputs, mode="r"))
    remainder = triangle[-2 * columns :, -columns:]  # of x_t, given the values between
    _, between = np.linalg.slogdet(remainder.T @ remainder)
    _, whole = np.linalg.slogdet(remainder[columns:].T @ remainder[columns:])
    bound = chdtri(columns**2, 0.05) / (len(values) - order - 1.5 - columns * order)
    with np.errstate(invalid="ignore"):
        share = np.maximum(-np.expm1(whole - between), 0.0)  # 1 - U, without rounding below zero
    return float(np.sqrt(share)), float(np.sqrt(-np.expm1(-bound)))


def _interval(errors: Array, best: Array) -> tuple[float, float, float]:
    difference = float((errors - best).mean())
    try:
        comparison = compare_bits(errors[None], best[None])
    except ValueError:  # too few values
        return difference, np.nan, np.nan
    return difference, comparison.low, comparison.high


def sufficient_order(table: pd.DataFrame) -> int:
    """Return the lowest order whose mean squared error on valid is not distinguishable from that of the best order, in
    the rows of `try_orders`.
    """
    enough = ~(table["low"] > 0) & ~(table["low"].isna() & (table["difference"] > 0))
    return int(table.loc[enough, "order"].iloc[0])
