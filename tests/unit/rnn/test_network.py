"""Shapes, initial weights and the separation of replicas; tests/oracle compares the numbers with torch.nn."""

import pytest
import torch

from seqlab.fleet.cells import CELLS
from seqlab.io.errors import InputError
from seqlab.machine import devices
from seqlab.rnn.network import Architecture

torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        # W_xh 3 * 4, W_hh 4 * 4, b_h 4; W_hq 4 * 3, b_q 3
        (Architecture("rnn", 1, 4, 3), 12 + 16 + 4 + 12 + 3),
        # as above, and for the second layer W_xh 4 * 4, W_hh 4 * 4, b_h 4
        (Architecture("rnn", 2, 4, 3), 47 + 16 + 16 + 4),
        # three gates: W_xh 3 * 12, W_hh 4 * 12, b_h 12; W_hq 4 * 3, b_q 3
        (Architecture("gru", 1, 4, 3), 36 + 48 + 12 + 12 + 3),
        # four gates: W_xh 3 * 16, W_hh 4 * 16, b_h 16, then W_xh 4 * 16, W_hh 4 * 16, b_h 16; W_hq 4 * 3, b_q 3
        (Architecture("lstm", 2, 4, 3), 48 + 64 + 16 + 64 + 64 + 16 + 12 + 3),
        # W_xe 3 * 2; W_xh 2 * 4, W_hh 4 * 4, b_h 4; W_hq 4 * 3, b_q 3
        (Architecture("rnn", 1, 4, 3, embedding=2), 6 + 8 + 16 + 4 + 12 + 3),
        # W_xe 3 * 4, which is also the output; W_xh 4 * 4, W_hh 4 * 4, b_h 4; b_q 3
        (Architecture("rnn", 1, 4, 3, embedding=4, tied=True), 12 + 16 + 16 + 4 + 3),
        # W_xe 3 * 2; W_xh 2 * 4, W_hh 4 * 4, b_h 4; W_he 4 * 2, b_q 3
        (Architecture("rnn", 1, 4, 3, embedding=2, tied=True), 6 + 8 + 16 + 4 + 8 + 3),
    ],
)
def test_parameters_by_hand(architecture, parameters):
    assert architecture.parameters == parameters
    made = architecture.initial_parameters([1, 2])
    assert sum(value[0].numel() for value in made.values()) == parameters


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_has_the_shape_that_is_promised(cell):
    architecture = Architecture(cell, 3, 5, 7)
    made = architecture.initial_parameters([1, 2])
    assert {name: tuple(value.shape[1:]) for name, value in made.items()} == architecture.shapes
    assert {value.shape[0] for value in made.values()} == {2}


@pytest.mark.parametrize(
    ("tied", "name", "bound"),
    [(False, "W_xe", 1), (False, "W_xh_1", 0.25), (False, "W_hq", 0.2), (True, "W_xe", 0.25), (True, "W_he", 0.2)],
)
def test_weights_of_an_embedding_start_within_the_root_of_their_inputs(tied, name, bound):
    """An embedding of size 16 has one input as a table, and 16 as tied output weights."""
    weights = Architecture("gru", 1, 25, 40, embedding=16, tied=tied).initial_parameters([3])[name]
    assert 0.97 * bound < weights.abs().max() <= bound


@pytest.mark.parametrize("cell", CELLS)
def test_weights_start_uniform_within_the_root_of_their_inputs(cell):
    """A one-hot input is one input, a hidden layer of 25 units is 25."""
    parameters = Architecture(cell, 2, 25, 40).initial_parameters([3])
    for name, weights in parameters.items():
        if name.startswith("W_") and name.rpartition("_")[0] not in CELLS[cell].initial:
            bound = 1 if name == "W_xh_1" else 0.2
            assert 0.98 * bound < weights.abs().max() <= bound
            assert weights.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_a_state_too_large_for_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(devices, "_count_free_bytes", lambda device: 2**29)
    network = Architecture("deltanet", 2, 1024, 4)
    like = {"b_q": torch.zeros(3, 1, 4)}
    assert (
        len(network.zero_state(like, 64)) == 2
    )  # 2 layers, 3 networks, 64 rows, 4 heads of 256 x 256, 4 bytes: 0.4 GiB
    message = (
        r"^the state of deltanet for 3 networks of 1024 units and 128 sequences at once takes 0\.8 GiB of memory, and "
        r"0\.5 GiB are free; lower rnn\.hidden"
    )
    with pytest.raises(InputError, match=message):
        network.zero_state(like, 128)


