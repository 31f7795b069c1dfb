"""Pruning of any model: the laws of probability, and what stays."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_ngrams import UNKNOWN, VOCABULARY, by_definition, counts_of, kept, ngrams_of, of_stream

from seqlab.ngram.model import BackoffModel, distribution, symbol_probabilities
from seqlab.ngram.pruning import perplexity_increases, prune_by_count, prune_by_relative_entropy, renormalise
from seqlab.ngram.smoothing import estimate

LINE_START, LINE_END = 1, 2
texts = st.lists(st.integers(0, VOCABULARY - 2), min_size=8, max_size=60)  # the last symbol of the vocabulary is unseen
orders = st.integers(2, 6)
thresholds = st.floats(-6, 0.5).map(lambda exponent: 10**exponent)
minimums = st.lists(st.integers(1, 4), min_size=6, max_size=6)
words = st.lists(st.integers(3, VOCABULARY - 2), max_size=6)
line_texts = st.lists(words.map(lambda line: np.array([LINE_START, *line, LINE_END])), min_size=1, max_size=8)
ALWAYS_LONG_ENOUGH = np.array([LINE_START, 3, 4, 3, 3, 4, LINE_END])


def contexts_of(symbols: list[int], longest: int = 6) -> list[list[int]]:
    """Every context of the text up to the length, and some that it does not hold."""
    held = {
        tuple(symbols[start : start + length])
        for length in range(longest + 1)
        for start in range(len(symbols) - length + 1)
    }
    return [*map(list, sorted(held)), [UNKNOWN] * 3, [VOCABULARY - 1], [VOCABULARY - 1, *symbols[:3]]]


def assert_sums_to_one(model: BackoffModel, contexts: list[list[int]]) -> None:
    for context in contexts:
        found = distribution(model, context)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, threshold=thresholds)
@settings(max_examples=40, deadline=None)
def test_probabilities_sum_to_one_after_pruning_by_relative_entropy(smoothing, symbols, order, threshold):
    pruned = prune_by_relative_entropy(of_stream(smoothing, symbols, order), threshold)
    assert_sums_to_one(pruned, contexts_of(symbols))


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, minimum=minimums)
@settings(max_examples=40, deadline=None)
def test_probabilities_sum_to_one_after_pruning_by_count(smoothing, symbols, order, minimum):
    pruned = prune_by_count(of_stream(smoothing, symbols, order), counts_of(symbols, order), minimum[:order])
    assert_sums_to_one(pruned, contexts_of(symbols))


@given(symbols=texts, order=orders, threshold=thresholds, minimum=minimums)
@settings(max_examples=40, deadline=None)
def test_probabilities_sum_to_one_after_pruning_twice(symbols, order, threshold, minimum):
    once = prune_by_count(of_stream("mkn", symbols, order), counts_of(symbols, order), minimum[:order])
    assert_sums_to_one(prune_by_relative_entropy(once, threshold), contexts_of(symbols))


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(segments=line_texts, order=orders, threshold=thresholds)
@settings(max_examples=25, deadline=None)
def test_probabilities_of_lines_sum_to_one_after_pruning(smoothing, segments, order, threshold):
    model = estimate(smoothing, [*segments, ALWAYS_LONG_ENOUGH], order, VOCABULARY, LINE_START).model
    pruned = prune_by_relative_entropy(model, threshold, LINE_START)
    contexts = contexts_of(segments[0].tolist())
    assert_sums_to_one(pruned, contexts)
    assert max(distribution(pruned, context)[LINE_START] for context in contexts) == 0


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, threshold=thresholds)
@settings(max_examples=40, deadline=None)
def test_what_was_possible_stays_possible_after_pruning_by_relative_entropy(smoothing, symbols, order, threshold):
    model = of_stream(smoothing, symbols, order)
    pruned = prune_by_relative_entropy(model, threshold)
    for context in contexts_of(symbols):
        assert distribution(pruned, context)[distribution(model, context) > 0].min() > 0


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, minimum=minimums)
@settings(max_examples=40, deadline=None)
def test_what_was_possible_stays_possible_after_pruning_by_count(smoothing, symbols, order, minimum):
    model = of_stream(smoothing, symbols, order)
    pruned = prune_by_count(model, counts_of(symbols, order), minimum[:order])
    for context in contexts_of(symbols):
        assert distribution(pruned, context)[distribution(model, context) > 0].min() > 0


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders)
@settings(max_examples=25, deadline=None)
def test_threshold_zero_changes_no_probability(smoothing, symbols, order):
    model = of_stream(smoothing, symbols, order)
    pruned = prune_by_relative_entropy(model, 0)
    for context in contexts_of(symbols):
        assert distribution(pruned, context) == pytest.approx(distribution(model, context), abs=1e-9)


@given(symbols=texts, order=orders)
@settings(max_examples=25, deadline=None)
def test_threshold_zero_makes_nothing_impossible_possible(symbols, order):
    model = of_stream("mle", symbols, order)
    pruned = prune_by_relative_entropy(model, 0)
    for context in contexts_of(symbols):
        assert np.flatnonzero(distribution(pruned, context) == 0).tolist() == (
            np.flatnonzero(distribution(model, context) == 0).tolist()
        )


@given(symbols=texts, order=orders, threshold=thresholds)
@settings(max_examples=40, deadline=None)
def test_what_goes_costs_less_than_the_threshold(symbols, order, threshold):
    model = of_stream("mkn", symbols, order)
    stays = kept(prune_by_relative_entropy(model, threshold))
    contexts = {ngram[:-1] for ngram in stays}
    for ngrams, increases in zip(ngrams_of(model)[1:], perplexity_increases(model)[1:], strict=True):
        for ngram, increase in zip(ngrams, increases, strict=True):
            assert (ngram in stays) == (increase >= threshold or ngram in contexts)


@given(symbols=texts, order=orders, limits=st.tuples(thresholds, thresholds))
@settings(max_examples=40, deadline=None)
def test_a_higher_threshold_keeps_a_part_of_what_a_lower_one_keeps(symbols, order, limits):
    model = of_stream("mkn", symbols, order)
    most, least = (kept(prune_by_relative_entropy(model, threshold)) for threshold in sorted(limits))
    assert least <= most


@given(symbols=texts, order=orders, minimum=minimums)
@settings(max_examples=40, deadline=None)
def test_contexts_of_ngrams_that_stay_stay_too(symbols, order, minimum):
    stays = kept(prune_by_count(of_stream("mkn", symbols, order), counts_of(symbols, order), minimum[:order]))
    assert {ngram[:-1] for ngram in stays if len(ngram) > 1} <= stays


@given(symbols=texts, order=orders, threshold=thresholds)
@settings(max_examples=25, deadline=None)
def test_the_probabilities_of_ngrams_that_stay_are_those_they_had(symbols, order, threshold):
    model = of_stream("mkn", symbols, order)
    pruned = prune_by_relative_entropy(model, threshold)
    before = dict(zip(itertools.chain(*ngrams_of(model)), np.concatenate(model.probability), strict=True))
    after = dict(zip(itertools.chain(*ngrams_of(pruned)), np.concatenate(pruned.probability), strict=True))
    assert after == {ngram: before[ngram] for ngram in after}


@given(symbols=texts, order=orders, threshold=thresholds)
@settings(max_examples=25, deadline=None)
def test_scoring_a_pruned_model_is_by_definition(symbols, order, threshold):
    pruned = prune_by_relative_entropy(of_stream("mkn", symbols, order), threshold)
    expected = [
        by_definition(pruned, tuple(symbols[max(place - order + 1, 0) : place]))[symbols[place]]
        for place in range(1, len(symbols))
    ]
    assert symbol_probabilities(pruned, [np.array(symbols)]).tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_renormalise_finds_the_weights_of_a_smoothed_model(smoothing, symbols, order, seed):
    model = of_stream(smoothing, symbols, order)
    random = np.random.default_rng(seed)
    spoilt = [random.random(len(weight)) + 0.5 for weight in model.backoff]
    found = renormalise(BackoffModel(VOCABULARY, True, model.key, model.probability, spoilt))
    for context in contexts_of(symbols):
        assert distribution(found, context) == pytest.approx(distribution(model, context), abs=1e-9)
