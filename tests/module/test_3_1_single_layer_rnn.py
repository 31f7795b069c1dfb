"""Module section 3.1, the single-layer RNN and its worked example."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from worked_examples import ERRATA, agrees

from seqlab.fleet.cells.rnn import rnn_layer
from seqlab.rnn.network import Architecture

X = torch.tensor([[1, 2], [3, 1]], dtype=torch.float64)
H_BEFORE = torch.tensor([[0.1, -0.2], [0.0, 0.3]], dtype=torch.float64)
W_XH = torch.tensor([[0.5, -1.0], [1.2, 0.3]], dtype=torch.float64)
W_HH = torch.tensor([[0.7, -0.4], [0.2, 0.5]], dtype=torch.float64)
B_H = torch.tensor([[0.1, -0.1]], dtype=torch.float64)


def hidden(projected: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """H_t of one time step of one network, by the library; `projected` is X_t W_xh + b_h."""
    outputs, _ = rnn_layer(projected[None, None], (before[None],), W_HH[None])
    return outputs[0, 0]


H = hidden(X @ W_XH + B_H, H_BEFORE)
PRE_ACTIVATIONS = {  # the terms of A_t one by one, from what the layer returns
    "X_t W_xh": hidden(X @ W_XH, torch.zeros_like(H_BEFORE)).atanh(),
    "H_t-1 W_hh": hidden(torch.zeros_like(H_BEFORE), H_BEFORE).atanh(),
    "A_t": H.atanh(),
}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("X_t W_xh", [[2.9, -0.4], [2.7, -2.7]]),
        ("H_t-1 W_hh", [[0.03, -0.14], [0.06, 0.15]]),
        ("A_t", [[3.03, -0.64], [2.86, -2.65]]),
    ],
)
def test_terms_of_the_pre_activation(name, right):
    torch.testing.assert_close(PRE_ACTIVATIONS[name], torch.tensor(right, dtype=torch.float64), rtol=0, atol=1e-12)


def test_hidden_state():
    assert agrees(H, "[[0.995, -0.565], [0.993, -0.990]]").all()


@pytest.mark.parametrize(
    ("name", "computed"),
    [
        ("X_t W_xh [2,2]", PRE_ACTIVATIONS["X_t W_xh"][1, 1]),
        ("A_t [2,2]", PRE_ACTIVATIONS["A_t"][1, 1]),
        ("H_t [2,2]", H[1, 1]),
    ],
)
def test_errata(name, computed):
    assert agrees(computed, ERRATA[name].right).all()
    assert not agrees(computed, ERRATA[name].printed).any()


def test_the_new_state_is_the_last_output():
    outputs, (state,) = rnn_layer((X @ W_XH + B_H).repeat(3, 1, 1, 1), (H_BEFORE[None],), W_HH[None])
    assert torch.equal(state, outputs[-1])


def test_a_layer_joins_input_and_state_and_feeds_them_to_a_dense_layer():
    joined = torch.cat([X, H_BEFORE], dim=1) @ torch.cat([W_XH, W_HH]) + B_H
    torch.testing.assert_close(H, joined.tanh(), rtol=0, atol=1e-14)


@given(d=st.integers(1, 50), h=st.integers(1, 50))
def test_parameters(d, h):
    """W_xh, W_hh, b_h, W_hq and b_q; time steps are no part of the count. A language model has q = d."""
    assert Architecture("rnn", 1, h, d).parameters == d * h + h * h + h + h * d + d
