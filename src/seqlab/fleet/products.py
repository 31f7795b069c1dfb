"""Products of activations and weights for a fleet, in float32 or with factors rounded to bfloat16.

Only the factors are rounded: sums, states, weights and gradients stay as they are. Processors with instructions for
bfloat16 multiply about twice as fast; the result has three decimal digits.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqlab.machine.devices import is_accelerated

TORCH, ONEDNN = "the products of torch", "the products of oneDNN"  # those of large matrices in float32, on a processor
PRODUCT_SYMBOLS = 1_024  # up to this many, a gradient of rows is fastest as a product with one-hot vectors


_preferred = [TORCH]


def prefer_products(way: str) -> None:
    """Compute the products of large matrices in this `way` from now on, TORCH or ONEDNN."""
    _preferred[0] = way


def draw_product() -> dict[str, Callable[[], object]]:
    """Return a function for each way that computes a product of the size of a batch."""
    first, second = torch.full((1, 1024, 256), 0.1), torch.full((1, 256, 256), 0.1)
    return {TORCH: lambda: first @ second, ONEDNN: lambda: _multiply_by_onednn(first, second)}


def multiply_replicas(first: Tensor, second: Tensor, precision: torch.dtype) -> Tensor:
    """The product of each replica: (R, a, b) times (R, b, c) is (R, a, c), in the type of `first`."""
    if precision == first.dtype and _uses_onednn(first):
        return _multiply_by_onednn(first, second)
    return (first.to(precision) @ second.to(precision)).to(first.dtype)


def _uses_onednn(tensor: Tensor) -> bool:
    return _preferred[0] == ONEDNN and tensor.device.type == "cpu" and tensor.dtype == torch.float32


def _multiply_by_onednn(first: Tensor, second: Tensor) -> Tensor:
    """Compute (R, a, b) times (R, b, c) without a gradient, by the operator that torch.compile uses for linear layers.

    torch multiplies matrices in float32 by MKL, which uses a part of what some processors can do.
    """
    linear = torch.ops.mkldnn._linear_pointwise
    replicas = [linear(rows, weight.mT, None, "none", [], "") for rows, weight in zip(first, second, strict=True)]
    return replicas[0][None] if len(replicas) == 1 else torch.stack(replicas)


class _Affine(torch.autograd.Function):
    """Rows (R, a, b) times a weight (R, b, c) plus a bias (R, 1, c), by the preferred products."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return multiply_replicas(rows, weight, rows.dtype).add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        rows, weight = ctx.saved_tensors
        of_rows = multiply_replicas(gradient, weight.mT, rows.dtype) if ctx.needs_input_grad[0] else None
        return of_rows, multiply_replicas(rows.mT, gradient, rows.dtype), gradient.sum(1, keepdim=True)


class StepProduct:
    """Products of one weight, (R, i, o), with the activations of successive steps, (R, B, i)."""

    def __init__(self, weight: Tensor, batch_size: int, precision: torch.dtype) -> None:
        self.weight, self.rounds = weight.to(precision), precision != weight.dtype
        if self.rounds:
            replicas, inputs, outputs = weight.shape
            self.rounded = self.weight.new_empty(replicas, batch_size, inputs)
            self.product = self.weight.new_empty(replicas, batch_size, outputs)

    def write(self, activations: Tensor, out: Tensor) -> Tensor:
        """Write `activations` times the weight to `out`, (R, B, o), and return it."""
        if not self.rounds:
            return torch.bmm(activations, self.weight, out=out)
        self.rounded.copy_(activations)
        return out.copy_(torch.bmm(self.rounded, self.weight, out=self.product))

    def add(self, term: Tensor, activations: Tensor, out: Tensor, times: float = 1.0) -> Tensor:
        """Write `times` times `term`, (R, B, o), plus `activations` times the weight to `out` and return it."""
        if not self.rounds:
            return torch.baddbmm(term, activations, self.weight, beta=times, out=out)
        self.rounded.copy_(activations)
        return torch.add(torch.bmm(self.rounded, self.weight, out=self.product), term, alpha=times, out=out)


class _Rows(torch.autograd.Function):
    """Rows of a table, (R, V, o), for indices (R, rows): (R, rows, o). The gradient of few symbols is one product."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor) -> Tensor:
        ctx.save_for_backward(indices)
        ctx.vocabulary = table.shape[1]
        return table.gather(1, indices[..., None].expand(-1, -1, table.shape[2]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (indices,) = ctx.saved_tensors
        if ctx.vocabulary <= PRODUCT_SYMBOLS:
            symbols = torch.arange(ctx.vocabulary, device=gradient.device)
            return (symbols[:, None] == indices[:, None, :]).to(gradient) @ gradient, None
        table = gradient.new_zeros(len(gradient), ctx.vocabulary, gradient.shape[2])
        return table.scatter_add_(1, indices[..., None].expand_as(gradient), gradient), None


def look_up_on_gpu(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the result of `look_up`, for a GPU: (R, n, B, G h) in memory, and gradients without sorting."""
    return _pick_rows_on_gpu(inputs, weight + bias)


def _pick_rows_on_gpu(inputs: Tensor, table: Tensor) -> Tensor:
    replicas, batch_size, steps = inputs.shape
    apply: Any = _Rows.apply
    rows = apply(table, inputs.transpose(1, 2).reshape(replicas, steps * batch_size))
    return rows.view(replicas, steps, batch_size, -1).transpose(0, 1)


def pick_rows(inputs: Tensor, table: Tensor) -> Tensor:
    """Rows of `table`, (R, V, o), for indices `inputs`, (R, B, n): (n, R, B, o)."""
    if is_accelerated(table.device):
        return _pick_rows_on_gpu(inputs, table)
    return functional.embedding(_places_of(inputs, table), table.flatten(0, 1))


def _places_of(inputs: Tensor, table: Tensor) -> Tensor:
    """Places of the rows for `inputs`, (n, R, B), where the tables of all replicas lie one below the other."""
    return inputs.permute(2, 0, 1) + table.shape[1] * torch.arange(len(table), device=inputs.device)[:, None]


def look_up(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """X_t W_xh + b_h of one-hot `inputs`, indices (R, B, n), as rows of W_xh: (n, R, B, G h)."""
    rows = _places_of(inputs, weight)
    if weight.shape[1] <= inputs[0].numel():  # fewer rows than symbols: the bias is added to them
        return functional.embedding(rows, (weight + bias).flatten(0, 1))
    return functional.embedding(rows, weight.flatten(0, 1)) + bias


def affine(inputs: Tensor, weight: Tensor, bias: Tensor, precision: torch.dtype | None = None) -> Tensor:
    """Product of `inputs`, (n, R, B, i), and `weight`, (R, i, o), plus `bias`, (R, 1, o): (n, R, B, o)."""
    steps, replicas, batch_size, _ = inputs.shape
    rows = inputs.transpose(0, 1).reshape(replicas, steps * batch_size, -1)
    if precision is None or precision == weight.dtype:
        apply: Any = _Affine.apply
        product = apply(rows, weight, bias) if _uses_onednn(weight) else torch.baddbmm(bias, rows, weight)
    else:
        product = multiply_replicas(rows, weight, precision) + bias
    return product.view(replicas, steps, batch_size, -1).transpose(0, 1)
