"""Networks as models that can be rolled out: numbers in and out are those of numpy, in double precision."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.forecast.networks import Latent, Parameters, Perceptron, head, load_network
from seqlab.forecast.rollout import Array, Forecaster
from seqlab.rnn.cells import State


def load_forecaster(folder: str | Path) -> Forecaster:
    """The fleet of networks in `folder`."""
    network, parameters, seeds = load_network(folder)
    double = {name: value.double() for name, value in parameters.items()}
    kind = LatentForecaster if isinstance(network, Latent) else PerceptronForecaster
    return kind(network, double, seeds)


def _gaussian(parameters: Parameters, hidden: Tensor) -> tuple[Array, Array]:
    mean, logarithm = head(parameters, hidden)
    return mean.numpy(), logarithm.exp().numpy()


class PerceptronForecaster:
    """The state is the window, (R, rows, tau), the latest value first."""

    def __init__(self, network: Perceptron, parameters: Parameters, seeds: Sequence[int]) -> None:
        self.network, self.parameters, self.seeds = network, parameters, list[int | None](seeds)

    def start(self, values: Array, origins: NDArray[np.int64]) -> Array:
        """The last of `values`, (T,), at each of the `origins`, (O,): (R, O, tau), the same for every replica."""
        window = values[origins[:, None] - np.arange(self.network.window)]
        return np.repeat(window[None], len(self.seeds), axis=0)

    @torch.no_grad()
    def predict(self, state: Array) -> tuple[Array, Array]:
        """Mean and deviation, (R, rows)."""
        windows = torch.from_numpy(np.ascontiguousarray(state))
        mean, logarithm = self.network.forward(self.parameters, windows)
        return mean.numpy(), logarithm.exp().numpy()

    def advance(self, state: Array, values: Array) -> Array:
        """The window moved on by one value."""
        return np.concatenate([values[..., None], state[..., :-1]], axis=-1)

    def repeat(self, state: Array, times: int) -> Array:
        """Each window `times` times."""
        return np.repeat(state, times, axis=1)


class LatentForecaster:
    """The state is that of the cells, of every layer, after the last value known."""

    def __init__(self, network: Latent, parameters: Parameters, seeds: Sequence[int]) -> None:
        self.network, self.parameters, self.seeds = network, parameters, list[int | None](seeds)

    @torch.no_grad()
    def start(self, values: Array, origins: NDArray[np.int64]) -> list[State]:
        """The states after all of `values`, (T,), up to each of the `origins`, (O,), which rise: each (R, O, h)."""
        series = torch.from_numpy(values[: int(origins[-1]) + 1])
        inputs = series[:, None, None].expand(-1, len(self.seeds), 1)
        state, done = self.network.zero_state(self.parameters, 1), 0
        kept: list[list[State]] = []
        for origin in origins.tolist():
            _, state = self.network.forward(self.parameters, inputs[done : origin + 1], state)
            kept.append(state)
            done = origin + 1
        return [
            tuple(torch.cat(parts, dim=1) for parts in zip(*layers, strict=True)) for layers in zip(*kept, strict=True)
        ]

    @torch.no_grad()
    def predict(self, state: list[State]) -> tuple[Array, Array]:
        """Mean and deviation, (R, rows), from the h of the last layer."""
        return _gaussian(self.parameters, state[-1][0])

    @torch.no_grad()
    def advance(self, state: list[State], values: Array) -> list[State]:
        """One step of the recurrence; `values` are (R, rows)."""
        return self.network.forward(self.parameters, torch.from_numpy(values)[None], state)[1]

    def repeat(self, state: list[State], times: int) -> list[State]:
        """Each state `times` times."""
        return [tuple(part.repeat_interleave(times, dim=1) for part in layer) for layer in state]
