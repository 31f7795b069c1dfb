"""Networks that forecast: a multilayer perceptron on a window, and the latent autoregression; both say a Gaussian.

Parameters carry the replica axis of the text branch, R; h is the hidden size, G the gates of a cell, tau the window:

    perceptron   W_1 (R, tau, h)   W_2 .. (R, h, h)   b_l (R, 1, h)   W_hq (R, h, 2)   b_q (R, 1, 2)
    latent       W_xh_1 (R, 1, G h)   W_xh_2 .. (R, h, G h)   W_hh_l (R, h, G h)   b_h_l (R, 1, G h)   W_hq   b_q

The two outputs are the mean and the logarithm of the standard deviation of the next value.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqlab.io.errors import InputError, shown
from seqlab.io.files import damaged, read_json, replacing, verified, write_json
from seqlab.rnn.cells import CELLS, State

Parameters = dict[str, Tensor]
LOWEST, HIGHEST = -7.0, 3.0  # of the logarithm of a deviation: no value may cost infinitely much
WEIGHTS, NETWORK = "weights.safetensors", "network.json"


def _check_sizes(**sizes: object) -> None:
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise InputError(f"{name} is {shown(size)}; it must be a whole number of at least 1")


@dataclass(frozen=True)
class Perceptron:
    """A multilayer perceptron on the last `window` values, the latest first."""

    window: int
    layers: int
    hidden: int

    def __post_init__(self) -> None:
        _check_sizes(window=self.window, layers=self.layers, hidden=self.hidden)

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of every parameter of one replica."""
        shapes = {}
        for layer in range(1, self.layers + 1):
            shapes[f"W_{layer}"] = (self.window if layer == 1 else self.hidden, self.hidden)
            shapes[f"b_{layer}"] = (1, self.hidden)
        return shapes | {"W_hq": (self.hidden, 2), "b_q": (1, 2)}

    def forward(self, parameters: Parameters, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation, each (R, rows), of what follows `windows`, (R, rows, tau)."""
        values = windows
        for layer in range(1, self.layers + 1):
            values = torch.baddbmm(parameters[f"b_{layer}"], values, parameters[f"W_{layer}"]).tanh()
        return head(parameters, values)


@dataclass(frozen=True)
class Latent:
    """h_t = g(x_{t-1}, h_{t-1}), module Eq. (3), with a cell of the text branch as g, and a Gaussian for x_t from h_t,
    Eq. (4).
    """

    cell: str
    layers: int
    hidden: int

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise InputError(f"cell is {shown(self.cell)}; allowed are {', '.join(CELLS)}")
        _check_sizes(layers=self.layers, hidden=self.hidden)

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of every parameter of one replica."""
        wide = CELLS[self.cell].gates * self.hidden
        shapes = {}
        for layer in range(1, self.layers + 1):
            shapes[f"W_xh_{layer}"] = (1 if layer == 1 else self.hidden, wide)
            shapes[f"W_hh_{layer}"] = (self.hidden, wide)
            shapes[f"b_h_{layer}"] = (1, wide)
        return shapes | {"W_hq": (self.hidden, 2), "b_q": (1, 2)}

    def zero_state(self, parameters: Parameters, rows: int) -> list[State]:
        """The state before any value, of every layer, each tensor (R, rows, h)."""
        like = parameters["W_hq"]
        zero = like.new_zeros(like.shape[0], rows, self.hidden)
        return [(zero,) * CELLS[self.cell].states for _ in range(self.layers)]

    def forward(self, parameters: Parameters, values: Tensor, state: list[State]) -> tuple[Tensor, list[State]]:
        """The h of the last layer after each of the n `values`, (n, R, rows): (n, R, rows, h), and the state after."""
        projected = values[..., None] * parameters["W_xh_1"][:, 0, None] + parameters["b_h_1"]
        after = []
        for layer in range(1, self.layers + 1):
            outputs, last = CELLS[self.cell].layer(projected, state[layer - 1], parameters[f"W_hh_{layer}"], None)
            after.append(last)
            if layer < self.layers:
                projected = outputs @ parameters[f"W_xh_{layer + 1}"] + parameters[f"b_h_{layer + 1}"]
        return outputs, after


Network = Perceptron | Latent


def head(parameters: Parameters, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and logarithm of the deviation, each (.., R, rows), from h, (.., R, rows, h)."""
    mean, logarithm = (hidden @ parameters["W_hq"] + parameters["b_q"]).unbind(-1)
    return mean, logarithm.clamp(LOWEST, HIGHEST)


def gaussian_loss(mean: Tensor, logarithm: Tensor, values: Tensor) -> Tensor:
    """-ln p(x) in nats under the Gaussian with this `mean` and `logarithm` of the deviation, all of one shape."""
    return 0.5 * ((values - mean) * torch.exp(-logarithm)) ** 2 + logarithm + 0.5 * math.log(2 * math.pi)


def initial_parameters(network: Network, seeds: Sequence[int]) -> Parameters:
    """A replica for each seed, uniform in +- 1/sqrt(inputs), biases zero, and one for the forget gate.

    The weights from a value to a cell count as with h inputs, as those from state to state. A replica depends on its
    own seed only.
    """
    replicas = []
    for seed in seeds:
        random = torch.Generator().manual_seed(seed)
        drawn = {}
        for name, (rows, columns) in network.shapes.items():
            inputs = network.hidden if isinstance(network, Latent) else rows
            drawn[name] = torch.empty(rows, columns).uniform_(-(inputs**-0.5), inputs**-0.5, generator=random)
            if name.startswith("b_"):
                drawn[name].zero_()
            forget = CELLS[network.cell].forget if isinstance(network, Latent) else None
            if name.startswith("b_h") and forget is not None:
                drawn[name][:, forget * network.hidden : (forget + 1) * network.hidden] = 1.0
        replicas.append(drawn)
    return {name: torch.stack([replica[name] for replica in replicas]) for name in network.shapes}


def number_of_parameters(network: Network) -> int:
    """The number of trained values of one replica."""
    return sum(rows * columns for rows, columns in network.shapes.values())


def save_network(folder: str | Path, network: Network, parameters: Parameters, seeds: list[int]) -> None:
    """Write weights.safetensors and network.json into `folder`."""
    kind = "latent" if isinstance(network, Latent) else "perceptron"
    write_json(Path(folder) / NETWORK, {"kind": kind, **asdict(network), "seeds": seeds})
    values = {name: value.detach().contiguous() for name, value in parameters.items()}
    with replacing(Path(folder) / WEIGHTS) as temporary:
        save_file(values, temporary)


def load_network(folder: str | Path) -> tuple[Any, Parameters, list[int]]:
    """What `save_network` wrote; InputError where a file is damaged or the two do not belong together."""
    content, path = read_json(Path(folder) / NETWORK), Path(folder) / WEIGHTS
    try:
        kind, seeds = content.pop("kind"), content.pop("seeds")
        network = {"latent": Latent, "perceptron": Perceptron}[kind](**content)
        parameters = load_file(verified(path))
        shapes = {name: tuple(value.shape) for name, value in parameters.items()}
        if shapes != {name: (len(seeds), *shape) for name, shape in network.shapes.items()}:
            raise KeyError("shapes")
    except (KeyError, TypeError, AttributeError, SafetensorError):
        raise damaged(path, f"or it does not fit {NETWORK} beside it") from None
    return network, parameters, seeds
