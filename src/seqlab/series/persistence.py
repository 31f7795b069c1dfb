"""Persistence and seasonal persistence: forecasts by the last value or the last period."""

import numpy as np
from numpy.typing import NDArray


def persistence(values: NDArray[np.float64], origins: NDArray[np.int64], horizon: int) -> NDArray[np.float64]:
    """Forecast the last of `values`, (T, d), for each of the `horizon` steps after each of the `origins`, (O,):
    (1, O, K, d).
    """
    return np.repeat(values[origins][None, :, None], horizon, axis=2)


def seasonal_persistence(
    values: NDArray[np.float64], origins: NDArray[np.int64], horizon: int, period: int
) -> NDArray[np.float64]:
    """Forecast the last known value a whole number of periods before, of `values`, (T, d): (1, O, K, d).

    The forecast k steps ahead is the value `period` ceil(k / period) steps before it.
    """
    ahead = np.arange(1, horizon + 1)
    back = ahead - period * -(-ahead // period)  # from -period + 1 to 0
    return values[origins[:, None] + back][None]
