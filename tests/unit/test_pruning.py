"""Pruning: the laws of probability, brute force over dictionaries on small models, and counts by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.errors import InputError
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import NgramModel, distribution, symbol_probabilities
from seqlab.ngram.pruning import perplexity_increases, prune_by_count, prune_by_relative_entropy, renormalise
from seqlab.ngram.smoothing import estimate

UNKNOWN, A, B, C, D = range(5)
VOCABULARY = 6
LINE_START, LINE_END = 1, 2

texts = st.lists(st.integers(0, VOCABULARY - 2), min_size=8, max_size=60)  # the last symbol of the vocabulary is unseen
orders = st.integers(2, 6)
thresholds = st.floats(-6, 0.5).map(lambda exponent: 10**exponent)
minimums = st.lists(st.integers(1, 4), min_size=6, max_size=6)
words = st.lists(st.integers(3, VOCABULARY - 2), max_size=6)
line_texts = st.lists(words.map(lambda line: np.array([LINE_START, *line, LINE_END])), min_size=1, max_size=8)
ALWAYS_LONG_ENOUGH = np.array([LINE_START, 3, 4, 3, 3, 4, LINE_END])

Ngram = tuple[int, ...]


def of_stream(smoothing: str, symbols: list[int], order: int, vocabulary: int = VOCABULARY) -> NgramModel:
    return estimate(smoothing, [np.array(symbols)], order, vocabulary).model


def counts_of(symbols: list[int], order: int, vocabulary: int = VOCABULARY) -> list[np.ndarray]:
    return [table.count for table in count_ngrams([np.array(symbols)], order, vocabulary)]


def contexts_of(symbols: list[int], longest: int = 6) -> list[list[int]]:
    """Every context of the text up to the length, and some that it does not hold."""
    held = {
        tuple(symbols[start : start + length])
        for length in range(longest + 1)
        for start in range(len(symbols) - length + 1)
    }
    return [*map(list, sorted(held)), [UNKNOWN] * 3, [VOCABULARY - 1], [VOCABULARY - 1, *symbols[:3]]]


def ngrams_of(model: NgramModel) -> list[list[Ngram]]:
    """The symbols of the n-grams of every order, in the order of their numbers."""
    found: list[list[Ngram]] = [[(symbol,) for symbol in range(model.vocabulary)]]
    for key in model.key[1:]:
        found.append([(*found[-1][entry // model.vocabulary], int(entry % model.vocabulary)) for entry in key])
    return found


def by_definition(model: NgramModel, context: Ngram) -> list[float]:
    """The probabilities of all symbols after `context`, from dictionaries."""
    ngrams = ngrams_of(model)
    probability = dict(zip(itertools.chain(*ngrams), np.concatenate(model.probability), strict=True))
    backoff = dict(zip(itertools.chain(*ngrams[:-1]), itertools.chain(*model.backoff), strict=True))

    def after(history: Ngram, symbol: int) -> float:
        if (*history, symbol) in probability:
            return probability[(*history, symbol)]
        return backoff.get(history, 1.0) * after(history[1:], symbol)

    return [after(context, symbol) for symbol in range(model.vocabulary)]


def assert_sums_to_one(model: NgramModel, contexts: list[list[int]]) -> None:
    for context in contexts:
        found = distribution(model, context)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1, abs=1e-9)


def kept(model: NgramModel) -> set[Ngram]:
    return set(itertools.chain(*ngrams_of(model)))


def made_text(symbols: int, seed: int, vocabulary: int = 12) -> np.ndarray:
    """A text in which the two symbols before decide much of the next one."""
    table = np.random.default_rng(7).dirichlet(np.full(vocabulary, 0.2), size=(vocabulary, vocabulary)).cumsum(axis=-1)
    text = [0, 0]
    for draw in np.random.default_rng(seed).random(symbols):
        text.append(min(int(np.searchsorted(table[text[-2], text[-1]], draw)), vocabulary - 1))
    return np.array(text)


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


@pytest.mark.parametrize("smoothing", ["kn", "mkn"])
@pytest.mark.parametrize("threshold", [1e9, math.inf])
def test_a_huge_threshold_leaves_the_unigram_model(smoothing, threshold):
    text = made_text(400, seed=1)
    model = of_stream(smoothing, text.tolist(), 4, 12)
    unigrams = NgramModel(12, True, model.key[:1], model.probability[:1], [])
    pruned = prune_by_relative_entropy(model, threshold)
    assert pruned.parameters == 12
    assert symbol_probabilities(pruned, [text]).tolist() == symbol_probabilities(unigrams, [text]).tolist()


def without_bigram_inside_a_longer_context() -> NgramModel:
    """A model that keeps the context a b c but not b c, its ending."""
    symbols = [A, B, C, D, A, B, C, A, D, B, C, B, A, C, D]
    model = of_stream("mkn", symbols, 4, 5)
    counts = [np.array([ngram[:2] != (B, C) for ngram in ngrams], dtype=int) for ngrams in ngrams_of(model)]
    return prune_by_count(model, counts, [1, 1, 1, 1])


def increases_by_brute_force(model: NgramModel, history_of: dict[Ngram, float]) -> list[list[float]]:
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


def probability_of(model: NgramModel, history: Ngram) -> float:
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

    def bits(of: NgramModel) -> float:
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
    loaded = NgramModel.load(tmp_path / "model.npz")
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
    model = NgramModel(2, True, [np.arange(2), np.arange(2)], [np.array([1.0, 0.0]), np.full(2, 0.5)], [np.ones(2)])
    assert perplexity_increases(model)[1][1] == math.inf
    assert (0, 1) in kept(prune_by_relative_entropy(model, math.inf))


def test_what_follows_a_history_of_probability_zero_costs_nothing():
    model = NgramModel(2, True, [np.arange(2), np.array([3])], [np.array([1.0, 0.0]), np.full(1, 0.5)], [np.ones(2)])
    assert perplexity_increases(model)[1].tolist() == [0]


def ngrams_that_say_nothing_new() -> NgramModel:
    """Every other bigram, with the probability that the unigrams give but for rounding."""
    unigrams = np.random.default_rng(5).dirichlet(np.ones(30))
    key = np.arange(1, 900, 2)
    return NgramModel(30, True, [np.arange(30), key], [unigrams, unigrams[key % 30] * (1 + 1e-15)], [np.ones(30)])


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


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(symbols=texts, order=orders, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_renormalise_finds_the_weights_of_a_smoothed_model(smoothing, symbols, order, seed):
    model = of_stream(smoothing, symbols, order)
    random = np.random.default_rng(seed)
    spoilt = [random.random(len(weight)) + 0.5 for weight in model.backoff]
    found = renormalise(NgramModel(VOCABULARY, True, model.key, model.probability, spoilt))
    for context in contexts_of(symbols):
        assert distribution(found, context) == pytest.approx(distribution(model, context), abs=1e-9)


def test_renormalise_keeps_possible_what_has_less_than_the_rounding_of_a_sum():
    # After 0 the symbol 2 has half of its 1e-14, while the sum of the others is known to about 1e-16 only.
    unigrams = np.array([0.5, 0.5 - 1e-14, 1e-14])
    model = NgramModel(3, True, [np.arange(3), np.arange(2)], [unigrams, unigrams[:2]], [np.array([0.5, 1.0, 1.0])])
    assert distribution(renormalise(model), [0])[2] == pytest.approx(0.5e-14, abs=0)


@pytest.mark.parametrize(
    "prune",
    [
        pytest.param(lambda model: prune_by_relative_entropy(model, 0.1), id="by relative entropy"),
        pytest.param(lambda model: prune_by_count(model, counts_of([A, B, A, B, B], 2, 3), [1, 1]), id="by count"),
        pytest.param(renormalise, id="renormalise"),
        pytest.param(perplexity_increases, id="perplexity increases"),
    ],
)
def test_a_model_that_does_not_back_off_is_refused(prune):
    with pytest.raises(InputError, match="only a model that backs off"):
        prune(of_stream("laplace", [A, B, A, B, B], 2, 3))


@pytest.mark.parametrize("threshold", [-1e-9, -math.inf, math.nan])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(InputError, match=f"the pruning threshold is {threshold};"):
        prune_by_relative_entropy(of_stream("kn", [A, B, A, B, B], 2), threshold)


@pytest.mark.parametrize("line_start", [-1, VOCABULARY])
def test_a_line_start_outside_the_vocabulary_is_refused(line_start):
    with pytest.raises(InputError, match=f"the start of a line has index {line_start};"):
        prune_by_relative_entropy(of_stream("kn", [A, B, A, B, B], 2), 0.1, line_start)


@pytest.mark.parametrize(
    ("minimum", "message"),
    [
        ([1, 0], "the minimum count of order 2 is 0;"),
        ([-3, 1], "the minimum count of order 1 is -3;"),
        ([1], "1 minimum counts are given for a model of order 2"),
        ([1, 1, 1], "3 minimum counts are given for a model of order 2"),
    ],
)
def test_minimums_that_are_none_are_refused(minimum, message):
    symbols = [A, B, A, B, B]
    with pytest.raises(InputError, match=message):
        prune_by_count(of_stream("kn", symbols, 2), counts_of(symbols, 2), minimum)


def test_counts_of_another_text_are_refused():
    with pytest.raises(InputError, match="the counts are not those of the model's n-grams"):
        prune_by_count(of_stream("kn", [A, B, A, B, B], 2), counts_of([A, B, C, D, B], 2), [1, 2])
