"""Optimisers and learning rate schedules for a fleet: each replica has its own rate and gradient norm, or no update.

torch.optim would treat the stacked replicas as one network; the formulas are those of torch.optim, and the tests
compare both.
"""

import math
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import torch
from torch import Tensor

from seqlab.fleet.stack import Parameters


def gradient_norms(gradients: Parameters) -> Tensor:
    """The Euclidean norm over all parameters of each replica, shape (R,)."""
    squares = [gradient.flatten(1).square().sum(1) for gradient in gradients.values()]
    return torch.stack(squares).sum(0).sqrt()


def clip_gradients(gradients: Parameters, limit: float) -> Tensor:
    """Scale the gradients of each replica down to at most `limit` in norm, in place; returns the norms before, (R,)."""
    norms = gradient_norms(gradients)
    scale = (limit / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients.values():
        gradient.mul_(_per_replica(scale))
    return norms


class Coefficients(NamedTuple):
    """Coefficients of one step of an optimiser, each (R,); they depend on the schedule, not on the gradients."""

    rates: Tensor  # learning rates, zero for a replica without an update
    active: Tensor  # of bool, or 0 and 1: true for a replica that is updated
    size: Tensor  # the step size of Adam, corrected for moments that start at zero
    epsilon: Tensor  # the term added to the root of the second moments


class Optimiser:
    """SGD, Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019) on stacked parameters."""

    def __init__(self, kind: str, parameters: Parameters, weight_decay: float = 0.0) -> None:
        self.kind, self.weight_decay, self.betas, self.epsilon = kind, weight_decay, (0.9, 0.999), 1e-8
        replicas = next(iter(parameters.values())).shape[0]
        self.steps = torch.zeros(replicas, dtype=torch.float64)
        moments = ("first", "second") if kind != "sgd" else ()
        self.moments = {
            moment: {name: torch.zeros_like(value) for name, value in parameters.items()} for moment in moments
        }

    def with_moments(self, moments: dict[str, Parameters]) -> "Optimiser":
        """Return a copy of the optimiser with other `moments`, for `apply`."""
        optimiser = copy(self)
        optimiser.moments = moments
        return optimiser

    def update(self, parameters: Parameters, gradients: Parameters, rates: Tensor, active: Tensor) -> None:
        """Update the replicas for which `active`, (R,) of bool, is true, with the learning rates `rates`, (R,)."""
        self.steps += active.to(self.steps)
        self.apply(parameters, gradients, self.coefficients(self.steps, rates, active))

    def coefficients(self, steps: Tensor, rates: Tensor, active: Tensor) -> Coefficients:
        """Return the coefficients of a step; `steps` are the numbers of steps up to and including it, (R,) or (any, R),
        the other arguments those of `update`.
        """
        rates = torch.where(active, rates, 0.0)
        (beta_1, beta_2), steps = self.betas, steps.clamp(min=1)
        correction = (1 - beta_2**steps).sqrt()
        return Coefficients(rates, active, rates * correction / (1 - beta_1**steps), self.epsilon * correction)

    @torch.no_grad()
    def apply(self, parameters: Parameters, gradients: Parameters, step: Coefficients) -> None:
        """Update `parameters` in place by a step with these coefficients."""
        for name, value in parameters.items():
            gradient = gradients[name]
            if self.kind != "adamw" and self.weight_decay:
                gradient = gradient + self.weight_decay * value
            if self.kind == "adamw":
                value.mul_(1 - _per_replica(step.rates * self.weight_decay).to(value))
            if self.kind == "sgd":
                value.sub_(_per_replica(step.rates).to(value) * gradient)
            else:
                self._adam(name, value, gradient, step)

    def _adam(self, name: str, value: Tensor, gradient: Tensor, step: Coefficients) -> None:
        (beta_1, beta_2), is_active = self.betas, _per_replica(step.active).to(value)
        first, second = self.moments["first"][name], self.moments["second"][name]
        first.lerp_(gradient, is_active * (1 - beta_1))
        second.lerp_(gradient.square(), is_active * (1 - beta_2))
        root = second.sqrt().add_(_per_replica(step.epsilon).to(value))
        value.addcmul_(first / root, _per_replica(step.size).to(value), value=-1)


def schedule_factor(kind: str, epoch_share: float, warmup: float) -> float:
    """Factor of the learning rate when the share `epoch_share` (0 to 1) of all epochs is done.

    The first `warmup` share rises linearly; then "cosine" falls to zero and "constant" stays. "plateau" depends on the
    validation loss instead: see `plateau_factor`.
    """
    if epoch_share < warmup:
        return epoch_share / warmup
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (epoch_share - warmup) / (1 - warmup)))
    return 1.0


def plateau_factor(losses: Sequence[float], patience: int, factor: float) -> float:
    """Return `factor` ** k, where k counts the runs of `patience` epochs without a better validation loss."""
    best, waited, times = math.inf, 0, 0
    for loss in losses:
        if loss < best:
            best, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            times, waited = times + 1, 0
    return factor**times


def _per_replica(values: Tensor) -> Tensor:
    return values[:, None, None]
