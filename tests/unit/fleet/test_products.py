"""Products with rounded factors, against the same products in float64."""

import pytest
import torch

from seqlab.fleet.cells import CELLS
from seqlab.fleet.products import StepProduct, multiply_replicas

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


@pytest.mark.parametrize("cell", [cell for cell in CELLS if list(CELLS[cell].shapes(1, 1)) == ["W_xh", "W_hh", "b_h"]])
def test_a_layer_with_rounded_factors_is_close_to_the_exact_one(cell):
    torch.manual_seed(1)
    hidden, kind = 16, CELLS[cell]
    rows, wide = kind.shapes(hidden, hidden)["W_hh"]
    inputs = torch.randn(7, 2, 3, wide), torch.randn(2, rows, wide) / 4
    outputs, gradients = [], []
    for precision in (torch.float32, torch.bfloat16):
        leaves = [value.clone().requires_grad_() for value in inputs]
        state = tuple(torch.zeros(2, 3, *shape) for shape in kind.state_shapes(hidden))
        out, _ = kind.layer(leaves[0], state, leaves[1], precision=precision)
        outputs.append(out)
        gradients.append(torch.cat([value.flatten() for value in torch.autograd.grad(out.square().sum(), leaves)]))
    assert not torch.equal(*outputs)
    torch.testing.assert_close(*outputs, rtol=0, atol=0.02)
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.999
