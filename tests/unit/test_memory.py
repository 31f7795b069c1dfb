"""Memory curves: a network cut off from the past, against scoring short texts one by one."""

import numpy as np
import pytest
import torch

from seqlab.ledger.memory import ngram_rows, source_row
from seqlab.ledger.places import places_of, positions
from seqlab.ledger.scores import write_scores
from seqlab.rnn.memory import bits_after
from seqlab.rnn.network import Architecture, initial_parameters
from seqlab.rnn.scoring import stream_bits

TEXT = [np.random.default_rng(1).integers(0, 5, 30), np.random.default_rng(2).integers(0, 5, 12)]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("context", [1, 4, 9])
def test_a_cut_network_is_one_that_scores_a_text_which_begins_there(cell, context):
    architecture = Architecture(cell, 2, 6, 5)
    parameters = initial_parameters(architecture, [1, 2])
    places = positions(TEXT, 9, 100)
    bits = bits_after(architecture, parameters, TEXT, places, context)
    assert bits.shape == (2, len(places))
    for column, (number, place) in enumerate(places):
        alone = stream_bits(architecture, parameters, [TEXT[number][place - context : place + 1]])
        np.testing.assert_allclose(bits[:, column], alone[:, -1], rtol=1e-5)


def test_positions_are_spread_over_all_places_that_have_the_context():
    assert positions(TEXT, 9, 1000) == [(0, n) for n in range(9, 30)] + [(1, n) for n in range(9, 12)]
    assert positions(TEXT, 9, 3) == [(0, 9), (0, 21), (1, 11)]


def test_places_lead_to_the_bits_of_these_symbols():
    scored = np.concatenate([segment[1:] for segment in TEXT])
    places = positions(TEXT, 3, 100)
    wanted = [TEXT[number][place] for number, place in places]
    assert scored[places_of(TEXT, places)].tolist() == wanted


def test_n_grams_stand_by_their_context_and_pruned_ones_do_not(tmp_path):
    ledger = []
    for model, bits in (("mkn-2", 2.0), ("mkn-10", 1.0), ("kn-1", 3.0), ("mkn-2-entropy-1e-6", 2.5)):
        write_scores(tmp_path / model / "scores.npz", {split: np.full((1, 6), bits) for split in ("valid", "test")})
        ledger.append(({"model": model}, tmp_path / model / "metrics.json"))
    rows = ngram_rows(ledger, np.array([1, 3]))
    shown = [["kn", "kn-1", 0, 2, 3.0], ["mkn", "mkn-2", 1, 2, 2.0], ["mkn", "mkn-10", 9, 2, 1.0]]
    assert [row[:5] for row in rows] == shown
    source = source_row({"model": "true-source"}, tmp_path / "kn-1" / "metrics.json", np.array([1, 3]))
    assert source[:5] == ["source", "true-source", np.inf, 2, 3.0]


def test_without_gradients():
    architecture = Architecture("rnn", 1, 4, 5)
    parameters = {name: value.requires_grad_() for name, value in initial_parameters(architecture, [1]).items()}
    assert np.isfinite(bits_after(architecture, parameters, TEXT, [(0, 9)], 3)).all()
    assert torch.is_grad_enabled()
