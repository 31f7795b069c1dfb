"""Symbols k steps ahead, against adding up every way there."""

from itertools import product

import numpy as np
import pytest
import torch

from seqlab.io.errors import InputError
from seqlab.io.runs import Run
from seqlab.io.tables import tabulate_rows
from seqlab.ngram.model import distribution
from seqlab.ngram.pruning import prune_by_relative_entropy
from seqlab.ngram.smoothing import estimate
from seqlab.questions.horizon import HorizonRow, answer, summarize_ahead
from seqlab.questions.subject import Subject
from seqlab.report.curves import plot_horizon
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.sampling import Ahead
from seqlab.text.known_source import KnownSource
from seqlab.text.sources import brackets, even_process, markov_chain, symbol_bits, symbol_ids
from seqlab.text.sources import generate_text as generate_text
from seqlab.text.vocab import Vocab

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
    answers = model.look_ahead(TEXT, PLACES, STEPS, samples=1)
    assert [(ahead.steps, ahead.sampled) for ahead in answers] == [(k, False) for k in STEPS]
    for ahead in answers:
        k = ahead.steps
        for column, (of, place) in enumerate(PLACES):
            known, wanted = TEXT[of][: place - k + 1].tolist(), TEXT[of][place]
            assert 2 ** -ahead.bits[0, column] == pytest.approx(by_hand(model, known, wanted, k), rel=1e-9)


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
    (ahead,) = model.look_ahead(TEXT, [(0, 1), (0, 11), (1, 3)], [1], samples=1)
    assert ahead.bits == pytest.approx(model.score(TEXT)[:, [0, 10, 13]])


def test_a_model_without_back_off_is_not_summed_over():
    model = estimate("laplace", TRAIN, 3, SYMBOLS).model
    assert model.look_ahead(TEXT, PLACES, STEPS, samples=1) == []


@pytest.mark.parametrize("source", [markov_chain(2, 3, 0.5, seed=1), even_process(0.4), brackets(2, 3, 0.5)])
def test_a_source_is_summed_over_every_way(source):
    text, vocab = generate_text(source, 12, seed=2), Vocab(source.alphabet)
    segment, places = symbol_ids(source, text), [(0, 4), (0, 11)]
    for ahead in KnownSource(source, vocab).look_ahead([vocab.encode(text)], places, STEPS, samples=1):
        for column, (_, place) in enumerate(places):
            k = ahead.steps
            known = segment[: place - k + 1]
            total = 0.0
            for way in product(range(len(source.alphabet)), repeat=k - 1):
                total += joint(source, [*known, *way, segment[place]]) / joint(source, known)
            assert 2 ** -ahead.bits[0, column] == pytest.approx(total, rel=1e-9)


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
    network = NetworkModel(architecture, parameters, [1, 2])
    (ahead,) = network.look_ahead(TEXT, [(0, 1), (0, 11), (1, 3)], [1], samples=8)
    assert ahead.bits == pytest.approx(ledger[:, [0, 10, 13]], rel=1e-5)
    assert not ahead.sampled and not ahead.error.any() and not ahead.bias.any()


def test_drawn_ways_of_a_network_agree_with_all_within_their_error():
    architecture = Architecture("lstm", 1, 6, SYMBOLS)
    parameters = {name: 3 * value for name, value in architecture.initial_parameters([1, 2]).items()}
    (ahead,) = NetworkModel(architecture, parameters, [1, 2]).look_ahead(TEXT, PLACES, [3], samples=4000)
    assert ahead.sampled
    for column, (of, place) in enumerate(PLACES):
        known, wanted = TEXT[of][: place - 2].tolist(), int(TEXT[of][place])
        texts = torch.tensor([[*known, *way] for way in product(range(SYMBOLS), repeat=2)])
        state = architecture.zero_state(parameters, len(texts))
        logits, _ = architecture.forward(parameters, texts.expand(2, -1, -1), state)
        after_known, after_one, after_two = logits.softmax(-1)[-3:]  # each (R, ways, V)
        way = torch.arange(len(texts))
        probability = after_known[:, way, texts[:, -2]] * after_one[:, way, texts[:, -1]] * after_two[:, :, wanted]
        exact = -np.log2(probability.sum(-1).numpy())
        assert (np.abs(ahead.bits[:, column] - exact) < 5 * ahead.error[:, column]).all()
        assert (ahead.error[:, column] < 0.05).all()


