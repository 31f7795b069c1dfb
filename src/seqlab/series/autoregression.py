"""Autoregression AR(tau) by least squares, and the choice of its order."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, write_json
from seqlab.ledger.selection import rank_candidates
from seqlab.ledger.statistics import compare_bits
from seqlab.series.rollout import Array
from seqlab.series.scores import ROUNDING_SHARE

ORDER_COLUMNS = ("order", "valid_rmse", "partial_autocorrelation", "band", "difference", "low", "high", "chosen")


def lag_windows(values: Array, order: int) -> Array:
    """Return the `order` values before each value, the latest first: x_{t-1} .. x_{t-order} for t = order to T - 1."""
    lagged: Array = np.lib.stride_tricks.sliding_window_view(values[:-1], order)[:, ::-1]
    return lagged


@dataclass(frozen=True)
class Autoregression:
    """x_t = c + a_1 x_{t-1} + .. + a_tau x_{t-tau} + e_t, module Eq. (2), with Gaussian e_t of this deviation."""

    intercept: float
    coefficients: list[float]
    deviation: float

    @property
    def order(self) -> int:
        """The order tau."""
        return len(self.coefficients)

    @classmethod
    def fit(cls, values: Array, order: int) -> "Autoregression":
        """Fit `values`, (T,), by least squares given the first `order` of them (conditional maximum likelihood).

        The variance of e_t is the sum of squares by the degrees of freedom, T - 2 order - 1; a variance within rounding
        counts as zero, and forecasts are points.
        """
        inputs = np.column_stack([np.ones(len(values) - order), lag_windows(values, order)])
        targets = values[order:]
        solution, *_ = np.linalg.lstsq(inputs, targets, rcond=None)
        residuals = targets - inputs @ solution
        freedom = len(targets) - order - 1
        if freedom < 1:
            raise InputError(f"{len(values)} values are too few for an autoregression of order {order}; lower it")
        deviation = float(np.sqrt(residuals @ residuals / freedom))
        if deviation <= ROUNDING_SHARE * float(np.abs(targets).max()):
            deviation = 0.0
        return cls(float(solution[0]), solution[1:].tolist(), deviation)

    @property
    def parameters(self) -> int:
        """The number of coefficients, intercept and deviation."""
        return self.order + 2

    @property
    def seeds(self) -> list[int | None]:
        """The seed None of the single replica."""
        return [None]

    def start(self, values: Array, origins: NDArray[np.int64]) -> Array:
        """Return the last `order` values at each origin, the latest first: (1, O, order)."""
        return values[origins[:, None] - np.arange(self.order)][None]

    def predict(self, state: Array) -> tuple[Array, Array]:
        """Return the linear function of the window, and the constant deviation."""
        mean: Array = self.intercept + state @ np.array(self.coefficients)
        return mean, np.full_like(mean, self.deviation)

    def advance(self, state: Array, values: Array) -> Array:
        """Return the window shifted by one value."""
        return np.concatenate([values[..., None], state[..., :-1]], axis=-1)

    def repeat(self, state: Array, times: int) -> Array:
        """Repeat each window `times` times."""
        return np.repeat(state, times, axis=1)

    def save(self, path: str | Path) -> None:
        """Write the coefficients as JSON; they belong to scaled values."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> "Autoregression":
        """Read a model that `save` wrote; InputError where it is damaged."""
        content = read_json(path)
        try:
            return cls(float(content["intercept"]), [*map(float, content["coefficients"])], float(content["deviation"]))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, error) from None


def try_orders(values: Array, train: tuple[int, int], valid: tuple[int, int], highest: int) -> pd.DataFrame:
    """Fit AR(1) to AR(`highest`) on the values in the range `train`, and score one step ahead on those in `valid`.

    A row for each order: `order`, `valid_rmse` (scaled), `partial_autocorrelation`, the last coefficient of AR(order),
    `band`, which holds 95 % of these if the true one is zero (Quenouille 1949), `difference`, the excess of the mean
    squared error over that of the best order, its 95 % interval `low` to `high`, empty where valid has too few values,
    and `chosen`, true for the lowest valid_rmse.
    """
    if highest < 1:
        raise InputError(f"forecast.max_order is {highest}; it must be at least 1")
    rows, errors = [], []
    for order in range(1, highest + 1):
        model = Autoregression.fit(values[slice(*train)], order)
        mean, _ = model.predict(model.start(values, np.arange(valid[0] - 1, valid[1] - 1)))
        error = values[slice(*valid)] - mean[0]
        errors.append(np.where(np.abs(error) > ROUNDING_SHARE * np.abs(values).max(), error, 0.0) ** 2)
        rmse, last = float(np.sqrt(errors[-1].mean())), model.coefficients[-1]
        rows.append((order, rmse, last, 1.96 / np.sqrt(train[1] - train[0])))
    table = pd.DataFrame(rows, columns=ORDER_COLUMNS[:4])
    best = rank_candidates(range(len(table)), lambda place: (table["valid_rmse"][place], str(place + 1)))[0]
    intervals = [_interval(error, errors[best]) for error in errors]
    table[["difference", "low", "high"]] = intervals
    table["chosen"] = table.index == best
    return table


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
