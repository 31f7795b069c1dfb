"""Several steps ahead with a model of one step: its own predictions, or values drawn from it, become its inputs.

O is the number of origins (the last times known), R that of replicas, M that of trajectories, K that of steps. A model
that is rolled out has a state for each row; a row is an origin, or a trajectory from an origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

CHUNK = 64  # origins whose trajectories are drawn at once: what their states take stays in the processor's cache

Array = NDArray[np.float64]


class Forecaster(Protocol):
    """A model of P(x_t | what came before), Gaussian, for scaled values."""

    @property
    def seeds(self) -> list[int | None]:
        """The seed of each replica; [None] for a model that has none."""

    def start(self, values: Array, origins: NDArray[np.int64]) -> Any:
        """The state after the `values`, (T,), up to and including each of the `origins`, (O,): R replicas, O rows."""

    def predict(self, state: Any) -> tuple[Array, Array]:
        """Mean and standard deviation of the next value, each (R, rows)."""

    def advance(self, state: Any, values: Array) -> Any:
        """The state after one more value for each row, `values` (R, rows)."""

    def repeat(self, state: Any, times: int) -> Any:
        """The state with each row `times` times, one beside the other."""


@dataclass(frozen=True)
class Mixture:
    """The predictive distribution of each value: M Gaussians of equal weight; `means` and `deviations` are
    (R, O, H, M), H the number of horizons.
    """

    means: Array
    deviations: Array


def roll_out(model: Forecaster, values: Array, origins: NDArray[np.int64], steps: int) -> Array:
    """The predictions of each of `steps` steps after each origin, (R, O, K), each made from the ones before it.

    Module Eq. (2), with predictions in the place of values that are not known yet.
    """
    state = model.start(values, origins)
    made = []
    for _ in range(steps):
        mean, _ = model.predict(state)
        made.append(mean)
        state = model.advance(state, mean)
    return np.stack(made, axis=-1)


def trajectories(
    model: Forecaster, values: Array, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> tuple[Array, Array, Array]:
    """`count` trajectories drawn from each origin: what lies k - 1 steps ahead in each, summed and alone, and what the
    model says of the step k, for each k of `horizons`.

    Returns `sums`, `means` and `deviations`, each (R, O, H, M): the sum of the k - 1 values drawn, and mean and
    standard deviation of the k-th given those. The mean over trajectories of that Gaussian density is an unbiased
    estimate of P(x_{o+k} | x_1 .. x_o), which marginalises over all that lies between. What is drawn depends on the
    seed of the replica and the origin alone.
    """
    found = [
        _trajectories(model, values, origins[first : first + CHUNK], horizons, count)
        for first in range(0, len(origins), CHUNK)
    ]
    sums, means, deviations = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return sums, means, deviations


def _trajectories(
    model: Forecaster, values: Array, origins: NDArray[np.int64], horizons: Sequence[int], count: int
) -> tuple[Array, Array, Array]:
    longest, replicas = max(horizons), len(model.seeds)
    noise = np.stack([
        [np.random.default_rng([seed or 0, origin]).standard_normal((longest, count)) for origin in origins.tolist()]
        for seed in model.seeds
    ])  # fmt: skip
    state = model.repeat(model.start(values, origins), count)
    summed = np.zeros((replicas, len(origins) * count))
    kept = []
    for step in range(1, longest + 1):
        mean, deviation = model.predict(state)
        if step in horizons:
            kept.append((summed.copy(), mean, deviation))
        drawn = mean + deviation * noise[:, :, step - 1].reshape(replicas, -1)
        state = model.advance(state, drawn)
        summed += drawn
    shape = replicas, len(origins), count
    sums, means, deviations = (
        np.stack([part.reshape(shape) for part in parts], axis=2) for parts in zip(*kept, strict=True)
    )
    return sums, means, deviations