def test_the_forget_gate_starts_open_and_the_other_biases_at_zero():
    for layer in (1, 2):
        bias = Architecture("lstm", 2, 3, 4).initial_parameters([1])[f"b_h_{layer}"]
        assert bias.flatten().tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
        assert not Architecture("rnn", 2, 3, 4).initial_parameters([1])[f"b_h_{layer}"].any()


def test_initial_weights_depend_on_the_seed_alone():
    architecture = Architecture("lstm", 2, 6, 5)
    alone, fleet = architecture.initial_parameters([2]), architecture.initial_parameters([1, 2, 3])
    for name in alone:
        assert torch.equal(alone[name][0], fleet[name][1])
    assert not torch.equal(fleet["W_hq"][0], fleet["W_hq"][1])


@pytest.mark.parametrize("cell", CELLS)
def test_replicas_share_nothing(cell):
    architecture = Architecture(cell, 2, 6, 5)
    parameters = architecture.initial_parameters([1, 2])
    inputs = torch.randint(5, (2, 3, 8), generator=torch.Generator().manual_seed(1))
    before, _ = architecture.forward(parameters, inputs, architecture.zero_state(parameters, 3))
    for value in parameters.values():
        value[0] += 1
    inputs[0] = 0
    after, _ = architecture.forward(parameters, inputs, architecture.zero_state(parameters, 3))
    assert torch.equal(before[:, 1], after[:, 1])
    assert not torch.equal(before[:, 0], after[:, 0])


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_carries_all_there_is_to_know(cell):
    architecture = Architecture(cell, 2, 6, 5)
    parameters = {name: value.double() for name, value in architecture.initial_parameters([1]).items()}
    inputs = torch.randint(5, (1, 2, 9), generator=torch.Generator().manual_seed(2))
    state = architecture.zero_state(parameters, 2)
    whole, _ = architecture.forward(parameters, inputs, state)
    first, between = architecture.forward(parameters, inputs[:, :, :4], state)
    second, _ = architecture.forward(parameters, inputs[:, :, 4:], between)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=1e-12, atol=1e-12)


def test_an_embedding_larger_than_the_vocabulary_is_noted():
    assert Architecture("rnn", 1, 4, 30, embedding=30).notes == []
    (note,) = Architecture("rnn", 1, 4, 30, embedding=31).notes
    assert note.startswith("rnn.embedding is 31, more than the 30 symbols of the vocabulary")


def test_embedded_symbols_are_dropped_as_the_outputs_of_layers_are():
    architecture = Architecture("rnn", 2, 6, 5, embedding=3)
    parameters, shapes = architecture.initial_parameters([1, 2]), []

    def drop(outputs: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(outputs.shape))
        return torch.zeros_like(outputs)

    inputs = torch.randint(5, (2, 4, 7), generator=torch.Generator().manual_seed(3))
    _, after = architecture.forward(parameters, inputs, architecture.zero_state(parameters, 4), drop)
    assert shapes == [(7, 2, 4, 3), (7, 2, 4, 6), (7, 2, 4, 6)]
    assert torch.equal(after[0][0], torch.zeros(2, 4, 6))  # the first layer saw no symbol, and its biases are zero


def test_dropping_happens_after_every_layer_and_never_in_the_recurrence():
    architecture = Architecture("rnn", 3, 6, 5)
    parameters = architecture.initial_parameters([1, 2])
    inputs = torch.randint(5, (2, 4, 7), generator=torch.Generator().manual_seed(3))
    seen = []

    def drop(outputs: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(outputs.shape))
        return torch.zeros_like(outputs)

    state = architecture.zero_state(parameters, 4)
    _, after_kept = architecture.forward(parameters, inputs, state)
    dropped, after_dropped = architecture.forward(parameters, inputs, state, drop)
    assert seen == [(7, 2, 4, 6)] * 3
    assert torch.equal(after_kept[0][0], after_dropped[0][0])  # the first layer's recurrence saw nothing of it
    assert torch.equal(dropped, parameters["b_q"].expand_as(dropped))
