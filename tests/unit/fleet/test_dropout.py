"""What dropout silences, and that a replica's masks are its own."""

import pytest
import torch
from made_fleets import settings_of

from seqlab.fleet.dropout import Dropout, draw_masks, drop_outputs, drop_weights
from seqlab.rnn.network import Architecture


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_a_share_is_silenced_and_the_mean_stays():
    (mask,) = draw_masks(generators(1), [True], (300, 300), (0.2,))
    assert mask.unique().tolist() == pytest.approx([0.0, 1.25])
    assert (mask == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert mask.mean().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("share", [1e-7, 0.01, 0.5, 0.99])
def test_entries_are_silenced_each_on_its_own_at_any_share(share):
    """The number in every 8th entry, counted from each of 8 places, is binomial; 5 standard deviations are allowed."""
    (mask,) = draw_masks(generators(3), [True], (80_000,), (share,))
    silent = (mask == 0).double().view(-1, 8)
    deviation = (share * (1 - share) / len(silent)) ** 0.5
    assert (silent.mean(0) - share).abs().max() < 5 * deviation + 2**-16
    together = (silent[:, :-1] * silent[:, 1:]).mean().item()
    assert together == pytest.approx(share**2, abs=5 * deviation * share + 2**-16)


def test_a_replica_without_a_batch_draws_nothing():
    pair = generators(1, 2)
    before = pair[1].get_state()
    _, absent = draw_masks(pair, [True, False], (4, 4), (0.5, 0.5))
    assert torch.equal(absent, torch.ones(4, 4)) and torch.equal(pair[1].get_state(), before)


def test_masks_depend_on_the_seed_alone():
    alone, fleet = (
        draw_masks(generators(2), [True], (5, 5), (0.5,)),
        draw_masks(generators(1, 2, 3), [True] * 3, (5, 5), (0.5,) * 3),
    )
    assert torch.equal(alone[0], fleet[1])
    assert not torch.equal(fleet[0], fleet[1])


@pytest.mark.parametrize("locked", [False, True])
def test_locked_masks_are_the_same_in_all_steps(locked):
    settings = settings_of(dropout=0.5, locked_dropout=locked)
    dropped = drop_outputs(Dropout.of([settings] * 2), generators(1, 2), [True, True], torch.ones(6, 2, 7, 8))
    same = [torch.equal(dropped[0], step) for step in dropped[1:]]
    assert same == [locked] * 5
    assert not torch.equal(dropped[:, 0], dropped[:, 1])  # each replica has its own
    assert not torch.equal(dropped[:, :, 0], dropped[:, :, 1])  # and each row of the batch


def test_a_silenced_symbol_is_silent_for_every_unit_and_only_as_an_input():
    parameters = Architecture("lstm", 2, 6, 40).initial_parameters([1, 2])
    settings = settings_of(embedding_dropout=0.5)
    dropped = drop_weights(Dropout.of([settings] * 2), generators(1, 2), [True, True], parameters)
    silent = (dropped["W_xh_1"] == 0).all(-1)
    assert 10 < silent[0].sum() < 30 and not torch.equal(silent[0], silent[1])
    torch.testing.assert_close(dropped["W_xh_1"][~silent], 2 * parameters["W_xh_1"][~silent])
    assert all(dropped[name] is parameters[name] for name in parameters if name != "W_xh_1")


@pytest.mark.parametrize("tied", [False, True])
def test_a_silenced_symbol_of_an_embedding_is_silent_only_as_an_input(tied):
    network = Architecture("gru", 1, 6, 40, embedding=6, tied=tied)
    parameters = network.initial_parameters([1])
    dropped = drop_weights(Dropout.of([settings_of(embedding_dropout=0.5)]), generators(1), [True], parameters)
    silent = (dropped["W_xe"] == 0).all(-1)[0]
    assert 10 < silent.sum() < 30
    inputs, state = torch.arange(40)[None, :, None], network.zero_state(parameters, 40)  # a row for each symbol
    logits, after = network.forward(dropped, inputs, state)
    assert len(after[0][0][0, silent].unique(dim=0)) == 1  # all silenced symbols lead to one state
    assert len(after[0][0][0, ~silent].unique(dim=0)) == 40 - silent.sum()
    assert len(logits[0, 0, 0].unique()) == 40  # and every symbol has a logit of its own


def test_recurrent_weights_are_silenced_one_by_one_in_every_layer():
    parameters = Architecture("gru", 2, 20, 5).initial_parameters([1])
    dropped = drop_weights(Dropout.of([settings_of(recurrent_dropout=0.25)]), generators(1), [True], parameters)
    for name, value in parameters.items():
        silent = (dropped[name] == 0) & (value != 0)
        assert (0.2 < silent.float().mean() < 0.3) if name.startswith("W_hh") else dropped[name] is value


def test_without_shares_nothing_is_drawn():
    (generator,) = generators(1)
    before = generator.get_state()
    parameters = Architecture("rnn", 1, 4, 3).initial_parameters([1])
    assert drop_weights(Dropout.of([settings_of()]), [generator], [True], parameters) == parameters
    assert torch.equal(generator.get_state(), before)


def test_a_replica_that_drops_nothing_draws_nothing():
    pair = generators(1, 2)
    before = pair[0].get_state()
    dropout = Dropout.of([settings_of(), settings_of(dropout=0.5)])
    dropped = drop_outputs(dropout, pair, [True, True], torch.ones(3, 2, 4, 5))
    alone = drop_outputs(Dropout.of([settings_of(dropout=0.5)]), generators(2), [True], torch.ones(3, 1, 4, 5))
    assert torch.equal(pair[0].get_state(), before) and (dropped[:, 0] == 1).all()
    assert torch.equal(dropped[:, 1:], alone)
