"""Mixtures: weights by EM against a search over all of them, and what a mixture may never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ledger.mixture import choose_parts, fit_weights, mixture_bits, stack_replicas


def bits_of(seed: int, parts: int, symbols: int = 300) -> np.ndarray:
    return -np.log2(np.random.default_rng(seed).dirichlet(np.ones(4), (parts, symbols))[..., 0])


def metrics(family: str, model: str, *perplexities: float) -> dict:
    rows = [{"split": "valid", "perplexity": value} for value in perplexities]
    return {"family": family, "model": model, "scores": [*rows, {"split": "test", "perplexity": 1.0}]}


@pytest.mark.parametrize("seed", range(5))
def test_weights_agree_with_a_grid_search(seed):
    bits = bits_of(seed, 3)
    steps = np.linspace(0, 1, 101)
    grid = [(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-9]
    costs = [mixture_bits(bits, np.clip(np.array(weights), 0, 1)).mean() for weights in grid]
    weights = fit_weights(bits)
    assert mixture_bits(bits, weights).mean() <= min(costs) + 1e-7
    np.testing.assert_allclose(weights, grid[int(np.argmin(costs))], atol=0.03)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 4))
def test_a_mixture_is_never_worse_than_its_best_part_on_what_it_was_fitted_to(seed, parts):
    bits = bits_of(seed, parts, symbols=50)
    assert mixture_bits(bits, fit_weights(bits)).mean() <= bits.mean(1).min() + 2e-7


def test_bits_of_a_mixture_by_hand():
    bits = np.array([[1.0, 3.0], [2.0, np.inf]])
    np.testing.assert_allclose(mixture_bits(bits, np.array([0.5, 0.5])), [-np.log2(0.375), 4.0])


def test_very_improbable_symbols_do_not_underflow():
    bits = np.array([[3000.0, 1.0], [3001.0, 1.0]])
    np.testing.assert_allclose(mixture_bits(bits, np.array([0.5, 0.5])), [3000 - np.log2(0.75), 1.0])


def test_a_symbol_that_no_part_allows_costs_infinitely_many_bits_and_forbids_fitting():
    bits = np.array([[np.inf, 1.0], [np.inf, 2.0]])
    assert mixture_bits(bits, np.array([0.5, 0.5]))[0] == np.inf
    with pytest.raises(InputError, match="has probability zero under every part"):
        fit_weights(bits)


def test_a_part_with_zeros_is_mixed_in_where_another_covers_them():
    bits = np.array([[0.1, 0.1, 0.1, np.inf], [3.0, 3.0, 3.0, 3.0]])
    weights = fit_weights(bits)
    assert 0 < weights[0] < 1
    assert np.isfinite(mixture_bits(bits, weights)).all()


def test_every_seed_is_a_part():
    names, rows = stack_replicas([("mkn-3", [], np.zeros((1, 5))), ("lstm-1x8", [1, 2], np.ones((2, 5)))])
    assert names == ["mkn-3", "lstm-1x8 seed 1", "lstm-1x8 seed 2"]
    assert rows.shape == (3, 5)


def test_parts_scored_on_different_texts_are_refused():
    with pytest.raises(InputError, match=r"scored on different texts \(mkn-3 5, lstm-1x8 6 symbols\)"):
        stack_replicas([("mkn-3", [], np.zeros((1, 5))), ("lstm-1x8", [1], np.ones((1, 6)))])


def test_the_best_of_a_family_is_chosen_by_its_mean_on_valid_and_is_finite():
    ngrams = [metrics("ngram", "mle-3", float("inf")), metrics("ngram", "mkn-3", 4.0)]
    networks = [metrics("rnn", "lstm-1x8", 3.0, 5.0), metrics("rnn", "rnn-1x8", 3.9, 4.2)]
    chosen = choose_parts(["best ngram", "best rnn", "rnn-1x8"], ngrams + networks)
    assert [one["model"] for one in chosen] == ["mkn-3", "lstm-1x8", "rnn-1x8"]


@pytest.mark.parametrize("part", ["mkn-9", "best rnn"])
def test_a_part_that_is_not_there_is_refused(part):
    with pytest.raises(InputError, match=f"has the part '{part}'"):
        choose_parts([part], [metrics("ngram", "mkn-3", 4.0)])
