"""Pruning: brute force over dictionaries on small models, counts by hand, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from made_ngrams import UNKNOWN, VOCABULARY, A, B, C, D, Ngram, by_definition, counts_of, kept, ngrams_of, of_stream

from seqlab.io.errors import InputError
from seqlab.ngram.model import BackoffModel, distribution, symbol_probabilities
from seqlab.ngram.pruning import (
    perplexity_increases,
    prune_by_count,
    prune_by_relative_entropy,
    prune_model,
    renormalise,
)
from seqlab.ngram.smoothing import estimate

LINE_START, LINE_END = 1, 2


def made_text(symbols: int, seed: int, vocabulary: int = 12) -> np.ndarray:
    """A text in which the two symbols before decide much of the next one."""
    table = np.random.default_rng(7).dirichlet(np.full(vocabulary, 0.2), size=(vocabulary, vocabulary)).cumsum(axis=-1)
    text = [0, 0]
    for draw in np.random.default_rng(seed).random(symbols):
        text.append(min(int(np.searchsorted(table[text[-2], text[-1]], draw)), vocabulary - 1))
    return np.array(text)


@pytest.mark.parametrize("smoothing", ["kn", "mkn"])
@pytest.mark.parametrize("threshold", [1e9, math.inf])
def test_a_huge_threshold_leaves_the_unigram_model(smoothing, threshold):
    text = made_text(400, seed=1)
    model = of_stream(smoothing, text.tolist(), 4, 12)
    unigrams = BackoffModel(12, True, model.key[:1], model.probability[:1], [])
    pruned = prune_by_relative_entropy(model, threshold)
    assert pruned.parameters == 12
    assert symbol_probabilities(pruned, [text]).tolist() == symbol_probabilities(unigrams, [text]).tolist()


def without_bigram_inside_a_longer_context() -> BackoffModel:
    """A model that keeps the context a b c but not b c, its ending."""
    symbols = [A, B, C, D, A, B, C, A, D, B, C, B, A, C, D]
    model = of_stream("mkn", symbols, 4, 5)
    counts = [np.array([ngram[:2] != (B, C) for ngram in ngrams], dtype=int) for ngrams in ngrams_of(model)]
    return prune_by_count(model, counts, [1, 1, 1, 1])


def increases_by_brute_force(model: BackoffModel, history_of: dict[Ngram, float]) -> list[list[float]]:
    """exp of the relative entropy summed over the vocabulary, less 1, for every n-gram of the orders from 2."""
    result = []
    for ngrams in ngrams_of(model)[1:]:
        result.append([])
        for ngram in ngrams:
            context = ngram[:-1]
            before, lower = np.array(by_definition(model, context)), np.array(by_definition(model, context[1:]))
            others = [other[-1] for other in ngrams if other[:-1] == context and other != ngram]
            weight = (1 - before[others].sum()) / (1 - lower[others].sum())
            after = weight * lower
            after[others] = before[others]
            possible = before > 0
            divergence = (before[possible] * np.log(before[possible] / after[possible])).sum()
            result[-1].append(math.expm1(history_of[context] * divergence))
    return result


def probability_of(model: BackoffModel, history: Ngram) -> float:
    return math.prod(by_definition(model, history[:place])[symbol] for place, symbol in enumerate(history))


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
def test_perplexity_increases_are_those_of_brute_force(smoothing):
    model = of_stream(smoothing, [A, B, A, C, A, B, D, B, A, A, B, C, D, A, B, A], 3)
    histories = itertools.chain(*ngrams_of(model)[:2])
    expected = increases_by_brute_force(model, {history: probability_of(model, history) for history in histories})
    for found, of_order in zip(perplexity_increases(model)[1:], expected, strict=True):
        assert found.tolist() == pytest.approx(of_order, rel=1e-7, abs=1e-14)


def test_perplexity_increases_where_the_ending_of_an_ngram_is_missing_are_those_of_brute_force():
    model = without_bigram_inside_a_longer_context()
    histories = itertools.chain(*ngrams_of(model)[:3])
    expected = increases_by_brute_force(model, {history: probability_of(model, history) for history in histories})
    for found, of_order in zip(perplexity_increases(model)[1:], expected, strict=True):
        assert found.tolist() == pytest.approx(of_order, rel=1e-7, abs=1e-14)


def test_the_start_of_a_line_is_as_probable_a_history_as_its_end():
    lines = [[LINE_START, 3, 4, LINE_END], [LINE_START, 4, 4, 3, LINE_END], [LINE_START, 3, LINE_END]]
    model = estimate("mkn", [np.array(line) for line in lines], 3, VOCABULARY, LINE_START).model

    def history(ngram: Ngram) -> float:
        if ngram[0] != LINE_START:
            return probability_of(model, ngram)
        following = math.prod(by_definition(model, ngram[:place])[ngram[place]] for place in range(1, len(ngram)))
        return model.probability[0][LINE_END] * following

    histories = itertools.chain(*ngrams_of(model)[:2])
    expected = increases_by_brute_force(model, {ngram: history(ngram) for ngram in histories})
    for found, of_order in zip(perplexity_increases(model, LINE_START)[1:], expected, strict=True):
        assert found.tolist() == pytest.approx(of_order, rel=1e-7, abs=1e-14)


def test_a_context_may_stay_where_its_ending_goes():
    stays = kept(without_bigram_inside_a_longer_context())
    assert (A, B, C, D) in stays
    assert (B, C) not in stays


@pytest.mark.parametrize("context", [*itertools.product([A, B, C, D], repeat=3)])
def test_the_distribution_skips_a_context_that_is_missing_between_others(context):
    pruned = without_bigram_inside_a_longer_context()
    found = distribution(pruned, context)
    assert found.tolist() == pytest.approx(by_definition(pruned, context), rel=1e-12)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_scoring_skips_a_context_that_is_missing_between_others():
    pruned = without_bigram_inside_a_longer_context()
    text = list(itertools.chain(*itertools.product([A, B, C, D], repeat=4)))
    expected = [by_definition(pruned, tuple(text[max(place - 3, 0) : place]))[text[place]] for place in range(1, 300)]
    assert symbol_probabilities(pruned, [np.array(text[:300])]).tolist() == pytest.approx(expected, rel=1e-12)


def test_half_of_the_ngrams_cost_little_on_a_text_not_seen():
    train, held_out = made_text(20_000, seed=1), made_text(5_000, seed=2)
    model = of_stream("mkn", train.tolist(), 5, 12)

    def bits(of: BackoffModel) -> float:
        return -np.log2(symbol_probabilities(of, [held_out])).mean()

    increases = np.concatenate(perplexity_increases(model)[1:])
    pruned = prune_by_relative_entropy(model, float(np.quantile(increases, 0.6)))
    assert 0.2 * model.parameters < pruned.parameters < 0.5 * model.parameters
    assert bits(pruned) - bits(model) < 0.2
    assert bits(prune_by_relative_entropy(model, 1e9)) - bits(model) > 1


def test_a_pruned_model_survives_being_saved(tmp_path):
    text = made_text(500, seed=1)
    pruned = prune_by_relative_entropy(of_stream("mkn", text.tolist(), 4, 12), 1e-4)
    pruned.save(tmp_path / "model.npz")
    loaded = BackoffModel.load(tmp_path / "model.npz")
    assert (loaded.order, loaded.parameters) == (pruned.order, pruned.parameters)
    assert symbol_probabilities(loaded, [text]).tolist() == symbol_probabilities(pruned, [text]).tolist()


# The text a b a c a b over <unk>, a, b, c. Its Kneser-Ney model of order 2 is worked out by hand in test_smoothing.py:
#   P(<unk>), P(a), P(b), P(c) = 0.075, 0.575, 0.175, 0.175      P(b | a) = 1.4 / 3 + 0.4 * 0.175
# Of the bigrams only a b is seen twice. When it alone stays, the weight after a is (1 - P(b | a)) / (1 - P(b)).
def test_pruning_by_count_by_hand():
    symbols = [A, B, A, C, A, B]
    pruned = prune_by_count(of_stream("kn", symbols, 2, 4), counts_of(symbols, 2, 4), [1, 2])
    b_after_a = 1.4 / 3 + 0.4 * 0.175
    weight = (1 - b_after_a) / (1 - 0.175)
    assert ngrams_of(pruned)[1] == [(A, B)]
    assert distribution(pruned, [A]) == pytest.approx([weight * 0.075, weight * 0.575, b_after_a, weight * 0.175])
    assert pruned.backoff[0] == pytest.approx([1, weight, 1, 1])


def test_pruning_by_count_keeps_a_rare_context_of_a_longer_ngram():
    # The bigrams ab 2, ba 1, ac 1, ca 1, bd 1 are all seen fewer than three times, but only bd opens no trigram.
    symbols = [A, B, A, C, A, B, D]
    pruned = prune_by_count(of_stream("kn", symbols, 3, 5), counts_of(symbols, 3, 5), [1, 3, 1])
    assert ngrams_of(pruned)[1] == [(A, B), (A, C), (B, A), (C, A)]
    assert ngrams_of(pruned)[2] == [(A, B, A), (A, B, D), (A, C, A), (B, A, C), (C, A, B)]


def test_an_ngram_without_which_its_symbol_were_impossible_stays():
    # The unigram model never predicts 1, so that after 0 only the bigram 0 1 makes it possible.
    model = BackoffModel(2, True, [np.arange(2), np.arange(2)], [np.array([1.0, 0.0]), np.full(2, 0.5)], [np.ones(2)])
    assert perplexity_increases(model)[1][1] == math.inf
    assert (0, 1) in kept(prune_by_relative_entropy(model, math.inf))


def test_what_follows_a_history_of_probability_zero_costs_nothing():
    model = BackoffModel(2, True, [np.arange(2), np.array([3])], [np.array([1.0, 0.0]), np.full(1, 0.5)], [np.ones(2)])
    assert perplexity_increases(model)[1].tolist() == [0]


def ngrams_that_say_nothing_new() -> BackoffModel:
    """Every other bigram, with the probability that the unigrams give but for rounding."""
    unigrams = np.random.default_rng(5).dirichlet(np.ones(30))
    key = np.arange(1, 900, 2)
    return BackoffModel(30, True, [np.arange(30), key], [unigrams, unigrams[key % 30] * (1 + 1e-15)], [np.ones(30)])


def test_threshold_zero_removes_nothing():
    # The cost of each bigram is zero, and rounding must not make it less.
    assert prune_by_relative_entropy(ngrams_that_say_nothing_new(), 0).parameters == 30 + 450


def test_the_smallest_threshold_removes_what_says_nothing_new():
    assert prune_by_relative_entropy(ngrams_that_say_nothing_new(), 1e-12).parameters == 30


def test_unigrams_stay_whatever_their_minimum():
    symbols = [A, B, A, C, A, B]
    pruned = prune_by_count(of_stream("kn", symbols, 2, 4), counts_of(symbols, 2, 4), [9, 1])
    assert ngrams_of(pruned)[0] == [(UNKNOWN,), (A,), (B,), (C,)]


def test_an_order_that_keeps_nothing_is_dropped():
    symbols = [A, B, A, C, A, B]
    pruned = prune_by_count(of_stream("kn", symbols, 4, 4), counts_of(symbols, 4, 4), [1, 2, 2, 2])
    assert pruned.order == 2


def test_renormalise_keeps_possible_what_has_less_than_the_rounding_of_a_sum():
    # After 0 the symbol 2 has half of its 1e-14, while the sum of the others is known to about 1e-16 only.
    unigrams = np.array([0.5, 0.5 - 1e-14, 1e-14])
    model = BackoffModel(3, True, [np.arange(3), np.arange(2)], [unigrams, unigrams[:2]], [np.array([0.5, 1.0, 1.0])])
    assert distribution(renormalise(model), [0])[2] == pytest.approx(0.5e-14, abs=0)


def test_the_last_minimum_holds_for_all_longer_ngrams():
    symbols = [A, B, A, C, A, B]
    model, counts = of_stream("kn", symbols, 4, 4), counts_of(symbols, 4, 4)
    assert kept(prune_model(model, {"counts": [1, 2]}, lambda: counts)) == kept(
        prune_by_count(model, counts, [1, 2, 2, 2])
    )


def test_pruning_by_relative_entropy_counts_nothing():
    model = of_stream("kn", [A, B, A, C, A, B], 3, 4)
    found = prune_model(model, {"entropy": 0.1}, lambda: pytest.fail("it counted"))
    assert kept(found) == kept(prune_by_relative_entropy(model, 0.1))


@pytest.mark.parametrize(
    "pruned",
    [
        pytest.param(lambda model: prune_by_relative_entropy(model, 0.1), id="by relative entropy"),
        pytest.param(lambda model: prune_by_count(model, counts_of([A, B, A, B, B], 2, 3), [1, 1]), id="by count"),
        pytest.param(renormalise, id="renormalise"),
        pytest.param(perplexity_increases, id="perplexity increases"),
    ],
)
def test_a_model_that_does_not_back_off_is_refused(pruned):
    with pytest.raises(InputError, match="only a model that backs off"):
        pruned(of_stream("laplace", [A, B, A, B, B], 2, 3))


@pytest.mark.parametrize("threshold", [-1e-9, -math.inf, math.nan])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(InputError, match=f"the pruning threshold is {threshold};"):
        prune_by_relative_entropy(of_stream("kn", [A, B, A, B, B], 2), threshold)


@pytest.mark.parametrize("line_start", [-1, VOCABULARY])
def test_a_line_start_outside_the_vocabulary_is_refused(line_start):
    with pytest.raises(InputError, match=f"line_start is {line_start};"):
        prune_by_relative_entropy(of_stream("kn", [A, B, A, B, B], 2), 0.1, line_start)


@pytest.mark.parametrize(
    ("minimum", "message"),
    [
        ([1, 0], "the minimum count of order 2 is 0;"),
        ([-3, 1], "the minimum count of order 1 is -3;"),
        ([1], "order 2, but 1 minimum counts"),
        ([1, 1, 1], "order 2, but 3 minimum counts"),
    ],
)
def test_minimums_that_are_none_are_refused(minimum, message):
    symbols = [A, B, A, B, B]
    with pytest.raises(InputError, match=message):
        prune_by_count(of_stream("kn", symbols, 2), counts_of(symbols, 2), minimum)


def test_counts_of_another_text_are_refused():
    with pytest.raises(InputError, match="the counts are not those of the model's n-grams"):
        prune_by_count(of_stream("kn", [A, B, A, B, B], 2), counts_of([A, B, C, D, B], 2), [1, 2])
