"""Memory curves: a network cut off from the past, against scoring short texts one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seqlab.io.cards import write_card
from seqlab.io.runs import Run
from seqlab.ledger.memory import ngram_rows, source_row
from seqlab.ledger.places import places_of, positions
from seqlab.ledger.record import record
from seqlab.rnn.memory import bits_after
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits

TEXT = [np.random.default_rng(1).integers(0, 5, 30), np.random.default_rng(2).integers(0, 5, 12)]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("context", [1, 4, 9])
def test_a_cut_network_is_one_that_scores_a_text_which_begins_there(cell, context):
    architecture = Architecture(cell, 2, 6, 5)
    parameters = architecture.initial_parameters([1, 2])
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


def scored_run(folder: Path, family: str, model: str, bits: float, settings: dict, **more: object) -> Run:
    """A run in the ledger whose symbols all cost the same."""
    run = Run(str(folder), "toy", "char", family, model)
    data = {"ids": "0", "splits": "1", "vocab": "2"}
    names = {"corpus": run.corpus, "unit": run.unit, "family": family, "model": model}
    write_card(run.file("card.yaml"), names | {"settings": settings, "seeds": [], "data": data})
    counts = {"scored": 6, "unknown": 0, "characters": 6, "bytes": 6, "words": 1}
    splits = {"splits": dict.fromkeys(("valid", "test"), counts)}
    record(run.folder, splits, {split: np.full((1, 6), bits) for split in splits["splits"]}, **more)
    return run


def test_n_grams_stand_by_their_context_and_pruned_ones_do_not(tmp_path):
    whole = [("kept", "mkn", 2, 2.0), ("longest", "mkn", 10, 1.0), ("kn-1", "kn", 1, 3.0)]  # a name is but a label
    runs = [scored_run(tmp_path, "ngram", model, bits, {"smoothing": smoothing, "order": order})
            for model, smoothing, order, bits in whole]  # fmt: skip
    settings = {"smoothing": "mkn", "order": 2, "prune": {"entropy": 1e-6}}
    runs.append(scored_run(tmp_path, "ngram", "smaller", 2.5, settings, pruned_from="kept"))
    rows = ngram_rows(runs, np.array([1, 3]))
    shown = [["kn", "kn-1", 0, 2, 3.0], ["mkn", "kept", 1, 2, 2.0], ["mkn", "longest", 9, 2, 1.0]]
    assert [row[:5] for row in rows] == shown
    source = source_row(scored_run(tmp_path, "source", "true-source", 3.0, {}), np.array([1, 3]))
    assert source[:5] == ["source", "true-source", np.inf, 2, 3.0]


def test_without_gradients():
    architecture = Architecture("rnn", 1, 4, 5)
    parameters = {name: value.requires_grad_() for name, value in architecture.initial_parameters([1]).items()}
    assert np.isfinite(bits_after(architecture, parameters, TEXT, [(0, 9)], 3)).all()
    assert torch.is_grad_enabled()
