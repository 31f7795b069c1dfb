"""Forecasting network: the last values in, a Gaussian of the next value out."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seqlab.fleet.cells import LAYERS
from seqlab.fleet.stack import Stack

LOWEST, HIGHEST = -7.0, 3.0  # of the logarithm of a deviation, so that costs are finite


@dataclass(frozen=True)
class ForecastNetwork(Stack):
    """A stack whose inputs are the last `window` values, the latest first, and whose outputs are a Gaussian of each
    column; a value is a vector of `columns` numbers.

    With a recurrent cell and a window of one value it is the latent autoregression, h_t = g(x_{t-1}, h_{t-1}), module
    Eq. (3), and x_t from h_t, Eq. (4); with the cell "mlp" a multilayer perceptron on a window. Given h_t the columns
    are independent.
    """

    section: ClassVar[str] = "forecast"

    window: int
    columns: int = 1

    @property
    def inputs(self) -> int:
        """The number of values of an input, for all columns."""
        return self.window * self.columns

    @property
    def outputs(self) -> int:
        """Two for each column: the means, then the logarithms of the deviations."""
        return 2 * self.columns

    @property
    def is_recurrent(self) -> bool:
        """Return whether a state is carried from value to value."""
        return LAYERS[self.cell].is_recurrent

    def bound(self, name: str) -> float:
        """1 / sqrt(inputs), where the weights from a value to a recurrent cell count as with h inputs."""
        return self.inputs**-0.5 if name == "W_xh_1" and not self.is_recurrent else super().bound(name)


def gaussian_of(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and logarithm of the deviation, each (.., d), from `outputs` of a network, (.., 2 d)."""
    mean, logarithm = outputs.unflatten(-1, (2, -1)).unbind(-2)
    return mean, logarithm.clamp(LOWEST, HIGHEST)


def gaussian_loss(mean: Tensor, logarithm: Tensor, values: Tensor) -> Tensor:
    """-ln p(x) in nats under the Gaussian with this `mean` and `logarithm` of the deviation, all of one shape."""
    return 0.5 * ((values - mean) * torch.exp(-logarithm)) ** 2 + logarithm + 0.5 * math.log(2 * math.pi)
