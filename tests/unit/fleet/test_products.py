"""Products with rounded factors, against the same products in float64."""

import pytest
import torch
from made_layers import draw_layer

from seqlab.fleet.cells import CELLS
from seqlab.fleet.products import ONEDNN, TORCH, StepProduct, affine, multiply_replicas, prefer_products
from seqlab.fleet.stack import run_layer

WEIGHT, ROWS, TERM = torch.randn(2, 6, 8), torch.randn(2, 3, 6), torch.randn(2, 3, 8)
EXACT = ROWS.double() @ WEIGHT.double()
ROUNDED = ROWS.bfloat16().double() @ WEIGHT.bfloat16().double()
DIGITS = 2.0**-8  # bfloat16 has eight bits of mantissa


def test_in_their_own_precision_nothing_is_rounded():
    product = StepProduct(WEIGHT, 3, torch.float32)
    assert torch.equal(product.write(ROWS, torch.empty_like(TERM)), ROWS @ WEIGHT)
    assert torch.equal(product.add(TERM, ROWS, torch.empty_like(TERM)), torch.baddbmm(TERM, ROWS, WEIGHT))


def test_only_factors_and_product_are_rounded_and_the_term_is_not():
    product = StepProduct(WEIGHT, 3, torch.bfloat16)
    written = product.write(ROWS, torch.empty_like(TERM))
    torch.testing.assert_close(written.double(), ROUNDED, rtol=DIGITS, atol=1e-3)
    assert written.dtype == torch.float32 and not torch.allclose(written.double(), EXACT, rtol=1e-4, atol=0)
    large = TERM + 4096  # which bfloat16 could not tell from 4096
    added = product.add(large, ROWS, torch.empty_like(TERM))
    torch.testing.assert_close(added.double() - large.double(), ROUNDED, rtol=DIGITS, atol=2e-3)


def test_a_sum_may_be_written_where_its_term_was():
    for precision in (torch.float32, torch.bfloat16):
        product, carried = StepProduct(WEIGHT, 3, precision), TERM.clone()
        product.add(carried, ROWS, carried)
        torch.testing.assert_close(carried, product.add(TERM, ROWS, torch.empty_like(TERM)))


def test_the_product_of_all_steps():
    torch.testing.assert_close(
        multiply_replicas(ROWS, WEIGHT, torch.bfloat16).double(), ROUNDED, rtol=DIGITS, atol=1e-3
    )
    assert torch.equal(multiply_replicas(ROWS, WEIGHT, torch.float32), ROWS @ WEIGHT)


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_with_rounded_factors_is_close_to_the_exact_one(cell):
    random, hidden = torch.Generator().manual_seed(1), 16
    drawn, state = draw_layer(cell, hidden, hidden, 2, 3, random)
    inputs = torch.randn(7, 2, 3, hidden, generator=random, dtype=torch.float64)
    outputs, gradients = [], []
    for precision in (None, torch.bfloat16):
        leaves = [value.clone().requires_grad_() for value in (inputs, *drawn.values())]
        weights = {name: value / 4 for name, value in zip(drawn, leaves[1:], strict=True)}
        found, _ = run_layer(cell, leaves[0], state, weights, precision)
        outputs.append(found.detach())
        gradients.append(torch.cat([value.flatten() for value in torch.autograd.grad(found.square().sum(), leaves)]))
    assert not torch.equal(*outputs)
    torch.testing.assert_close(*outputs, rtol=0, atol=0.02)
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.999


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("sizes", [(40, 6, 5), (1, 3, 2), (64, 32, 16)])
def test_products_of_onednn_with_gradients(replicas, sizes):
    rows, inputs, outputs = sizes
    random = torch.Generator().manual_seed(1)
    shapes = [(rows, replicas, 1, inputs), (replicas, inputs, outputs), (replicas, 1, outputs)]
    values = [torch.randn(shape, generator=random) for shape in shapes]
    found = []
    for way in (TORCH, ONEDNN):
        prefer_products(way)
        leaves = [value.clone().requires_grad_() for value in values]
        product = affine(*leaves)
        found.append([product, *torch.autograd.grad(product.square().sum(), leaves)])
    prefer_products(TORCH)
    for computed, right in zip(*reversed(found), strict=True):
        torch.testing.assert_close(computed, right, rtol=1e-4, atol=1e-4)


def test_products_in_double_precision_stay_with_torch():
    prefer_products(ONEDNN)
    first, second = torch.ones(1, 2, 3, dtype=torch.float64), torch.ones(1, 3, 2, dtype=torch.float64)
    assert multiply_replicas(first, second, torch.float64).dtype == torch.float64
    prefer_products(TORCH)
