"""The training objective of a fleet: the mean cost of a batch, plus penalties."""

from collections.abc import Sequence

import torch
from torch import Tensor

from seqlab.fleet.cells import State
from seqlab.fleet.dropout import Dropout, Masks, drop_outputs, drop_weights
from seqlab.fleet.settings import TrainingSettings, rounding_type
from seqlab.fleet.stack import Parameters
from seqlab.fleet.task import Task


def objective(
    task: Task,
    settings: TrainingSettings,
    dropout: Dropout,
    parameters: Parameters,
    masks: Masks,
    batch: tuple[Tensor, Tensor],
    state: list[State],
    present: Sequence[bool],
) -> tuple[Tensor, Tensor, list[State]]:
    """Return the objective of each replica, (R,), differentiable; the summed cost in nats, (R,); the state after.

    `batch` holds the places of the inputs in the data of the task, (R, B, n), and 1 where the datum after a place
    counts, else 0, (R, B, n); `masks` draw the `dropout` of each replica, `present` marks those that have a batch.
    The objective is the mean cost with `activation_regularisation` and `temporal_regularisation`.
    """
    places, counted = batch
    last: list[Tensor] = []

    def drop(outputs: Tensor) -> Tensor:
        dropped = drop_outputs(dropout, masks, present, outputs)
        last[:] = outputs, dropped  # the last layer comes last
        return dropped

    network = task.network
    used = drop_weights(dropout, masks, present, parameters)
    precision = rounding_type(settings.precision, network.cell, network.hidden, places.device.type)
    costs, after = task.costs(used, places, state, drop, precision)
    counted = counted.permute(2, 0, 1)
    symbols = counted.sum((0, 2)).clamp(min=1)
    losses = (costs * counted).sum((0, 2))
    return losses / symbols + penalty(settings, last[0], last[1], counted), losses.detach(), after


def penalty(settings: TrainingSettings, outputs: Tensor, dropped: Tensor, counted: Tensor) -> Tensor:
    """Penalty of the outputs of the last layer, (R,): on their mean square after dropout (`activation_regularisation`),
    and on that of their change from step to step (`temporal_regularisation`).

    `outputs` and `dropped` are (n, R, B, h) and `counted` (n, R, B). Merity, McCann & Socher 2017 ("Revisiting
    activation regularization for language RNNs"), here as means over the units too, not sums.
    """
    total = counted.new_zeros(counted.shape[1])
    if settings.activation_regularisation:
        squares = (dropped.square().mean(-1) * counted).sum((0, 2)) / counted.sum((0, 2)).clamp(min=1)
        total = total + settings.activation_regularisation * squares
    if settings.temporal_regularisation:
        changes, later_counted = (outputs[1:] - outputs[:-1]).square().mean(-1), counted[1:]
        squares = (changes * later_counted).sum((0, 2)) / later_counted.sum((0, 2)).clamp(min=1)
        total = total + settings.temporal_regularisation * squares
    return total


def compute_gradients(
    task: Task,
    settings: TrainingSettings,
    dropout: Dropout,
    parameters: Parameters,
    masks: Masks,
    batch: tuple[Tensor, Tensor],
    state: list[State],
    present: Sequence[bool],
) -> tuple[Tensor, Parameters, list[State]]:
    """Return the summed cost of a batch, (R,), the gradients of the objectives, and the state after, detached.

    The arguments are those of `objective`.
    """
    leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    aims, losses, after = objective(task, settings, dropout, leaves, masks, batch, state, present)
    gradients = torch.autograd.grad(aims.sum(), list(leaves.values()))  # the replicas share nothing, so the sum splits
    detached = [tuple(value.detach() for value in layer) for layer in after]
    return losses, dict(zip(leaves, gradients, strict=True)), detached
