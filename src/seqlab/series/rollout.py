"""Roll-out of one-step models over several steps: predictions, or values drawn from them, become inputs.

O is the number of origins (the last known times), R that of replicas, M that of trajectories, K that of steps, d that
of columns, the components of a value. A model has a state for each row; a row is an origin, or a trajectory from an
origin. Models predict all columns, also the exogenous ones, of which only values up to the origin are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ORIGINS_AT_ONCE = 64  # origins whose trajectories are drawn together: their states fit into the cache of a processor

Array = NDArray[np.float64]


class Forecaster(Protocol):
    """A Gaussian model of P(x_t | x_1 .. x_{t-1}) for scaled values, vectors of d columns."""

    @property
    def seeds(self) -> list[int | None]:
        """The seed of each replica; [None] for a model without seeds."""

    def start(self, values: Array, origins: NDArray[np.int64]) -> Any:
        """Return the state after `values`, (T, d), up to each of the `origins`, (O,), included: R replicas, O rows."""

    def predict(self, state: Any) -> tuple[Array, Array]:
        """Return mean and standard deviation of the next value, each (R, rows, d)."""

    def correlate(self, noise: Array) -> Array:
        """Return `noise`, independent standard normal values (R, rows, d), with the correlation of the columns given
        the values before.
        """

    def advance(self, state: Any, values: Array) -> Any:
        """Return the state after one more value for each row, `values` (R, rows, d)."""

    def repeat(self, state: Any, times: int) -> Any:
        """Return the state with each row repeated `times` times, as neighbours."""


@dataclass(frozen=True)
class Mixture:
    """The predictive distribution of each value of a column: M Gaussians of equal weight; `means` and `deviations` are
    (R, O, H, M), H the number of horizons.
    """

    means: Array
    deviations: Array


def roll_out(model: Forecaster, values: Array, origins: NDArray[np.int64], steps: int) -> Array:
    """Predict each of `steps` steps after each origin, (R, O, K, d), from the predictions before it.

    Module Eq. (2), with predictions in place of unknown values.
    """
    state = model.start(values, origins)
    predictions = []
    for _ in range(steps):
        mean, _ = model.predict(state)
        predictions.append(mean)
        state = model.advance(state, mean)
    return np.stack(predictions, axis=2)


def draw_trajectories(
    model: Forecaster, values: Array, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> tuple[Array, Array, Array]:
    """Draw `count` trajectories from each origin, with the predictions of step k for each k of `horizons`.

    Returns `sums`, `means` and `deviations`, each (R, O, H, M, d): the sum of the k - 1 values drawn, and mean and
    standard deviation of the k-th given those. The mean over trajectories of that Gaussian density is an unbiased
    estimate of P(x_{o+k} | x_1 .. x_o), which marginalises over the values between. The draws depend on the seed of the
    replica and the origin alone.
    """
    chunks = [
        _trajectories(model, values, origins[first : first + ORIGINS_AT_ONCE], horizons, count)
        for first in range(0, len(origins), ORIGINS_AT_ONCE)
    ]
    sums, means, deviations = (np.concatenate(parts, axis=1) for parts in zip(*chunks, strict=True))
    return sums, means, deviations


def _trajectories(
    model: Forecaster, values: Array, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> tuple[Array, Array, Array]:
    longest, replicas, columns = max(horizons), len(model.seeds), values.shape[1]
    noise = np.stack(
        [
            [
                np.random.default_rng([seed or 0, origin]).standard_normal((longest, count, columns))
                for origin in origins.tolist()
            ]
            for seed in model.seeds
        ]
    )
    state = model.repeat(model.start(values, origins), count)
    summed = np.zeros((replicas, len(origins) * count, columns))
    steps = []
    for step in range(1, longest + 1):
        mean, deviation = model.predict(state)
        if step in horizons:
            steps.append((summed.copy(), mean, deviation))
        drawn = mean + deviation * model.correlate(noise[:, :, step - 1].reshape(replicas, -1, columns))
        state = model.advance(state, drawn)
        summed += drawn
    shape = replicas, len(origins), count, columns
    sums, means, deviations = (
        np.stack([part.reshape(shape) for part in parts], axis=2) for parts in zip(*steps, strict=True)
    )
    return sums, means, deviations
