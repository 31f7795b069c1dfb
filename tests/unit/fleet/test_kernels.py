"""Layers of a GPU, without one: Triton's kernels in its interpreter, and what cuDNN is given, against the time loop."""

import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
import stand_in
import torch
from torch import Tensor

from seqlab.fleet.accelerated import fused, ways
from seqlab.fleet.cells import CELLS
from seqlab.fleet.products import look_up, look_up_on_gpu

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # before the kernels are defined

STEPS, BATCH, VOCABULARY = 5, 18, 7


def layers(cell: str, hidden: int, replicas: int) -> tuple[list[Tensor], list[Tensor]]:
    """The leaves of a layer, W_xh, W_hh, bias and the states, and gradients to arrive at its results."""
    random = torch.Generator().manual_seed(3)
    _, wide = CELLS[cell].shapes(VOCABULARY, hidden)["b_h"]
    states = [(replicas, BATCH, *shape) for shape in CELLS[cell].state_shapes(hidden)]
    shapes = [(replicas, VOCABULARY, wide), (replicas, hidden, wide), (replicas, 1, wide), *states]
    arriving = [(STEPS, replicas, BATCH, hidden), *states]
    return tuple([torch.randn(shape, generator=random) / 3 for shape in each] for each in (shapes, arriving))


def results(layer: Any, leaves: list[Tensor], arriving: list[Tensor]) -> list[Tensor]:
    """Outputs, last states and gradients."""
    leaves = [value.clone().requires_grad_() for value in leaves]
    outputs, last = layer(*leaves)
    found = [outputs, *last]
    return [*found, *torch.autograd.grad(found, leaves, arriving)]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    for value, right in zip(found, expected, strict=True):
        scale = right.abs().max()
        torch.testing.assert_close(value / scale, right / scale, rtol=0, atol=1e-5)


def by_time_loop(cell: str, inputs: Tensor) -> Any:
    def layer(w_xh: Tensor, w_hh: Tensor, bias: Tensor, *state: Tensor) -> Any:
        return CELLS[cell].layer(look_up(inputs, w_xh, bias), state, w_hh, None)

    return layer


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="here the kernels are compiled: see test_cuda.py")
@pytest.mark.parametrize("hidden", [20, 33, 70])  # less than a tile, more than one, and more than a product's reach
@pytest.mark.parametrize("cell", fused.FUNCTIONS)
def test_kernels_for_steps(cell, hidden):
    from seqlab.fleet.accelerated import stepwise

    inputs = torch.randint(VOCABULARY, (2, BATCH, STEPS), generator=torch.Generator().manual_seed(1))
    leaves, arriving = layers(cell, hidden, 2)

    def layer(w_xh: Tensor, w_hh: Tensor, bias: Tensor, *state: Tensor) -> Any:
        return stepwise.step_layer(cell, look_up_on_gpu(inputs, w_xh, bias), state, w_hh)

    expected = results(by_time_loop(cell, inputs), leaves, arriving)
    assert_same(results(layer, leaves, arriving), expected)
    of_steps = [value.transpose(0, 1).contiguous().transpose(0, 1) for value in arriving[:1]]  # another order in memory
    assert_same(results(layer, leaves, of_steps + arriving[1:]), expected)


@pytest.mark.parametrize(
    ("cell", "replicas", "hidden", "faster"),
    [("lstm", 1, 128, False), ("lstm", 3, 128, True), ("lstm", 1, 256, True), ("rnn", 1, 256, False)],
)
def test_small_fleets_are_left_to_cudnn(cell, replicas, hidden, faster, monkeypatch):
    """The choice itself needs no kernel, so it is tested without Triton too."""
    if find_spec("triton") is None:
        name = "seqlab.fleet.accelerated.kernels"
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(FORWARD=dict.fromkeys(fused.FUNCTIONS), BACKWARD={}))
        monkeypatch.delitem(sys.modules, "seqlab.fleet.accelerated.stepwise", raising=False)
        monkeypatch.setattr(ways, "find_spec", lambda name: True)
    for module in (ways, fused):
        monkeypatch.setattr(module, "is_accelerated", lambda device: True)
    layer = ways.LayerShape(
        cell, 65, hidden, hidden, replicas, 32, 35, torch.device("cpu"), torch.float32, torch.float32
    )
    assert ways.choose_way(layer) == (ways.KERNELS if faster else ways.FUSED)
    assert ways.KERNELS not in ways.list_ways(replace(layer, factors=torch.bfloat16))


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("cell", fused.FUNCTIONS)
def test_what_cudnn_is_given(cell, replicas, monkeypatch):
    monkeypatch.setattr(fused, "is_accelerated", lambda device: True)
    monkeypatch.setattr(fused, "cudnn_forward", stand_in.cudnn_forward)
    monkeypatch.setattr(fused, "cudnn_backward", stand_in.cudnn_backward)
    inputs = torch.randint(VOCABULARY, (replicas, BATCH, STEPS), generator=torch.Generator().manual_seed(1))
    leaves, arriving = layers(cell, 12, replicas)

    def layer(w_xh: Tensor, w_hh: Tensor, bias: Tensor, *state: Tensor) -> Any:
        dense = fused.encode_one_hot(inputs, VOCABULARY, w_xh)
        return fused.fused_layer(cell, dense, state, w_xh, w_hh, bias)

    assert_same(results(layer, leaves, arriving), results(by_time_loop(cell, inputs), leaves, arriving))


@pytest.mark.parametrize("as_product", [True, False])
def test_rows_of_symbols_and_their_gradient(as_product, monkeypatch):
    if not as_product:
        monkeypatch.setattr("seqlab.fleet.products.PRODUCT_SYMBOLS", 1)
    random = torch.Generator().manual_seed(1)
    inputs = torch.randint(VOCABULARY, (2, BATCH, STEPS), generator=random)
    arriving = torch.randn(STEPS, 2, BATCH, 6, generator=random)
    found = []
    for rows in (look_up_on_gpu, look_up):
        leaves = [torch.ones(2, VOCABULARY, 6, requires_grad=True), torch.ones(2, 1, 6, requires_grad=True)]
        value = rows(inputs, *leaves)
        found.append([value, *torch.autograd.grad(value, leaves, arriving)])
    assert_same(*found)
