"""Task of a fleet: the training data and the cost of a prediction."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.cells import State
from seqlab.fleet.stack import Drop, Parameters, Stack


class Task(Protocol):
    """Data along one axis, symbols or values; a network predicts each datum from those before it."""

    @property
    def network(self) -> Stack:
        """The shapes of the networks."""

    @property
    def data(self) -> Tensor:
        """The training data, (T,), on the device of the fleet."""

    @property
    def first(self) -> int:
        """The first place at which a subsequence may begin."""

    @property
    def unit(self) -> str:
        """The name of the data, in the plural."""

    @property
    def is_discrete(self) -> bool:
        """Return whether data are symbols, so that a loss has a perplexity."""

    def costs(
        self,
        parameters: Parameters,
        places: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Nats of each datum after `places`, indices (R, B, n) of consecutive data: (n, R, B), and the state after.

        `drop` and `precision` are as in `Stack.forward`.
        """

    def valid_loss(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean nats of the validation data under each replica, (R,)."""

    def record_valid_loss(self, parameters: Parameters) -> Callable[[], NDArray[np.float64]] | None:
        """Return a function that computes `valid_loss` from a CUDA graph; None where the task has none.

        The values of `parameters` may change between two calls, their memory may not.
        """
