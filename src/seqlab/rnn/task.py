"""Task of a language model: cross-entropy of the next symbol of a text."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seqlab.fleet.cells import State
from seqlab.fleet.stack import Drop, Parameters
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import RecordedScoring, stream_bits


@dataclass(frozen=True)
class LanguageTask:
    """A training text, indices `data`, (T,), and the validation segments; see `seqlab.fleet.task`."""

    network: Architecture
    data: Tensor
    valid: Sequence[NDArray[Any]]
    first: int = 0
    unit: str = "symbols"
    is_discrete: bool = True

    @classmethod
    def of(
        cls,
        network: Architecture,
        train: NDArray[Any],
        valid: Sequence[NDArray[Any]],
        device: torch.device | str = "cpu",
    ) -> "LanguageTask":
        """Return the task on the text `train`, indices (T,), on `device`."""
        return cls(network, torch.as_tensor(np.asarray(train, dtype=np.int64), device=device), valid)

    def costs(
        self,
        parameters: Parameters,
        places: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Nats of the symbol after each of `places`, (R, B, n): (n, R, B), and the state after."""
        logits, after = self.network.forward(parameters, self.data[places], state, drop, precision)
        targets = self.data[places + 1].permute(2, 0, 1)
        costs = functional.cross_entropy(logits.flatten(0, 2), targets.flatten(), reduction="none")
        return costs.view(targets.shape), after

    def valid_loss(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean nats of the symbols of the validation segments, (R,)."""
        return _mean_nats(stream_bits(self.network, parameters, self.valid))

    def record_valid_loss(self, parameters: Parameters) -> Callable[[], NDArray[np.float64]]:
        """Return a function that computes `valid_loss` from a CUDA graph."""
        scoring = RecordedScoring(self.network, parameters, self.valid)
        return lambda: _mean_nats(scoring.bits())


def _mean_nats(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    nats: NDArray[np.float64] = bits.mean(1) * math.log(2)
    return nats
