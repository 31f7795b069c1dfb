"""DeltaNet: several heads, blocks of the scan, and rates beyond one; test_definitions.py has what cells share."""

import pytest
import torch
from cell_definitions import step_deltanet
from made_layers import draw_layer

from seqlab.fleet.cells.deltanet import BLOCK_STEPS, DELTANET, HEADS
from seqlab.rnn.network import Architecture

torch.set_num_threads(1)


@pytest.mark.parametrize(("hidden", "units"), [(1, 1), (6, 2), (64, 16), (100, 25), (255, 64)])
def test_heads_share_the_units(hidden, units):
    assert DELTANET.state_shapes(hidden) == ((HEADS, units, units),)
    assert DELTANET.shapes(3, hidden)["W_oh"] == (HEADS * units, hidden)


@pytest.mark.parametrize("beta_max", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("layer", [DELTANET.layer, DELTANET.scan], ids=["loop", "scan"])
def test_several_blocks(layer, beta_max):
    """Two blocks and a bit, with heads of more units together than there are outputs."""
    random = torch.Generator().manual_seed(1)
    weights, state = draw_layer("deltanet", 3, 6, 1, 2, random)
    inputs = torch.randn(2 * BLOCK_STEPS + 3, 1, 2, 3, generator=random, dtype=torch.float64)
    projected = inputs @ weights["W_xh"] + weights["b_h"]
    outputs, (after,) = layer(projected, state, weights["W_oh"], weights["s_o"], beta_max=beta_max)
    expected, before = [], tuple(part[0] for part in state)
    for x in inputs[:, 0]:
        output, before = step_deltanet(x, {name: value[0] for name, value in weights.items()}, before, beta_max)
        expected.append(output)
    torch.testing.assert_close(outputs[:, 0], torch.stack(expected), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(after[0], before[0], rtol=1e-10, atol=1e-10)


def test_one_key_with_the_largest_rate_flips_its_value_again_and_again():
    """S k becomes 2 v - S k: from zero it is 2 v, 0, 2 v and so on, however many steps a block has."""
    random = torch.Generator().manual_seed(2)
    units, sums = 8, 10 * torch.randn(1, 1, 1, 3, HEADS * 8, generator=random)
    sums[..., 0, :] = sums[..., 1, :]  # the queries are the keys
    rates = torch.full((1, 1, 1, HEADS), 1e3)
    projected = torch.cat([sums.flatten(3), rates], -1).expand(BLOCK_STEPS, -1, -1, -1)
    zero = torch.zeros(1, 1, HEADS, units, units)
    outputs, (after,) = DELTANET.scan(
        projected, (zero,), torch.eye(HEADS * units)[None], torch.ones(1, 1, units), beta_max=2.0
    )
    assert after.abs().max() < 1e-2  # of values around 10
    torch.testing.assert_close(outputs[2::2], outputs[:1].expand_as(outputs[2::2]), rtol=1e-3, atol=1e-3)


def test_without_a_largest_rate_it_is_the_published_one():
    random = torch.Generator().manual_seed(3)
    weights, state = draw_layer("deltanet", 2, 4, 1, 2, random)
    projected = torch.randn(5, 1, 2, weights["W_xh"].shape[2], generator=random, dtype=torch.float64)
    published, one, two = (
        DELTANET.scan(projected, state, weights["W_oh"], weights["s_o"], beta_max=beta_max)[0]
        for beta_max in (None, 1.0, 2.0)
    )
    assert torch.equal(published, one) and not torch.allclose(published, two)


def test_rates_start_high_and_differ_among_symbols():
    """With beta up to 2, most eigenvalues along a key are negative at the start, and few are near 0."""
    parameters = Architecture("deltanet", 1, 16, 40, beta_max=2.0).initial_parameters([1])
    rates = 2 * torch.sigmoid(parameters["W_xh_1"] + parameters["b_h_1"])[..., -HEADS:]
    assert rates.min() < 0.5 and rates.max() > 1.98 and (rates > 1).float().mean() > 0.6
    assert parameters["W_xh_1"][..., :-HEADS].abs().max() <= 1 and not parameters["b_h_1"][..., :-HEADS].any()
    assert torch.equal(parameters["s_o_1"], torch.ones(1, 1, 4))
