"""Symbols k steps ahead, against adding up every way there."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from seqlab.io.errors import InputError
from seqlab.ledger.horizon import COLUMNS, exact_row, sampled_row
from seqlab.ngram import horizon as ngram
from seqlab.ngram.model import distribution, symbol_probabilities
from seqlab.ngram.pruning import prune_by_relative_entropy
from seqlab.ngram.smoothing import estimate
from seqlab.report.curves import horizon
from seqlab.rnn.horizon import bits_ahead
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.text.horizon import probabilities_ahead
from seqlab.text.sources import brackets, even_process, markov_chain, symbol_bits, symbol_ids
from seqlab.text.sources import generate as generate_text

SYMBOLS = 4
RANDOM = np.random.default_rng(3)
TRAIN = [RANDOM.choice(SYMBOLS, 300, p=[0.4, 0.3, 0.2, 0.1]) for _ in range(2)]
TEXT = [RANDOM.integers(0, SYMBOLS, 12), RANDOM.integers(0, SYMBOLS, 9)]
PLACES = [(0, 4), (0, 11), (1, 5)]
STEPS = [1, 2, 4]


@pytest.mark.parametrize("smoothing", ["mle", "wb", "kn", "mkn"])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_an_ngram_is_summed_over_every_way(smoothing, order):
    model = estimate(smoothing, TRAIN, order, SYMBOLS).model
    assert_sums(model)


@pytest.mark.parametrize("order", [2, 4])
def test_a_pruned_ngram_is_summed_over_every_way(order):
    whole = estimate("mkn", TRAIN, order, SYMBOLS).model
    assert_sums(prune_by_relative_entropy(whole, 0.01))


def assert_sums(model):
    found = ngram.probabilities_ahead(model, TEXT, PLACES, STEPS)
    for row, k in enumerate(STEPS):
        for column, (of, place) in enumerate(PLACES):
            known, wanted = TEXT[of][: place - k + 1].tolist(), TEXT[of][place]
            assert found[row, column] == pytest.approx(by_hand(model, known, wanted, k), rel=1e-9)


def by_hand(model, known, wanted, k):
    total = 0.0
    for way in product(range(SYMBOLS), repeat=k - 1):
        probability, text = 1.0, list(known)
        for symbol in way:
            probability *= distribution(model, text)[symbol]
            text.append(symbol)
        total += probability * distribution(model, text)[wanted]
    return total


def test_one_step_ahead_is_the_ledger():
    model = estimate("mkn", TRAIN, 3, SYMBOLS).model
    ledger = symbol_probabilities(model, TEXT)
    assert ngram.probabilities_ahead(model, TEXT, [(0, 1), (0, 11), (1, 3)], [1])[0] == pytest.approx(
        ledger[[0, 10, 13]]
    )


def test_a_model_without_back_off_is_not_summed_over():
    model = estimate("laplace", TRAIN, 3, SYMBOLS).model
    assert not ngram.feasible(model)
    with pytest.raises(InputError, match="cannot be summed over; choose"):
        ngram.probabilities_ahead(model, TEXT, PLACES, STEPS)


@pytest.mark.parametrize("source", [markov_chain(2, 3, 0.5, seed=1), even_process(0.4), brackets(2, 3, 0.5)])
def test_a_source_is_summed_over_every_way(source):
    segment = symbol_ids(source, generate_text(source, 12, seed=2))
    places = [(0, 4), (0, 11)]
    found = probabilities_ahead(source, [segment], places, STEPS)
    for row, k in enumerate(STEPS):
        for column, (_, place) in enumerate(places):
            known = segment[: place - k + 1]
            total = 0.0
            for way in product(range(len(source.alphabet)), repeat=k - 1):
                total += joint(source, [*known, *way, segment[place]]) / joint(source, known)
            assert found[row, column] == pytest.approx(total, rel=1e-9)


def joint(source, text):
    try:
        return 2.0 ** -symbol_bits(source, np.array(text)).sum()
    except InputError:  # it cannot emit this text
        return 0.0


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_next_symbol_of_a_network_is_the_ledger(cell):
    architecture = Architecture(cell, 2, 6, SYMBOLS)
    parameters = architecture.initial_parameters([1, 2])
    ledger = stream_bits(architecture, parameters, TEXT)
    found = bits_ahead(architecture, parameters, TEXT, [(0, 1), (0, 11), (1, 3)], 1, samples=8)
    assert found.bits == pytest.approx(ledger[:, [0, 10, 13]], rel=1e-5)
    assert not found.error.any() and not found.bias.any()


def test_drawn_ways_of_a_network_agree_with_all_within_their_error():
    architecture = Architecture("lstm", 1, 6, SYMBOLS)
    parameters = {name: 3 * value for name, value in architecture.initial_parameters([1, 2]).items()}
    found = bits_ahead(architecture, parameters, TEXT, PLACES, 3, samples=4000)
    for column, (of, place) in enumerate(PLACES):
        known, wanted = TEXT[of][: place - 2].tolist(), int(TEXT[of][place])
        texts = torch.tensor([[*known, *way] for way in product(range(SYMBOLS), repeat=2)])
        state = architecture.zero_state(parameters, len(texts))
        logits, _ = architecture.forward(parameters, texts.expand(2, -1, -1), state)
        after_known, after_one, after_two = logits.softmax(-1)[-3:]  # each (R, ways, V)
        way = torch.arange(len(texts))
        probability = after_known[:, way, texts[:, -2]] * after_one[:, way, texts[:, -1]] * after_two[:, :, wanted]
        exact = -np.log2(probability.sum(-1).numpy())
        assert (np.abs(found.bits[:, column] - exact) < 5 * found.error[:, column]).all()
        assert (found.error[:, column] < 0.05).all()


def test_the_error_of_drawing_is_what_repeats_show():
    architecture = Architecture("rnn", 1, 6, SYMBOLS)
    parameters = {name: 3 * value for name, value in architecture.initial_parameters([1]).items()}
    drawn = [bits_ahead(architecture, parameters, TEXT, PLACES, 4, 64, seed) for seed in range(200)]
    spread = np.std([one.bits for one in drawn], axis=0)
    told = np.mean([one.error for one in drawn], axis=0)
    assert told == pytest.approx(spread, rel=0.25)


def test_rows_have_the_mean_of_symbols_and_the_error_of_that_mean():
    row = dict(zip(COLUMNS, exact_row("ngram", "mkn-3", 2, np.array([0.5, 0.125])), strict=True))
    assert (row["bits_per_symbol"], row["symbols"], row["method"], row["sampling_error"]) == (2.0, 2, "exact", 0.0)
    bits = np.array([[1.0, 3.0], [2.0, 4.0]])
    made = sampled_row("rnn", "lstm-1x8", 4, bits, np.full((2, 2), 0.1), np.full((2, 2), 0.01))
    row = dict(zip(COLUMNS, made, strict=True))
    assert row["bits_per_symbol"] == 2.5 and row["bits_per_symbol_std"] == pytest.approx(0.5**0.5)
    assert row["sampling_error"] == pytest.approx(0.05) and row["sampling_bias"] == pytest.approx(0.01)


def test_the_figure_has_a_line_for_every_model():
    rows = [exact_row("source", "true-source", k, np.full(3, 0.5**k)) for k in STEPS]
    rows += [sampled_row("rnn", "lstm-1x8", k, np.full((2, 3), 1.0 + k), np.full((2, 3), 0.1), np.zeros((2, 3)))
             for k in STEPS]  # fmt: skip
    figure = horizon(pd.DataFrame(rows, columns=COLUMNS))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["true-source", "lstm-1x8 (drawn)"]


def test_the_figure_says_when_there_is_nothing_to_draw():
    figure = horizon(pd.DataFrame([], columns=COLUMNS))
    assert "No model has finite bits" in figure.texts[0].get_text()
