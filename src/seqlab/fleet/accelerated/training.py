"""Training and validation of a fleet in the ways of a GPU, each left where it fails."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.captured import CapturedTraining
from seqlab.fleet.batches import EpochPlan
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.task import Task
from seqlab.machine.devices import is_accelerated


class AcceleratedTraining:
    """The ways of training and validating a fleet that a GPU has; each is left where it fails, with one line."""

    def __init__(self, fleet: Fleet, task: Task, report: Callable[[str], None]) -> None:
        self.fleet, self.task, self.report = fleet, task, report
        self.steps: CapturedTraining | None = None
        self.recorded_loss: Callable[[], NDArray[np.float64]] | None = None

    def steps_of(self, plan: EpochPlan) -> CapturedTraining | None:
        """Recorded steps that can train an epoch, or None."""
        while self._is_usable():
            try:
                self.steps = self.steps or CapturedTraining(self.fleet, self.task)
                self.steps.prepare(plan)
                return self.steps
            except Exception as error:  # whatever it is, there is another way
                self._give_up(error)
        return None

    def valid_loss(self) -> NDArray[np.float64]:
        """Mean nats of the validation data, (R,), under the weights that are kept."""
        kept = self.fleet.valued
        if self._is_usable():
            try:
                self.recorded_loss = self.recorded_loss or self.task.record_valid_loss(kept)
                if self.recorded_loss:
                    return self.recorded_loss()
            except Exception as error:
                self._give_up(error)
        return self.task.valid_loss(kept)

    def _is_usable(self) -> bool:
        return is_accelerated(self.task.data.device) and ways.is_usable(ways.GRAPHS)

    def _give_up(self, error: Exception) -> None:
        way = ways.GRAPHS if self.steps is None or ways.kernels() is None else ways.KERNELS
        ways.give_up(way)
        self.steps = self.recorded_loss = None
        reason = str(error).strip().splitlines() or [type(error).__name__]
        self.report(f"{way} failed at the first use, so training goes on without: {reason[0]}")
