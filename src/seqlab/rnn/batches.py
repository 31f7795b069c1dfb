"""The plan of an epoch: which symbols each batch of each replica has, and with which learning rate."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.rnn.fleet import Fleet, Progress
from seqlab.rnn.optimisers import plateau_factor, schedule_factor
from seqlab.rnn.settings import TrainingSettings
from seqlab.text.partition import Batches, epoch_batches, random_spans


@dataclass(frozen=True)
class EpochPlan:
    """An epoch of a fleet, known before its first batch. A replica's number of batches depends on its offset."""

    settings: TrainingSettings
    epoch: int  # the number of epochs done before
    starts: Tensor  # (batches, R, B)
    lengths: Tensor  # (batches, R, B); a replica with fewer batches ends with empty ones
    spans: NDArray[np.int64] | None  # steps of each batch, where they differ
    own: list[int]  # batches of each replica
    running: Tensor  # (R,) of bool: the replicas that still learn
    plateaus: Tensor  # (R,): what the schedule "plateau" multiplies learning rates by

    @classmethod
    def of(cls, fleet: Fleet, progress: Progress, symbols: int, running: Tensor) -> "EpochPlan":
        """The plan of the epoch that `progress` is in, of so many `symbols`; draws from the fleet's orders."""
        settings = fleet.settings
        for order, before in zip(fleet.orders, progress.orders, strict=True):
            order.bit_generator.state = before  # so that the same batches are drawn
        shape = symbols, settings.steps, settings.batch_size
        spans = random_spans(*shape, fleet.epoch) if settings.random_steps else None
        epochs = [epoch_batches(settings.partition, *shape, order, spans) for order in fleet.orders]
        own = [len(batches.starts) for batches in epochs]
        losses = [fleet.losses(replica) for replica in range(len(fleet.seeds))]
        plateaus = [plateau_factor(loss, settings.plateau_patience, settings.schedule_factor) for loss in losses]
        return cls(settings, fleet.epoch, *_stack(epochs), spans, own, running, torch.tensor(plateaus))

    @staticmethod
    def most_batches(settings: TrainingSettings, symbols: int) -> int:
        """At least as many batches as any epoch of a text of so many `symbols` has."""
        shortest = (settings.steps + 1) // 2 if settings.random_steps else settings.steps
        return symbols // (shortest * settings.batch_size) + 3

    def steps(self, batch: int) -> int:
        """The number of steps of a batch."""
        return self.settings.steps if self.spans is None else int(self.spans[batch])

    def present(self, batch: int) -> list[bool]:
        """The replicas that have such a batch."""
        return [batch < batches for batches in self.own]

    def active(self, batch: int) -> Tensor:
        """The replicas that learn from it, (R,) of bool."""
        return self.running & torch.tensor(self.present(batch))

    def rates(self, batch: int) -> Tensor:
        """Learning rates by the schedule, (R,)."""
        settings = self.settings
        shares = [(self.epoch + min(batch, batches - 1) / batches) / settings.epochs for batches in self.own]
        factors = [schedule_factor(settings.schedule, share, settings.warmup) for share in shares]
        rates = torch.tensor([settings.learning_rate * factor for factor in factors])
        return rates * self.plateaus if settings.schedule == "plateau" else rates

    def scaled_rates(self, batch: int) -> Tensor:
        """The same for the length of the batch: a shorter one takes a smaller step."""
        return self.rates(batch) * self.steps(batch) / self.settings.steps


def _stack(epochs: list[Batches]) -> tuple[Tensor, Tensor]:
    """Starts and lengths of all replicas, each (batches, R, B)."""
    most = max(len(batches.starts) for batches in epochs)
    padded = [
        np.stack(
            [np.pad(getattr(batches, name), ((0, most - len(batches.starts)), (0, 0))) for batches in epochs], axis=1
        )
        for name in ("starts", "lengths")
    ]
    return torch.as_tensor(padded[0]), torch.as_tensor(padded[1])
