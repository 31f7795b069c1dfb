"""Forecasting networks as models for roll-outs, with numpy arrays in double precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.cells import State
from seqlab.fleet.checkpoint import load_stack
from seqlab.fleet.stack import Parameters
from seqlab.series.network import ForecastNetwork, gaussian_of
from seqlab.series.rollout import Array


@dataclass(frozen=True)
class SeriesReading:
    """State of a fleet after series: their last values, `windows` (R, rows, tau, d), the latest first, the state of
    every layer, and the outputs of the last layer, `hidden` (R, rows, h).
    """

    windows: Array
    state: list[State]
    hidden: Tensor


class NetworkForecaster:
    """Networks of a fleet, a replica for each of `seeds`; see `seqlab.series.rollout.Forecaster`."""

    def __init__(self, network: ForecastNetwork, parameters: Parameters, seeds: Sequence[int]) -> None:
        self.network, self.seeds = network, list[int | None](seeds)
        self.parameters = {name: value.double() for name, value in parameters.items()}

    @classmethod
    def load(cls, folder: str | Path) -> "NetworkForecaster":
        """Load the networks in the folder of a run."""
        return cls(*load_stack(folder, ForecastNetwork))

    def start(self, values: Array, origins: NDArray[np.int64]) -> SeriesReading:
        """Read `values`, (T, d), up to each of the rising `origins`, (O,): O rows."""
        if not self.network.is_recurrent:
            windows = self._windows(values, origins[None])
            return self._read(windows, self.network.zero_state(self.parameters, len(origins)))
        state, done, readings = (
            self.network.zero_state(self.parameters, 1),
            self.network.window - 1,
            list[SeriesReading](),
        )
        for origin in origins.tolist():
            places = np.arange(done, origin + 1)[:, None]
            readings.append(self._read(self._windows(values, places), state))
            state, done = readings[-1].state, origin + 1
        layers = zip(*(reading.state for reading in readings), strict=True)
        return SeriesReading(
            np.concatenate([reading.windows for reading in readings], axis=1),
            [tuple(torch.cat(parts, dim=1) for parts in zip(*layer, strict=True)) for layer in layers],
            torch.cat([reading.hidden for reading in readings], dim=1),
        )

    @torch.no_grad()
    def predict(self, state: SeriesReading) -> tuple[Array, Array]:
        """Return mean and deviation, (R, rows, d)."""
        outputs = self.network.outputs_from(self.parameters, state.hidden[None])[0]
        mean, logarithm = gaussian_of(outputs)
        return mean.numpy(), logarithm.exp().numpy()

    def correlate(self, noise: Array) -> Array:
        """Return `noise` itself: given the state the columns are independent."""
        return noise

    def advance(self, state: SeriesReading, values: Array) -> SeriesReading:
        """Read one more value for each row; `values` are (R, rows, d)."""
        return self._read(
            np.concatenate([values[..., None, :], state.windows[..., :-1, :]], axis=-2)[None], state.state
        )

    def repeat(self, state: SeriesReading, times: int) -> SeriesReading:
        """Repeat each row `times` times."""
        layers = [tuple(part.repeat_interleave(times, dim=1) for part in layer) for layer in state.state]
        windows = np.repeat(state.windows, times, axis=1)
        return SeriesReading(windows, layers, state.hidden.repeat_interleave(times, dim=1))

    def _windows(self, values: Array, places: NDArray[np.int64]) -> Array:
        """Return the windows of `values` at `places`, (n, rows): (n, R, rows, tau, d), equal for every replica."""
        windows = values[places[..., None] - np.arange(self.network.window)]
        return np.repeat(windows[:, None], len(self.seeds), axis=1)

    @torch.no_grad()
    def _read(self, windows: Array, state: list[State]) -> SeriesReading:
        """Read `windows`, (n, R, rows, tau, d)."""
        inputs = torch.from_numpy(np.ascontiguousarray(windows)).flatten(-2)
        hidden, after = self.network.run_layers(self.parameters, inputs, state)
        return SeriesReading(windows[-1], after, hidden[-1])
