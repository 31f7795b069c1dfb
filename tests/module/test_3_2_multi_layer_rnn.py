"""Module section 3.2, the multi-layer RNN and its worked example, by the network that is trained.

Symbols are one-hot, so X_t W_xh is a row of W_xh_1. The example's X_t is not; its rows X_t W_xh^(1) stand in W_xh_1
instead, and the two sequences of the minibatch are the symbols 0 and 1. With W_hq the identity, O_t is H_t^(2).
"""

import torch
from hypothesis import given
from hypothesis import strategies as st
from worked_examples import ERRATA, agrees

from seqlab.rnn.network import Architecture

TWO_LAYERS = Architecture("rnn", layers=2, hidden=2, vocabulary=2)
X = torch.tensor([[1, 2], [3, 1]], dtype=torch.float64)
H_BEFORE = [
    torch.tensor([[0.1, -0.2], [0.0, 0.3]], dtype=torch.float64),
    torch.tensor([[-0.1, 0.4], [0.2, -0.3]], dtype=torch.float64),
]
PARAMETERS = {
    "W_xh_1": X @ torch.tensor([[0.5, -1.0], [1.2, 0.3]], dtype=torch.float64),
    "W_hh_1": torch.tensor([[0.7, -0.4], [0.2, 0.5]], dtype=torch.float64),
    "b_h_1": torch.tensor([[0.1, -0.1]], dtype=torch.float64),
    "W_xh_2": torch.tensor([[0.4, -0.6], [0.9, 0.2]], dtype=torch.float64),
    "W_hh_2": torch.tensor([[-0.3, 0.7], [0.5, -0.1]], dtype=torch.float64),
    "b_h_2": torch.tensor([[0.0, 0.2]], dtype=torch.float64),
    "W_hq": torch.eye(2, dtype=torch.float64),
    "b_q": torch.zeros(1, 2, dtype=torch.float64),
}
NOTHING = torch.zeros(2, 2, dtype=torch.float64)


def run(before: list[torch.Tensor], **changed: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """O_t, (2, 2), and the new hidden state of both layers."""
    parameters = {name: value[None] for name, value in (PARAMETERS | changed).items()}
    state = [(hidden[None],) for hidden in before]
    logits, after = TWO_LAYERS.forward(parameters, torch.tensor([[[0], [1]]]), state)
    return logits[0, 0], [hidden[0] for (hidden,) in after]


OUTPUT, (H_1, H_2) = run(H_BEFORE)


def test_hidden_state_of_the_first_layer():
    assert agrees(H_1, "[[0.995, -0.565], [0.993, -0.990]]").all()


def test_errata_of_the_first_layer():
    for name, computed in (("A_t [2,2]", H_1.atanh()[1, 1]), ("H_t [2,2]", H_1[1, 1])):
        assert agrees(computed, ERRATA[name].right).all(), name
        assert not agrees(computed, ERRATA[name].printed).any(), name


def test_erratum_first_layer_to_second():
    _, (_, hidden) = run([H_BEFORE[0], NOTHING], b_h_2=torch.zeros(1, 2, dtype=torch.float64))
    assert agrees(hidden.atanh(), ERRATA["H_t^(1) W_xh^(2)"].right).all()
    assert not agrees(hidden.atanh(), ERRATA["H_t^(1) W_xh^(2)"].printed).any()


def test_second_layer_from_its_own_state():
    no_bias = torch.zeros(1, 2, dtype=torch.float64)
    _, (_, hidden) = run(H_BEFORE, W_xh_2=NOTHING, b_h_2=no_bias)
    assert agrees(hidden.atanh(), "[[0.23, -0.11], [-0.21, 0.17]]").all()


def test_erratum_pre_activation_of_the_second_layer():
    assert agrees(H_2.atanh(), ERRATA["A_t^(2)"].right).all()
    assert not agrees(H_2.atanh(), ERRATA["A_t^(2)"].printed).any()


def test_erratum_hidden_state_of_the_second_layer():
    assert agrees(H_2, ERRATA["H_t^(2)"].right).all()
    assert not agrees(H_2, ERRATA["H_t^(2)"].printed).any()


def test_the_output_is_computed_from_the_top_layer():
    assert torch.equal(OUTPUT, H_2)


@given(layers=st.integers(1, 6), h=st.integers(1, 30), vocabulary=st.integers(1, 30))
def test_parameters_grow_with_the_layers(layers, h, vocabulary):
    grown = Architecture("rnn", layers + 1, h, vocabulary).parameters
    assert grown - Architecture("rnn", layers, h, vocabulary).parameters == h * h + h * h + h
