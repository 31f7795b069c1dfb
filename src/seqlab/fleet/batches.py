"""Batches and learning rates of an epoch: T symbols cut into subsequences of n (module section 5.3).

Random, with offset d; here T = 12, n = 3, d = 1, so m = floor((12 - 1 - 1) / 3) = 3:

    x0 [x1 x2 x3] [x4 x5 x6] [x7 x8 x9] x10 x11        inputs
        x0 x1 [x2 x3 x4] [x5 x6 x7] [x8 x9 x10] x11    targets, one to the right

Sequential: the same stretch is laid out as B parallel streams, and batch k holds the k-th subsequence of each stream,
so that the hidden state can be carried from batch to batch; B = 2, n = 2:

    stream 0:  [x1 x2] [x3 x4] ..      batch 0 = {x1 x2, x6 x7}, batch 1 = {x3 x4, x8 x9}
    stream 1:  [x6 x7] [x8 x9] ..

Random with a number of batches draws the start of every subsequence independently, wherever one fits.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.fleet import EpochProgress, Fleet
from seqlab.fleet.optimisers import plateau_factor, schedule_factor
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.errors import InputError


def random_starts(symbols: int, steps: int, offset: int) -> NDArray[np.int64]:
    """Starts of the m = floor((T - d - 1) / n) subsequences x_d, x_{d+n}, ..., counted from x_0, shape (m,).

    The targets of a subsequence starting at s are the symbols s + 1 .. s + n, so every target occurs at most once.
    Raises InputError where no subsequence fits.
    """
    if not 0 <= offset < steps:
        raise ValueError(f"offset {offset} is outside [0, {steps})")
    count = (symbols - offset - 1) // steps
    if count < 1:
        raise InputError(
            f"the training text has {symbols} symbols, fewer than one subsequence of {steps} with its targets; "
            "use a longer text or a smaller rnn.training.steps"
        )
    return offset + steps * np.arange(count, dtype=np.int64)


@dataclass(frozen=True)
class Batches:
    """Subsequences of one replica in one epoch: their `starts` and `lengths`, each (batches, B).

    A subsequence is padded to n where it is shorter, and a missing one has length 0.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def random_batches(symbols: int, steps: int, batch_size: int, random: np.random.Generator) -> Batches:
    """Return all subsequences from a random offset on in random order, `batch_size` at a time or fewer in the last."""
    starts = random.permutation(random_starts(symbols, steps, int(random.integers(steps))))
    batches = -(-len(starts) // batch_size)
    padded = np.zeros(batches * batch_size, dtype=np.int64)
    padded[: len(starts)] = starts
    lengths = np.zeros_like(padded)
    lengths[: len(starts)] = steps
    return Batches(padded.reshape(batches, batch_size), lengths.reshape(batches, batch_size))


def sequential_batches(
    symbols: int, steps: int, batch_size: int, random: np.random.Generator, spans: NDArray[np.int64] | None = None
) -> Batches:
    """Return `batch_size` parallel streams from a random offset on, cut into subsequences; the last may be shorter.

    With `spans`, at least as many as there are batches, the lengths of batches differ. At most `batch_size - 1` symbols
    at the end are left out of an epoch, and others in the next.
    """
    offset = int(random.integers(steps))
    length = (symbols - offset - 1) // batch_size  # targets in each stream
    if length < 1:
        raise InputError(
            f"the training text has {symbols} symbols, too few for {batch_size} parallel streams; "
            "use a longer text or a smaller rnn.training.batch_size"
        )
    if spans is None:
        spans = np.full(-(-length // steps), steps, dtype=np.int64)
    ends = np.cumsum(spans)
    batches = int(np.searchsorted(ends, length)) + 1
    within = (ends - spans)[:batches, None]
    starts = offset + length * np.arange(batch_size, dtype=np.int64)[None, :] + within
    lengths = np.broadcast_to(np.minimum(spans[:batches, None], length - within), starts.shape)
    return Batches(starts, np.ascontiguousarray(lengths))


def random_spans(symbols: int, steps: int, batch_size: int, epoch: int) -> NDArray[np.int64]:
    """Lengths of the batches of an epoch, at least enough for all its symbols, from steps / 2 to steps: (batches,).

    They depend on the epoch alone, so that a replica is cut in the same way in a fleet and alone. (Merity et al. 2018
    draw around two lengths, for the same reason: the borders lie between other symbols in each epoch.)
    """
    shortest = (steps + 1) // 2
    batches = -(-symbols // batch_size) // shortest + 1
    return np.random.default_rng(epoch).integers(shortest, steps + 1, batches)


def draw_batches(symbols: int, steps: int, batch_size: int, batches: int, random: np.random.Generator) -> Batches:
    """Draw `batches` batches of subsequences that start anywhere, one batch after the other."""
    places = symbols - steps  # at which a subsequence can start and have its targets
    if places < 1:
        raise InputError(
            f"there are {symbols} values to train on, fewer than one subsequence of {steps} with its targets; "
            "use a longer series or a smaller forecast.training.steps"
        )
    starts = np.stack([random.integers(places, size=batch_size) for _ in range(batches)])
    return Batches(starts, np.full_like(starts, steps))


def draw_epoch(
    mode: str,
    symbols: int,
    steps: int,
    batch_size: int,
    random: np.random.Generator,
    spans: NDArray[np.int64] | None = None,
    batches: int = 0,
) -> Batches:
    """The batches of one epoch in the given `mode`, sequential or random; draws from `random` alone.

    `spans` are the lengths of sequential batches, where they differ; `batches` is the number of batches of random
    starts, 0 for a pass over all symbols.
    """
    if mode == "sequential":
        return sequential_batches(symbols, steps, batch_size, random, spans)
    if batches:
        return draw_batches(symbols, steps, batch_size, batches, random)
    return random_batches(symbols, steps, batch_size, random)


@dataclass(frozen=True)
class EpochPlan:
    """The plan of an epoch of a fleet, made before its first batch. Replicas differ in their numbers of batches."""

    settings: TrainingSettings
    epoch: int  # the number of epochs done before
    starts: Tensor  # (batches, R, B)
    lengths: Tensor  # (batches, R, B); a replica with fewer batches ends with empty ones
    spans: NDArray[np.int64] | None  # steps of each batch, where they differ
    batch_counts: list[int]  # batches of each replica
    running: Tensor  # (R,) of bool: the replicas that still learn
    highest_rates: list[float]  # learning rate of each replica
    plateaus: Tensor  # (R,): factors of learning rates under the schedule "plateau"

    @classmethod
    def of(cls, fleet: Fleet, progress: EpochProgress, symbols: int, running: Tensor, first: int = 0) -> "EpochPlan":
        """Return the plan of the epoch of `progress`, over `symbols` symbols from place `first` on; draws from the
        orders of the fleet.
        """
        settings = fleet.settings
        for order, before in zip(fleet.orders, progress.orders, strict=True):
            order.bit_generator.state = before  # so that the same batches are drawn
        shape = symbols, settings.steps, settings.batch_size
        spans = random_spans(*shape, fleet.epoch) if settings.random_steps else None
        epochs = [draw_epoch(settings.partition, *shape, order, spans, settings.batches) for order in fleet.orders]
        batch_counts = [len(batches.starts) for batches in epochs]
        losses = [fleet.losses(replica) for replica in range(len(fleet.seeds))]
        plateaus = [plateau_factor(loss, settings.plateau_patience, settings.schedule_factor) for loss in losses]
        starts, lengths = _stack(epochs)
        rates = [of_replica.learning_rate for of_replica in fleet.replica_settings]
        fixed = settings, fleet.epoch, first + starts, lengths, spans, batch_counts, running
        return cls(*fixed, rates, torch.tensor(plateaus))

    @staticmethod
    def most_batches(settings: TrainingSettings, symbols: int) -> int:
        """Return an upper bound of the number of batches in an epoch of `symbols` symbols."""
        if settings.batches:
            return settings.batches
        shortest = (settings.steps + 1) // 2 if settings.random_steps else settings.steps
        return symbols // (shortest * settings.batch_size) + 3

    def steps(self, batch: int) -> int:
        """The number of steps of a batch."""
        return self.settings.steps if self.spans is None else int(self.spans[batch])

    def present(self, batch: int) -> list[bool]:
        """Return, for each replica, whether it has this batch."""
        return [batch < batches for batches in self.batch_counts]

    def active(self, batch: int) -> Tensor:
        """The replicas that learn from this batch, (R,) of bool."""
        return self.running & torch.tensor(self.present(batch))

    def rates(self, batch: int) -> Tensor:
        """Learning rates by the schedule, (R,)."""
        settings = self.settings
        shares = [(self.epoch + min(batch, batches - 1) / batches) / settings.epochs for batches in self.batch_counts]
        factors = [schedule_factor(settings.schedule, share, settings.warmup) for share in shares]
        rates = torch.tensor([rate * factor for rate, factor in zip(self.highest_rates, factors, strict=True)])
        return rates * self.plateaus if settings.schedule == "plateau" else rates

    def scaled_rates(self, batch: int) -> Tensor:
        """Learning rates scaled by the length of the batch, (R,): a shorter batch takes a smaller step."""
        return self.rates(batch) * self.steps(batch) / self.settings.steps


def _stack(epochs: list[Batches]) -> tuple[Tensor, Tensor]:
    """Starts and lengths of all replicas, each (batches, R, B)."""
    longest = max(len(batches.starts) for batches in epochs)
    padded = [
        np.stack(
            [np.pad(getattr(batches, name), ((0, longest - len(batches.starts)), (0, 0))) for batches in epochs], axis=1
        )
        for name in ("starts", "lengths")
    ]
    return torch.as_tensor(padded[0]), torch.as_tensor(padded[1])
