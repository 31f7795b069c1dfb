"""Products of activations and weights for a fleet, in float32 or with factors rounded to bfloat16.

Only the factors are rounded: sums, states, weights and gradients stay as they are. Processors with instructions for
bfloat16 multiply about twice as fast; the result has three decimal digits.
"""

import torch
from torch import Tensor


def batched(first: Tensor, second: Tensor, precision: torch.dtype) -> Tensor:
    """The product of each replica: (R, a, b) times (R, b, c) is (R, a, c), in the type of `first`."""
    return (first.to(precision) @ second.to(precision)).to(first.dtype)


class StepProduct:
    """Products of one weight, (R, i, o), with the activations of one step after the other, (R, B, i)."""

    def __init__(self, weight: Tensor, batch_size: int, precision: torch.dtype) -> None:
        self.weight, self.rounds = weight.to(precision), precision != weight.dtype
        if self.rounds:
            replicas, inputs, outputs = weight.shape
            self.rounded = self.weight.new_empty(replicas, batch_size, inputs)
            self.product = self.weight.new_empty(replicas, batch_size, outputs)

    def write(self, activations: Tensor, out: Tensor) -> Tensor:
        """`activations` times the weight, written to `out`, (R, B, o)."""
        if not self.rounds:
            return torch.bmm(activations, self.weight, out=out)
        self.rounded.copy_(activations)
        return out.copy_(torch.bmm(self.rounded, self.weight, out=self.product))

    def add(self, term: Tensor, activations: Tensor, out: Tensor, times: float = 1.0) -> Tensor:
        """`times` times `term`, (R, B, o), plus `activations` times the weight, written to `out`, (R, B, o)."""
        if not self.rounds:
            return torch.baddbmm(term, activations, self.weight, beta=times, out=out)
        self.rounded.copy_(activations)
        return torch.add(torch.bmm(self.rounded, self.weight, out=self.product), term, alpha=times, out=out)
