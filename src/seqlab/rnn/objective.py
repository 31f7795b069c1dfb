"""What a training makes small: the cross-entropy of a batch, and what is added to it so that little text goes far."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from seqlab.rnn.cells import State
from seqlab.rnn.dropout import Masks, drop_outputs, drop_weights
from seqlab.rnn.network import Architecture, Parameters, forward
from seqlab.rnn.settings import TrainingSettings, rounding


def objective(
    architecture: Architecture,
    settings: TrainingSettings,
    parameters: Parameters,
    masks: Masks,
    batch: tuple[Tensor, Tensor, Tensor],
    state: list[State],
    present: Sequence[bool],
) -> tuple[Tensor, Tensor, list[State]]:
    """What is to be made small for each replica, (R,), with its gradient; the summed loss, (R,); the state after.

    `batch` are inputs and targets, indices (R, B, n), and what of them counts, (R, B, n) of 0 and 1; `masks` draw the
    dropout of each replica, and `present` tells which have a batch at all. The loss is the plain cross-entropy in nats;
    the objective is its mean with `activation_regularisation` and `temporal_regularisation`.
    """
    inputs, targets, counted = batch
    last: list[Tensor] = []

    def drop(outputs: Tensor) -> Tensor:
        dropped = drop_outputs(settings, masks, present, outputs) if settings.dropout else outputs
        last[:] = outputs, dropped  # forward comes to the last layer last
        return dropped

    used = drop_weights(settings, masks, present, parameters)
    precision = rounding(settings.precision, architecture.cell, architecture.hidden, inputs.device.type)
    logits, after = forward(architecture, used, inputs, state, drop, precision)
    counted = counted.permute(2, 0, 1)
    symbols = counted.sum((0, 2)).clamp(min=1)
    costs = functional.cross_entropy(logits.flatten(0, 2), targets.permute(2, 0, 1).flatten(), reduction="none")
    losses = (costs.view(counted.shape) * counted).sum((0, 2))
    return losses / symbols + penalty(settings, last[0], last[1], counted), losses.detach(), after


def penalty(settings: TrainingSettings, outputs: Tensor, dropped: Tensor, counted: Tensor) -> Tensor:
    """What the last layer pays for its outputs, (R,): for the mean square of what dropout left of them
    (`activation_regularisation`), and of their change from step to step (`temporal_regularisation`).

    `outputs` and `dropped` are (n, R, B, h) and `counted` (n, R, B). Merity, McCann & Socher 2017 ("Revisiting
    activation regularization for language RNNs"), here as means over the units too, not sums.
    """
    paid = counted.new_zeros(counted.shape[1])
    if settings.activation_regularisation:
        squares = (dropped.square().mean(-1) * counted).sum((0, 2)) / counted.sum((0, 2)).clamp(min=1)
        paid = paid + settings.activation_regularisation * squares
    if settings.temporal_regularisation:
        moved, later = (outputs[1:] - outputs[:-1]).square().mean(-1), counted[1:]
        squares = (moved * later).sum((0, 2)) / later.sum((0, 2)).clamp(min=1)
        paid = paid + settings.temporal_regularisation * squares
    return paid


def gradients_of(
    architecture: Architecture,
    settings: TrainingSettings,
    parameters: Parameters,
    masks: Masks,
    batch: tuple[Tensor, Tensor, Tensor],
    state: list[State],
    present: Sequence[bool],
) -> tuple[Tensor, Parameters, list[State]]:
    """The summed loss of a batch, (R,), gradients of each replica's objective, and the state after, detached.

    The arguments are those of `objective`.
    """
    leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    aims, losses, after = objective(architecture, settings, leaves, masks, batch, state, present)
    gradients = torch.autograd.grad(aims.sum(), list(leaves.values()))  # the replicas share nothing, so the sum splits
    detached = [tuple(value.detach() for value in layer) for layer in after]
    return losses, dict(zip(leaves, gradients, strict=True)), detached
