"""Training and validation of a fleet on a GPU, with a fallback to the plain implementation."""

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
    """Accelerated training and validation of a fleet; a failing implementation is replaced, with one line of report."""

    def __init__(self, fleet: Fleet, task: Task, report: Callable[[str], None]) -> None:
        self.fleet, self.task, self.report = fleet, task, report
        self.steps: CapturedTraining | None = None
        self.recorded_loss: Callable[[], NDArray[np.float64]] | None = None

    def steps_of(self, plan: EpochPlan) -> CapturedTraining | None:
        """Return recorded steps for an epoch, or None where only the plain steps work."""
        while self._is_usable():
            try:
                self.steps = self.steps or CapturedTraining(self.fleet, self.task)
                self.steps.prepare(plan)
                return self.steps
            except Exception as error:  # any failure: the plain implementation remains
                self._give_up(error)
        return None

    def valid_loss(self) -> NDArray[np.float64]:
        """Mean nats of the validation data, (R,), under the weights to keep."""
        parameters = self.fleet.valued
        if self._is_usable():
            try:
                self.recorded_loss = self.recorded_loss or self.task.record_valid_loss(parameters)
                if self.recorded_loss:
                    return self.recorded_loss()
            except Exception as error:
                self._give_up(error)
        return self.task.valid_loss(parameters)

    def _is_usable(self) -> bool:
        return is_accelerated(self.task.data.device) and ways.is_usable(ways.GRAPHS)

    def _give_up(self, error: Exception) -> None:
        way = ways.GRAPHS if self.steps is None or ways.load_kernels() is None else ways.KERNELS
        ways.give_up_way(way)
        self.steps = self.recorded_loss = None
        reason = str(error).strip().splitlines() or [type(error).__name__]
        self.report(f"{way} failed at the first use, so training continues without: {reason[0]}")
