"""Task of a forecasting network: the Gaussian loss of the next value of a series."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.cells import State
from seqlab.fleet.stack import Drop, Parameters
from seqlab.series.network import ForecastNetwork, gaussian_loss, gaussian_of


@dataclass(frozen=True)
class ForecastTask:
    """A scaled series, `values` (T, d), with its ranges `learnt` and `valid`; see `seqlab.fleet.task`.

    Networks learn all columns, and are validated on the first `scored` of them, as the others are exogenous.
    """

    network: ForecastNetwork
    values: Tensor
    learnt: tuple[int, int]
    valid: tuple[int, int]
    scored: int = 1
    unit: str = "values"
    is_discrete: bool = False

    @classmethod
    def of(
        cls,
        network: ForecastNetwork,
        series: NDArray[np.float64],
        learnt: tuple[int, int],
        valid: tuple[int, int],
        device: torch.device | str = "cpu",
        scored: int = 1,
    ) -> "ForecastTask":
        """Return the task on `series`, scaled values (T, d), on `device`."""
        return cls(network, torch.as_tensor(series, dtype=torch.float32, device=device), learnt, valid, scored)

    @property
    def data(self) -> Tensor:
        """The values up to the end of the training range."""
        return self.values[: self.learnt[1]]

    @property
    def first(self) -> int:
        """The first place with a complete window."""
        return self.learnt[0] + self.network.window - 1

    def costs(
        self,
        parameters: Parameters,
        places: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Nats of the value after each of `places`, (R, B, n), as the mean over columns: (n, R, B); and the state."""
        costs, after = self._column_costs(parameters, places, state, drop, precision)
        return _mean_over_columns(costs), after

    def _column_costs(
        self,
        parameters: Parameters,
        places: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Nats of each column, (n, R, B, d), and the state after; the arguments are those of `costs`."""
        places = places.permute(2, 0, 1)
        windows = self.values[places[..., None] - torch.arange(self.network.window, device=places.device)]
        outputs, after = self.network.forward(parameters, windows.flatten(-2), state, drop, precision)
        return gaussian_loss(*gaussian_of(outputs), self.values[places + 1]), after

    @torch.no_grad()
    def valid_loss(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean nats of the forecast columns in the range `valid`, (R,); the state is carried on from the start."""
        replicas = len(parameters["b_q"])
        places = torch.arange(self.first, self.valid[1] - 1, device=self.values.device).expand(replicas, 1, -1)
        costs, _ = self._column_costs(parameters, places, self.network.zero_state(parameters, 1))
        scored = _mean_over_columns(costs[..., : self.scored])
        means: NDArray[np.float64] = scored[self.valid[0] - self.valid[1] :, :, 0].mean(0).cpu().numpy()
        return means.astype(np.float64)

    def record_valid_loss(self, parameters: Parameters) -> Callable[[], NDArray[np.float64]] | None:
        """Return None: the validation range of a series is short."""
        return None


def _mean_over_columns(costs: Tensor) -> Tensor:
    """Return the mean over the last axis of `costs`, (.., d), with their order in memory, in which sums are rounded."""
    first, *others = costs.unbind(-1)
    return sum(others, start=first) / costs.shape[-1]
