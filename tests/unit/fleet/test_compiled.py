"""The compiled time loops of layers, against the loops of torch."""

import math
from typing import Any

import pytest
import torch
from made_fleets import fleet_of, trained, untimed
from torch import Tensor

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.compiled import compiled_layer
from seqlab.fleet.accelerated.fused import FUNCTIONS
from seqlab.fleet.calibration import LAYER_NAMES
from seqlab.fleet.cells import CELLS

SHAPES = [(1, 1, 1, 1), (5, 2, 3, 6), (7, 1, 9, 13), (20, 3, 32, 32)]  # n, R, B, h: multiples of four, and others


def draw(cell: str, steps: int, replicas: int, rows: int, hidden: int) -> list[Tensor]:
    """Projected inputs, states and W_hh."""
    random = torch.Generator().manual_seed(1)
    _, wide = CELLS[cell].shapes(1, hidden)["b_h"]
    states = [(replicas, rows, hidden)] * len(CELLS[cell].state_shapes(hidden))
    shapes = [(steps, replicas, rows, wide), *states, (replicas, hidden, wide)]
    *others, w_hh = (torch.randn(shape, generator=random) / 2 for shape in shapes)
    return [*others, w_hh * hidden**-0.5]  # larger weights would make errors grow from step to step


def results(layer: Any, values: list[Tensor]) -> list[Tensor]:
    """Outputs, last states, and gradients of the arguments, with gradients of any size arriving at all results."""
    leaves = [value.clone().requires_grad_() for value in values]
    outputs, last = layer(leaves[0], tuple(leaves[1:-1]), leaves[-1])
    arriving = [torch.randn(v.shape, generator=torch.Generator().manual_seed(2)) for v in (outputs, *last)]
    return [outputs, *last, *torch.autograd.grad([outputs, *last], leaves, arriving)]


def by_compiled_loop(cell: str) -> Any:
    return lambda projected, state, w_hh: compiled_layer(cell, projected, state, w_hh)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", FUNCTIONS)
def test_outputs_states_and_gradients(cell, shape):
    values = draw(cell, *shape)
    expected = results(CELLS[cell].layer, [value.double() for value in values])
    for computed, right in zip(results(by_compiled_loop(cell), values), expected, strict=True):
        torch.testing.assert_close(computed.double(), right, rtol=1e-5, atol=2e-6 * max(1, right.abs().max().item()))


@pytest.mark.parametrize("cell", FUNCTIONS)
def test_arguments_in_another_order_of_memory(cell):
    values = draw(cell, 5, 2, 8, 4)
    turned = [value.transpose(0, 1).contiguous().transpose(0, 1) for value in values]
    for computed, right in zip(*(results(by_compiled_loop(cell), each) for each in (turned, values)), strict=True):
        torch.testing.assert_close(computed, right)


@pytest.mark.parametrize("cell", FUNCTIONS)
def test_saturated_gates(cell):
    projected, *others = draw(cell, 6, 1, 4, 8)
    for value in results(by_compiled_loop(cell), [1e4 * projected, *others]):
        assert value.isfinite().all()
    outputs, *_ = results(by_compiled_loop(cell), [1e4 * projected, *others])
    expected, *_ = results(CELLS[cell].layer, [1e4 * projected, *others])
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("cell", FUNCTIONS)
def test_a_weight_that_is_not_finite_is_seen(cell, value):
    """A training stops where its loss is not finite, so NaN must not be lost in tanh."""
    *others, w_hh = draw(cell, 3, 2, 4, 4)
    w_hh[1] = value
    outputs, *_ = results(by_compiled_loop(cell), [*others, w_hh])
    expected, *_ = results(CELLS[cell].layer, [*others, w_hh])
    assert torch.equal(outputs.isnan(), expected.isnan())
    assert outputs[:, 0].isfinite().all()


@pytest.mark.parametrize("cell", FUNCTIONS)
def test_a_training_of_compiled_loops_is_that_of_the_loops(cell):
    fleets = [fleet_of([1, 2], cell, dropout=0.2, early_stopping=0) for _ in range(2)]
    fleets[0].ways = dict.fromkeys(LAYER_NAMES, ways.COMPILED)
    fleets[1].ways = dict.fromkeys(LAYER_NAMES, ways.LOOP)
    for fleet in fleets:
        trained(fleet)
        ways.forget_preferences()
    for row, other in zip(*(untimed(fleet.history) for fleet in fleets), strict=True):
        assert row == pytest.approx(other, rel=1e-4)


def test_a_replica_has_the_same_bits_alone():
    """Replicas are computed one after the other, so their number changes nothing."""
    values = draw("lstm", 6, 3, 8, 8)
    alone = [value[:, 1:2] if number == 0 else value[1:2] for number, value in enumerate(values)]
    together, single = (results(by_compiled_loop("lstm"), each) for each in (values, alone))
    assert torch.equal(together[0][:, 1:2], single[0])
