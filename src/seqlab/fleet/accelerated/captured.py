"""Training steps as CUDA graphs: recorded once, then launched with one call per batch.

Nothing waits for the GPU within an epoch. The inputs of its steps (starts of batches, learning rates, corrections) are
computed ahead and copied together; each step reads its row by a counter that it increments itself. Losses add up on the
GPU. Weights, moments and gradients of all parameters lie in one array each, so that an update is a few kernels. Bits
for dropout come from `seqlab.fleet.accelerated.bits`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from seqlab.fleet.accelerated.bits import BitStream, DeviceBits
from seqlab.fleet.accelerated.graphs import record_graph
from seqlab.fleet.batches import EpochPlan
from seqlab.fleet.dropout import Shares, list_step_words
from seqlab.fleet.fleet import EpochProgress, Fleet
from seqlab.fleet.objective import compute_gradients
from seqlab.fleet.optimisers import Coefficients, clip_gradients
from seqlab.fleet.stack import Parameters
from seqlab.fleet.task import Task

ALIGNMENT = 32  # numbers; kernels read faster from arrays that begin at multiples of it
WHOLE = "all"  # the name of all parameters in one array


class CapturedTraining:
    """The steps of a fleet. Its parameters, moments and averages become views of arrays that hold all of them."""

    def __init__(self, fleet: Fleet, task: Task) -> None:
        settings, self.fleet, self.task = fleet.settings, fleet, task
        device, replicas = task.data.device, len(fleet.seeds)
        self.weights = _laid_flat(fleet.parameters)
        self.average = _laid_flat(fleet.average) if fleet.average else None
        moments = {moment: {WHOLE: _laid_flat(values)} for moment, values in fleet.optimiser.moments.items()}
        self.optimiser = fleet.optimiser.with_moments(moments)
        most = EpochPlan.most_batches(settings, len(task.data))
        self.starts = torch.zeros(most, replicas, settings.batch_size, dtype=torch.int64, device=device)
        self.lengths = torch.zeros_like(self.starts)
        self.coefficients = torch.zeros(most, len(Coefficients._fields) + 1, replicas, device=device)
        self.row = torch.zeros(1, dtype=torch.int64, device=device)
        self.within = torch.arange(settings.steps, device=device)
        self.last = torch.tensor(len(task.data) - 2, device=device)
        self.zero = fleet.network.zero_state(fleet.parameters, settings.batch_size)
        self.state = [tuple(part.clone() for part in layer) for layer in self.zero]
        self.totals = torch.zeros(3, replicas, device=device)  # loss, symbols and gradient norms of the epoch so far
        masks = self._masks(settings.steps)
        words = sum(words for words, _ in masks)
        self.bits = DeviceBits(replicas, words, device, {shares for _, shares in masks})
        self.stream = BitStream(fleet.masks, self.bits.words) if words else None
        self.recorded: dict[int, Callable[[], object]] = {}  # by the number of steps

    def train_epoch(self, progress: EpochProgress, plan: EpochPlan, stop: Callable[[], bool]) -> bool:
        """Train on the rest of an epoch; returns false when `stop` is true. The fleet and `progress` hold the state."""
        begun = self._begin(progress, plan)
        if self.stream:
            masks = {steps: self._masks(steps) for steps in self.recorded}
            needs = [(masks[plan.steps(batch)], plan.present(batch)) for batch in range(len(plan.starts))]
            self.stream.begin(progress.batch, needs)
        try:
            while progress.batch < len(plan.starts) and not stop():
                if self.stream:
                    self.stream.load(progress.batch)
                self.recorded[plan.steps(progress.batch)]()
                progress.batch += 1
        finally:
            if self.stream:
                self.stream.end()
            self.fleet.optimiser.steps.copy_(begun[progress.batch])
            progress.loss, progress.symbols, progress.norms = self.totals.clone().unbind()
            progress.state = [tuple(part.clone() for part in layer) for layer in self.state]
        return progress.batch == len(plan.starts)

    def prepare(self, plan: EpochPlan) -> None:
        """Record a graph for every length of a batch in `plan`; the tensors that this changes are restored."""
        for steps in sorted({plan.steps(batch) for batch in range(len(plan.starts))} - set(self.recorded)):
            changed = [self.weights, self.row, self.totals, *[part for layer in self.state for part in layer]]
            changed += [value for values in self.optimiser.moments.values() for value in values.values()]
            changed += [self.average] if self.average is not None else []
            before = [value.clone() for value in changed]
            try:
                self.row.zero_()
                self.recorded[steps] = record_graph(partial(self._step, steps), self.task.data.device)
            finally:
                for value, old in zip(changed, before, strict=True):
                    value.copy_(old)

    def _masks(self, steps: int) -> list[tuple[int, Shares]]:
        """Return the words of the masks of a batch of `steps` steps, with the dropped shares."""
        return list_step_words(self.fleet.network, self.fleet.dropout, self.fleet.settings.batch_size, steps)

    def _begin(self, progress: EpochProgress, plan: EpochPlan) -> list[Tensor]:
        """Fill the arrays of an epoch; returns the step counts before each batch and after the last."""
        batches, optimiser = len(plan.starts), self.fleet.optimiser
        self.starts[:batches].copy_(plan.starts)
        self.lengths[:batches].copy_(plan.lengths)
        left = range(progress.batch, batches)
        rates, active = (torch.stack([of(batch) for batch in left]) for of in (plan.scaled_rates, plan.active))
        steps = optimiser.steps + active.to(optimiser.steps).cumsum(0)
        columns = [*optimiser.coefficients(steps, rates, active), self.fleet.averaging_share(steps, active)]
        self.coefficients[progress.batch : batches].copy_(torch.stack([column.float() for column in columns], 1))
        self.row.fill_(progress.batch)
        self.totals.copy_(torch.stack([progress.loss, progress.symbols, progress.norms]))
        for layer, before in zip(self.state, progress.state, strict=True):
            for part, value in zip(layer, before, strict=True):
                part.copy_(value)
        return [optimiser.steps.clone()] * (progress.batch + 1) + list(steps)

    def _step(self, steps: int) -> None:
        """Train on one batch of `steps` steps, all on the device: read a row, update, increment the counter."""
        fleet, settings = self.fleet, self.fleet.settings
        starts, lengths, numbers = (
            table.index_select(0, self.row)[0] for table in (self.starts, self.lengths, self.coefficients)
        )
        within = self.within[:steps]
        places = torch.minimum(starts[:, :, None] + within, self.last)
        counted = (within < lengths[:, :, None]).float()
        carried = self.state if settings.partition == "sequential" else self.zero
        self.bits.used = 0
        present = [True] * len(fleet.seeds)
        loss, gradients, after = compute_gradients(
            self.task, settings, fleet.dropout, fleet.parameters, self.bits, (places, counted), carried, present
        )
        whole = {WHOLE: _joined(gradients)}
        norm = clip_gradients(whole, settings.clip)
        *step, share = numbers.unbind()
        self.optimiser.apply({WHOLE: self.weights}, whole, Coefficients(*step))
        if self.average is not None:
            self.average.lerp_(self.weights, share[:, None, None])
        for layer, values in zip(self.state, after, strict=True):
            for part, value in zip(layer, values, strict=True):
                part.copy_(value)
        self.totals += torch.stack([loss, counted.sum((1, 2)), norm])
        self.row += 1


def _places(shapes: Sequence[torch.Size]) -> tuple[list[int], int]:
    """Return the start of each matrix in an array with all of a replica, and the length of the array."""
    borders = [0]
    for shape in shapes:
        borders.append(borders[-1] + -(-shape.numel() // ALIGNMENT) * ALIGNMENT)
    return borders[:-1], borders[-1]


def _laid_flat(parameters: Parameters) -> Tensor:
    """Copy `parameters`, (R, rows, columns), into one array (R, 1, all), of which they become views."""
    shapes = [value.shape[1:] for value in parameters.values()]
    starts, size = _places(shapes)
    replicas = len(next(iter(parameters.values())))
    whole = next(iter(parameters.values())).new_zeros(replicas, 1, size)
    for (name, value), start, shape in zip(list(parameters.items()), starts, shapes, strict=True):
        view = whole[:, 0, start : start + shape.numel()].view(replicas, *shape)
        view.copy_(value)
        parameters[name] = view
    return whole


def _joined(gradients: Parameters) -> Tensor:
    """Join the gradients in one array with the layout of `_laid_flat`."""
    values = list(gradients.values())
    starts, size = _places([value.shape[1:] for value in values])
    parts = []
    for value, (start, end) in zip(values, pairwise([*starts, size]), strict=True):
        flat = value.flatten(1)
        parts += [flat, flat.new_zeros(len(flat), end - start - flat.shape[1])]
    return torch.cat(parts, 1)[:, None]