def test_the_error_of_drawing_is_what_repeats_show():
    architecture = Architecture("rnn", 1, 6, SYMBOLS)
    parameters = {name: 3 * value for name, value in architecture.initial_parameters([1]).items()}
    network = NetworkModel(architecture, parameters, [1])
    repeats = [network.look_ahead(TEXT, PLACES, [4], 64, seed)[0] for seed in range(200)]
    spread = np.std([ahead.bits for ahead in repeats], axis=0)
    assert np.mean([ahead.error for ahead in repeats], axis=0) == pytest.approx(spread, rel=0.25)


def sampled(steps: int, bits: np.ndarray, error: float, bias: float) -> Ahead:
    return Ahead(steps, bits, np.full_like(bits, error), np.full_like(bits, bias), True)


def test_rows_have_the_mean_of_symbols_and_the_error_of_that_mean():
    row = summarize_ahead("ngram", "mkn-3", Ahead.exact(2, np.array([0.5, 0.125])))
    assert (row.bits_per_symbol, row.symbols, row.method, row.sampling_error) == (2.0, 2, "exact", 0.0)
    row = summarize_ahead("rnn", "lstm-1x8", sampled(4, np.array([[1.0, 3.0], [2.0, 4.0]]), 0.1, 0.01))
    assert (row.bits_per_symbol, row.method) == (2.5, "sampled")
    assert row.bits_per_symbol_std == pytest.approx(0.5**0.5)
    assert row.sampling_error == pytest.approx(0.05) and row.sampling_bias == pytest.approx(0.01)


class Models(Subject):
    """Models by their perplexity on valid, of which mkn-2 can't be asked."""

    PERPLEXITIES = (("ngram", "mkn-2", 3.0), ("ngram", "mkn-3", 4.0), ("rnn", "lstm-1x8", 3.5), ("source", "true", 9.0))

    def of_family(self, family):
        return [
            ({"model": run.model, "scores": [{"split": "valid", "perplexity": perplexity}]}, run)
            for run, (*_, perplexity) in zip(self.runs, self.PERPLEXITIES, strict=True)
            if run.family == family
        ]

    def foresight(self, run):
        class Fixed:
            def look_ahead(self, segments, positions, steps, samples):
                found = [Ahead.exact(k, np.full(len(positions), 0.5**k)) for k in steps]
                return [] if run.model == "mkn-2" else found

        return Fixed()


def test_sources_come_first_and_the_next_takes_the_place_of_a_model_that_can_not_be_asked():
    runs = [Run("results/made", "toy", "char", family, model) for family, model, _ in Models.PERPLEXITIES]
    rows = answer(Models(runs, {"test": TEXT}, Vocab()), [2, 1, 99], symbols=5, samples=1)
    assert [(row.model, row.steps, row.bits_per_symbol) for row in rows] == [
        (model, steps, steps) for model in ("true", "mkn-3", "lstm-1x8") for steps in (1, 2)
    ]
    assert {row.symbols for row in rows} == {5}


def test_the_figure_has_a_line_for_every_model():
    rows = [summarize_ahead("source", "true-source", Ahead.exact(k, np.full(3, 0.5**k))) for k in STEPS]
    rows += [summarize_ahead("rnn", "lstm-1x8", sampled(k, np.full((2, 3), 1.0 + k), 0.1, 0.0)) for k in STEPS]
    figure = plot_horizon(tabulate_rows(HorizonRow, rows))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["true-source", "lstm-1x8 (sampled)"]


def test_the_figure_says_when_there_is_nothing_to_draw():
    figure = plot_horizon(tabulate_rows(HorizonRow))
    assert "No model has finite bits" in figure.texts[0].get_text()
