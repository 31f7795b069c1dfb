"""Cells that torch.nn does not have, against their definitions step by step; tests/oracle compares the others."""

from typing import Any

import pytest
import torch
from cell_definitions import DEFINITIONS, run_definition
from made_layers import draw_layer
from torch import Tensor

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.fused import FUNCTIONS
from seqlab.fleet.cells import CELLS, State
from seqlab.fleet.cells.deltanet import HEADS
from seqlab.fleet.stack import run_layer

torch.set_num_threads(1)

SCANNED = [cell for cell in CELLS if CELLS[cell].scan]
WAYS = [(cell, way) for cell in DEFINITIONS for way in ("loop", "scan") if way == "loop" or cell in SCANNED]
STEPS = [1, 2, 3, 7, 35]
INPUTS, HIDDEN, REPLICAS, ROWS = 4, 6, 2, 3


def take(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute every layer by its time loop, or by its scan where it has one."""
    monkeypatch.setattr(ways, "choose_way", lambda shape: {"loop": ways.LOOP, "scan": ways.SCAN}[way])


def results(layer: Any, cell: str, inputs: Tensor, state: State, weights: dict[str, Tensor]) -> list[Tensor]:
    """Outputs and states of a layer, and the gradients of a weighted sum of the outputs."""
    leaves = [value.detach().clone().requires_grad_() for value in (inputs, *state, *weights.values())]
    before, own = tuple(leaves[1 : 1 + len(state)]), dict(zip(weights, leaves[1 + len(state) :], strict=True))
    outputs, after = layer(cell, leaves[0], before, own)
    factors = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    gradients = torch.autograd.grad((outputs * factors.to(outputs)).sum(), leaves, materialize_grads=True)
    return [outputs, *after, *gradients]


def test_every_cell_has_a_definition_to_be_compared_with():
    assert {*CELLS} == {*DEFINITIONS, *FUNCTIONS}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(("cell", "way"), WAYS)
def test_outputs_states_and_gradients(cell, way, steps, monkeypatch):
    take(way, monkeypatch)
    random = torch.Generator().manual_seed(steps)
    weights, state = draw_layer(cell, INPUTS, HIDDEN, REPLICAS, ROWS, random)
    inputs = torch.randn(steps, REPLICAS, ROWS, INPUTS, generator=random, dtype=torch.float64)
    computed = results(run_layer, cell, inputs, state, weights)
    expected = results(run_definition, cell, inputs, state, weights)
    for value, right in zip(computed, expected, strict=True):
        torch.testing.assert_close(value, right, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("cell", "way"), WAYS)
def test_gradients_against_finite_differences(cell, way, monkeypatch):
    take(way, monkeypatch)
    random = torch.Generator().manual_seed(3)
    weights, state = draw_layer(cell, 2, 3, REPLICAS, 2, random)
    inputs = torch.randn(3, REPLICAS, 2, 2, generator=random, dtype=torch.float64)

    def outputs(*leaves: Tensor) -> Tensor:
        parameters = dict(zip(weights, leaves[1 + len(state) :], strict=True))
        return run_layer(cell, leaves[0], leaves[1 : 1 + len(state)], parameters)[0]

    assert torch.autograd.gradcheck(outputs, [v.requires_grad_() for v in (inputs, *state, *weights.values())])


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("cell", SCANNED)
def test_a_scan_continues_from_a_state_as_single_steps_do(cell, steps):
    """In float32: the state is carried as in a text that is read in pieces."""
    random = torch.Generator().manual_seed(steps)
    weights, state = draw_layer(cell, INPUTS, HIDDEN, REPLICAS, ROWS, random)
    inputs = torch.randn(steps, REPLICAS, ROWS, INPUTS, generator=random)
    weights, before = {n: v.float() for n, v in weights.items()}, tuple(part.float() for part in state)
    projected, others = inputs @ weights.pop("W_xh") + weights.pop("b_h"), list(weights.values())
    outputs, after = CELLS[cell].scan(projected, before, *others)
    for step, output in zip(projected, outputs, strict=True):
        single, before = CELLS[cell].layer(step[None], before, *others)
        torch.testing.assert_close(output, single[0], rtol=1e-5, atol=1e-5)
    for part, other in zip(after, before, strict=True):
        torch.testing.assert_close(part, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("zero", [True, False], ids=["zero state", "state"])
@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
@pytest.mark.parametrize(("cell", "way"), WAYS)
def test_saturated_gates(cell, way, size, zero, monkeypatch):
    """Every gate is at 0 or at 1: values and gradients are finite, and those of single steps."""
    take(way, monkeypatch)
    random = torch.Generator().manual_seed(1)
    weights, state = draw_layer(cell, INPUTS, HIDDEN, REPLICAS, ROWS, random)
    saturated = slice(-HEADS, None) if cell == "deltanet" else slice(None)  # the rates; keys are scaled anyway
    weights["b_h"][..., saturated] = 0
    weights["W_xh"][..., saturated] = size * weights["W_xh"][..., saturated].sign()
    weights, state = (
        {n: v.float() for n, v in weights.items()},
        tuple((0 if zero else 1) * part.float() for part in state),
    )
    inputs = torch.randint(-1, 2, (7, REPLICAS, ROWS, INPUTS), generator=random).float()
    computed = results(run_layer, cell, inputs, state, weights)
    assert all(value.isfinite().all() for value in computed)
    for step, output in zip(inputs, computed[0], strict=True):
        single, state = run_layer(cell, step[None], state, weights)
        torch.testing.assert_close(output, single[0], rtol=1e-4, atol=1e-4 * float(output.detach().abs().max()))
