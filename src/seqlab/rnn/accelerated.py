"""Ways of training and validating that a GPU has, each left where it fails."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.machine.devices import is_accelerated
from seqlab.rnn import ways
from seqlab.rnn.batches import EpochPlan
from seqlab.rnn.captured import CapturedTraining
from seqlab.rnn.fleet import Fleet
from seqlab.rnn.scoring import RecordedScoring, stream_bits


class Accelerated:
    """The ways of training and validating a fleet that a GPU has; each is left where it fails, with one line."""

    def __init__(
        self, fleet: Fleet, train: NDArray[Any], valid: Sequence[NDArray[Any]], report: Callable[[str], None]
    ) -> None:
        self.fleet, self.valid, self.report = fleet, valid, report
        self.symbols = torch.as_tensor(np.asarray(train, dtype=np.int64), device=fleet.parameters["W_hq"].device)
        self.steps: CapturedTraining | None = None
        self.scoring: RecordedScoring | None = None

    def steps_of(self, plan: EpochPlan) -> CapturedTraining | None:
        """Recorded steps that can train an epoch, or None."""
        while self._is_usable():
            try:
                self.steps = self.steps or CapturedTraining(self.fleet, self.symbols)
                self.steps.prepare(plan)
                return self.steps
            except Exception as error:  # whatever it is, there is another way
                self._give_up(error)
        return None

    def valid_bits(self) -> NDArray[np.float64]:
        """As `stream_bits`, of the weights that are kept and the segments that choose among epochs."""
        fleet = self.fleet
        if self._is_usable():
            try:
                self.scoring = self.scoring or RecordedScoring(fleet.architecture, fleet.valued, self.valid)
                return self.scoring.bits()
            except Exception as error:
                self._give_up(error)
        return stream_bits(fleet.architecture, fleet.valued, self.valid)

    def _is_usable(self) -> bool:
        return is_accelerated(self.symbols.device) and ways.is_usable(ways.GRAPHS)

    def _give_up(self, error: Exception) -> None:
        way = ways.GRAPHS if self.steps is None or ways.kernels() is None else ways.KERNELS
        ways.give_up(way)
        self.steps = self.scoring = None
        told = str(error).strip().splitlines() or [type(error).__name__]
        self.report(f"{way} failed at the first use, so training goes on without: {told[0]}")
