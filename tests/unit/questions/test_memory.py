"""Memory: the rows of sources, n-grams and the best network, and where in a text they are measured."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from seqlab.io.cards import write_card
from seqlab.io.runs import Run
from seqlab.ledger.record import write_ledger
from seqlab.ngram.smoothing import estimate
from seqlab.questions.memory import look_up_rows, measure_cut
from seqlab.questions.subject import choose_positions, find_in_ledger
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits

TEXT = [np.random.default_rng(1).integers(0, 5, 30), np.random.default_rng(2).integers(0, 5, 12)]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_cut_network_is_one_that_scores_a_text_which_begins_there(cell):
    architecture = Architecture(cell, 2, 6, 5)
    parameters = architecture.initial_parameters([1, 2])
    places = choose_positions(TEXT, 9, 100)
    for row in measure_cut("net", NetworkModel(architecture, parameters, [1, 2]), TEXT, places, [1, 4, 9]):
        windows = [TEXT[number][place - row.context : place + 1] for number, place in places]
        alone = np.stack([stream_bits(architecture, parameters, [window])[:, -1] for window in windows], axis=1)
        assert row.symbols == len(places) and row.bits_per_symbol == pytest.approx(alone.mean(), rel=1e-5)
        assert row.bits_per_symbol_std == pytest.approx(alone.mean(1).std(ddof=1), rel=1e-3)


def test_an_ngram_that_is_cut_behind_its_context_loses_nothing():
    model = estimate("mkn", TEXT, 3, 5).model
    places = choose_positions(TEXT, 9, 100)
    rows = list(measure_cut("mkn-3", model, TEXT, places, [1, 2, 9]))
    whole = model.score(TEXT)[0, find_in_ledger(TEXT, places)].mean()
    assert rows[0].bits_per_symbol != pytest.approx(whole)
    assert [row.bits_per_symbol for row in rows[1:]] == pytest.approx([whole, whole])
    assert math.isnan(rows[0].bits_per_symbol_std)


def test_positions_are_spread_over_all_places_that_have_the_context():
    assert choose_positions(TEXT, 9, 1000) == [(0, n) for n in range(9, 30)] + [(1, n) for n in range(9, 12)]
    assert choose_positions(TEXT, 9, 3) == [(0, 9), (0, 21), (1, 11)]


def test_places_lead_to_the_bits_of_these_symbols():
    scored = np.concatenate([segment[1:] for segment in TEXT])
    places = choose_positions(TEXT, 3, 100)
    wanted = [TEXT[number][place] for number, place in places]
    assert scored[find_in_ledger(TEXT, places)].tolist() == wanted


def scored_run(folder: Path, family: str, model: str, bits: float, settings: dict, **more: object) -> Run:
    """A run in the ledger whose symbols all cost the same."""
    run = Run(str(folder), "toy", "char", family, model)
    data = {"ids": "0", "splits": "1", "vocab": "2"}
    names = {"corpus": run.corpus, "unit": run.unit, "family": family, "model": model}
    write_card(run.file("card.yaml"), names | {"settings": settings, "seeds": [], "data": data})
    counts = {"scored": 6, "unknown": 0, "characters": 6, "bytes": 6, "words": 1}
    splits = {"splits": dict.fromkeys(("valid", "test"), counts)}
    write_ledger(run.folder, splits, {split: np.full((1, 6), bits) for split in splits["splits"]}, **more)
    return run


def test_n_grams_stand_by_their_context_and_pruned_ones_do_not(tmp_path):
    whole = [("kept", "mkn", 2, 2.0), ("longest", "mkn", 10, 1.0), ("kn-1", "kn", 1, 3.0)]  # a name is but a label
    runs = [scored_run(tmp_path, "ngram", model, bits, {"smoothing": smoothing, "order": order})
            for model, smoothing, order, bits in whole]  # fmt: skip
    settings = {"smoothing": "mkn", "order": 2, "prune": {"entropy": 1e-6}}
    runs.append(scored_run(tmp_path, "ngram", "smaller", 2.5, settings, pruned_from="kept"))
    runs.append(scored_run(tmp_path, "source", "true-source", 3.0, {}))
    rows = look_up_rows(runs, np.array([1, 3]))
    assert [(row.series, row.model, row.context, row.symbols, row.bits_per_symbol) for row in rows] == [
        ("source", "true-source", np.inf, 2, 3.0),
        ("kn", "kn-1", 0, 2, 3.0),
        ("mkn", "kept", 1, 2, 2.0),
        ("mkn", "longest", 9, 2, 1.0),
    ]


def test_without_gradients():
    architecture = Architecture("rnn", 1, 4, 5)
    parameters = {name: value.requires_grad_() for name, value in architecture.initial_parameters([1]).items()}
    (row,) = measure_cut("net", NetworkModel(architecture, parameters, [1]), TEXT, [(0, 9)], [3])
    assert np.isfinite(row.bits_per_symbol)
    assert torch.is_grad_enabled()
