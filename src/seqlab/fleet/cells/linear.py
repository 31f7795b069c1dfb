"""Linear recurrence H_t = K_t * H_{t-1} + N_t with its gradient: a time loop, and a scan.

K_t, kept from the step before, and N_t, what is new, depend on inputs alone. Both functions take `keep` and `new`,
(n, R, B, h), and the state before, `first`, (R, B, h), and return all H_t, (n, R, B, h).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.cells.cell import apply, backward_steps, forward_steps

Recurrence = Callable[[Tensor, Tensor, Tensor], Tensor]
LEAST_STEPS, MOST_VALUES = 32, 512  # for which the scan is faster on a processor: `benchmarks/cells.py --scans`


def is_scan_faster(steps: int, values: int) -> bool:
    """Return whether a scan of n `steps` is faster on a processor, for R B h `values` of the state."""
    return steps >= LEAST_STEPS and values <= MOST_VALUES


def loop_steps(keep: Tensor, new: Tensor, first: Tensor) -> Tensor:
    """Compute one step after the other."""
    return apply(_Loop, keep, new, first)


def scan_steps(keep: Tensor, new: Tensor, first: Tensor) -> Tensor:
    """Compute all steps at once in log2(n) passes (Hillis & Steele 1986).

    Before a pass of distance d, step t holds the product of the last d factors K and their sum of N; the pass joins it
    with step t - d. Nothing is divided, so that factors of 0 and 1 are exact.
    """
    return apply(_Scan, keep, new, first)


class _Loop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keep: Tensor, new: Tensor, first: Tensor) -> Tensor:
        outputs, hidden = torch.empty_like(new), first
        for keep_step, new_step, output in forward_steps(keep, new, outputs):
            hidden = torch.addcmul(new_step, keep_step, hidden, out=output)
        ctx.save_for_backward(keep, first, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, first, outputs = ctx.saved_tensors
        arrived = torch.empty_like(outputs)  # gradients of all H_t, which are those of N_t
        carried = torch.zeros_like(first)
        for step_gradient, keep_step, output_gradient in backward_steps(gradient, keep, arrived):
            torch.add(step_gradient, carried, out=output_gradient)
            torch.mul(output_gradient, keep_step, out=carried)
        return _keep_gradient(arrived, first, outputs), arrived, carried


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keep: Tensor, new: Tensor, first: Tensor) -> Tensor:
        sums = new.clone()
        sums[0].addcmul_(keep[0], first)
        outputs = _accumulate(keep, sums)
        ctx.save_for_backward(keep, first, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, first, outputs = ctx.saved_tensors
        later = torch.cat([keep[1:], torch.zeros_like(keep[:1])])  # the gradient of H_t comes from H_{t+1} by K_{t+1}
        arrived = _accumulate(later.flip(0), gradient.flip(0)).flip(0)
        return _keep_gradient(arrived, first, outputs), arrived, arrived[0] * keep[0]


def _accumulate(factors: Tensor, sums: Tensor) -> Tensor:
    """Return the H_t of H_t = `factors`_t * H_{t-1} + `sums`_t from zero."""
    distance = 1
    while distance < len(sums):
        joined = torch.addcmul(sums[distance:], factors[distance:], sums[:-distance])
        sums = torch.cat([sums[:distance], joined])
        factors = torch.cat([factors[:distance], factors[distance:] * factors[:-distance]])
        distance *= 2
    return sums


def _keep_gradient(arrived: Tensor, first: Tensor, outputs: Tensor) -> Tensor:
    return arrived * torch.cat([first[None], outputs[:-1]])
