"""Known sources: entropy rates against formulas, the filter against enumeration, the interval against simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.text.sources import (
    AnswerRates,
    Source,
    brackets,
    build_source,
    confidence_interval,
    entropy_rate,
    even_process,
    generate_text,
    group_word,
    markov_chain,
    rate_answers,
    stationary,
    symbol_bits,
    symbol_ids,
)

BRACKETS = {"kinds": 2, "depth": 3, "close": 0.4}
PARITY = [[1, 2], [2, 1]]
SYMMETRIC_3 = [[2, 1, 3], [2, 3, 1]]


def entropy(*probabilities: float) -> float:
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def coin(heads: float) -> Source:
    return Source("ht", np.array([[heads, 1 - heads]]), np.zeros((1, 2), dtype=np.int64))


def two_states(leave: float, back: float) -> Source:
    """A chain of order 1: from a to b with probability `leave`, from b to a with probability `back`."""
    return Source("ab", np.array([[1 - leave, leave], [back, 1 - back]]), np.array([[0, 1], [0, 1]]))


def never_known() -> Source:
    """The same symbols lead round both states, so a reader's belief about them never becomes certain."""
    return Source("ab", np.array([[0.3, 0.7], [0.6, 0.4]]), np.array([[1, 1], [0, 0]]))


SOURCES = [
    coin(0.5),
    coin(0.1),
    two_states(0.2, 0.7),
    never_known(),
    even_process(0.3),
    brackets(**BRACKETS),
    brackets(1, 2, 0.5, fillers=1, filling=0.3),
    markov_chain(2, 3, 0.5, 1),
    group_word(PARITY, 0.4),
]


def test_entropy_rates_by_hand():
    assert entropy_rate(coin(0.5)) == pytest.approx(1, abs=1e-12)
    assert entropy_rate(coin(0.1)) == pytest.approx(entropy(0.1, 0.9), abs=1e-12)
    assert entropy_rate(even_process()) == pytest.approx(2 / 3, abs=1e-12)
    assert entropy_rate(even_process(0.3)) == pytest.approx(entropy(0.3, 0.7) / 1.3, abs=1e-12)
    two = (0.7 * entropy(0.2, 0.8) + 0.2 * entropy(0.7, 0.3)) / 0.9  # pi = (back, leave) / (back + leave)
    assert entropy_rate(two_states(0.2, 0.7)) == pytest.approx(two, abs=1e-12)
    assert entropy_rate(markov_chain(0, 8, 1000, 1)) == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize(("kinds", "depth", "close", "filling"), [(1, 1, 0.5, 0), (2, 4, 0.5, 0), (3, 3, 0.3, 0.2)])
def test_the_rate_of_brackets_follows_from_the_chain_of_depths(kinds, depth, close, filling):
    closing = [0.0] + [close] * (depth - 1) + [1.0]
    weights = [1.0]
    for level in range(depth):  # detailed balance of a walk that goes up and down by one
        weights.append(weights[-1] * (1 - closing[level]) / closing[level + 1])
    choice = [entropy(c, 1 - c) + (1 - c) * math.log2(kinds) for c in closing]
    mean = sum(w * h for w, h in zip(weights, choice, strict=True)) / sum(weights)
    expected = entropy(filling, 1 - filling) + (1 - filling) * mean + filling * math.log2(2)
    source = brackets(kinds, depth, close, fillers=2, filling=filling)
    assert entropy_rate(source) == pytest.approx(expected, abs=1e-9)


def test_stationary_of_a_periodic_chain_and_of_one_with_states_left_for_ever():
    ring = Source("x", np.ones((3, 1)), np.array([[1], [2], [0]]))
    assert stationary(ring) == pytest.approx([1 / 3] * 3)
    assert symbol_bits(ring, np.zeros(5, dtype=int)).tolist() == [0] * 5
    assert confidence_interval(ring, 10) == (0, 0)
    left = Source("ab", np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]), np.array([[1, 2], [1, 1], [1, 0]]))
    assert stationary(left).tolist() == [0, 1, 0]


@pytest.mark.parametrize("successor", [[[0], [1]], [[0], [1], [2]], [[1], [1], [3], [3]]])
def test_several_recurrent_classes_are_refused(successor):
    with pytest.raises(InputError, match="never lead to one another"):
        stationary(Source("x", np.ones((len(successor), 1)), np.array(successor)))


@given(st.integers(1, 6), st.integers(2, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_stationary_is_a_fixed_point_and_rate_within_bounds(states, symbols, seed):
    random = np.random.default_rng(seed)
    source = Source(
        "abcd"[:symbols],
        random.dirichlet(np.ones(symbols), size=states),
        random.permuted(np.tile(np.arange(states), (symbols, 1)), axis=1).T.copy(),  # every state has a way on
    )
    try:
        pi = stationary(source)
    except InputError:
        return  # permutations may split the states
    following = np.bincount(source.successor.ravel(), (pi[:, None] * source.emission).ravel(), states)
    assert following == pytest.approx(pi, abs=1e-10)
    assert 0 <= entropy_rate(source) <= math.log2(symbols) + 1e-12
    low, high = confidence_interval(source, 1000)
    assert low <= entropy_rate(source) <= high


@pytest.mark.parametrize("source", SOURCES)
def test_the_filter_is_exact(source):
    """Against the sum over every start of the product of probabilities; probabilities of all strings sum to 1."""
    pi, length, total = stationary(source), 4, 0.0
    for symbols in itertools.product(range(len(source.alphabet)), repeat=length):
        probability = 0.0
        for state in range(len(pi)):
            weight, at = pi[state], state
            for symbol in symbols:
                weight, at = weight * source.emission[at, symbol], source.successor[at, symbol]
            probability += weight
        if probability == 0:
            with pytest.raises(InputError, match="cannot follow the text before it"):
                symbol_bits(source, np.array(symbols))
        else:
            bits = symbol_bits(source, np.array(symbols))
            assert bits.shape == (length,)
            assert bits.sum() == pytest.approx(-math.log2(probability), abs=1e-9)
        total += probability
    assert total == pytest.approx(1)


@pytest.mark.parametrize("source", SOURCES)
def test_bits_of_a_long_text_lie_in_the_interval(source):
    text = generate_text(source, 50_000, seed=5)
    low, high = confidence_interval(source, len(text))
    slack = 0.5 * (high - low) + 1e-3  # one text in twenty lies outside 95 %; one in thousands outside twice that
    assert low - slack <= symbol_bits(source, symbol_ids(source, text)).mean() <= high + slack


@pytest.mark.parametrize("source", [two_states(0.05, 0.1), even_process(), brackets(**BRACKETS), never_known()])
def test_the_interval_covers_95_percent_of_texts(source):
    length, texts = 500, 300
    means = [
        symbol_bits(source, symbol_ids(source, generate_text(source, length, seed))).mean() for seed in range(texts)
    ]
    low, high = confidence_interval(source, length)
    inside = sum(low <= mean <= high for mean in means) / texts
    assert 0.90 <= inside <= 0.99
    assert 1.96 * np.std(means) == pytest.approx((high - low) / 2, rel=0.15)


def test_the_interval_of_independent_symbols_is_the_textbook_one():
    p, n = 0.1, 400
    deviation = math.sqrt(p * (1 - p)) * abs(math.log2(p / (1 - p)))
    low, high = confidence_interval(coin(p), n)
    assert (high - low) / 2 == pytest.approx(1.96 * deviation / math.sqrt(n), rel=1e-4)
    assert confidence_interval(coin(0.5), n) == pytest.approx((1, 1))
    with pytest.raises(ValueError):
        confidence_interval(coin(p), 0)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_brackets_match(kinds, depth, seed):
    source = brackets(kinds, depth, 0.5, fillers=2, filling=0.2)
    partner, stack, heights = dict(zip(")]}>", "([{<", strict=True)), [], [0]
    for character in generate_text(source, 300, seed):
        if character in "([{<":
            stack.append(character)
        elif character in partner and stack:
            assert stack.pop() == partner[character]  # with nothing on the stack it closes what the text began inside
        heights.append(heights[-1] + (character in "([{<") - (character in partner))
    assert max(heights) - min(heights) <= depth


@pytest.mark.parametrize(("generators", "points"), [(PARITY, 2), (SYMMETRIC_3, 3), ([[2, 3, 4, 1]], 4)])
@pytest.mark.parametrize("question", [0.1, 0.02])
def test_rates_of_words_over_a_group(generators, points, question):
    """A text is reading for a share of 1 / (1 + q) of its symbols, and uncertain only there."""
    source, letters = group_word(generators, question), len(generators)
    expected = (entropy(question, 1 - question) + (1 - question) * math.log2(letters)) / (1 + question)
    assert entropy_rate(source) == pytest.approx(expected, abs=1e-12)
    rates = rate_answers(source)
    assert rates.share == pytest.approx(question / (1 + question), abs=1e-12)
    assert (rates.floor, rates.chance) == pytest.approx((0, math.log2(points)), abs=1e-12)


@given(st.permutations(range(1, 5)), st.permutations(range(1, 5)), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_an_answer_is_the_image_of_the_answer_before_it(first, second, seed):
    generators = [list(first), list(second), [2, 3, 4, 1]]  # the last one alone is transitive
    source = group_word(generators, 0.3)
    parts = generate_text(source, 400, seed).split("?")[1:]
    words = [(part[0], part[1:]) for part in parts if part]
    for (start, word), (end, _) in itertools.pairwise(words):
        point = int(start)
        for letter in word:
            point = generators["abc".index(letter)][point - 1]
        assert point == int(end)


def test_a_source_without_answers_has_no_rates_of_them():
    with pytest.raises(ValueError, match="no answers"):
        rate_answers(even_process())


def test_rates_of_answers_that_are_uncertain():
    """A coin whose tails are an answer, which is always the same: nothing is learnt by chance, one bit is paid."""
    source = Source("ht", np.array([[0.75, 0.25]]), np.zeros((1, 2), dtype=np.int64), "t")
    assert rate_answers(source) == AnswerRates(share=0.25, floor=2.0, chance=0.0)


def test_runs_of_ones_in_the_even_process_are_even():
    runs = generate_text(even_process(), 5000, 3).split("0")[1:-1]
    assert all(len(run) % 2 == 0 for run in runs)
    assert any(runs)


def test_an_n_gram_can_learn_the_markov_chain():
    """Counts of pairs of the generated text come near the rows of the chain."""
    source = markov_chain(1, 3, 1.0, 4)
    ids = symbol_ids(source, generate_text(source, 50_000, 1))
    counts = np.zeros((3, 3))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    assert counts / counts.sum(axis=1, keepdims=True) == pytest.approx(source.emission, abs=0.02)


def test_seeds_decide_the_text():
    source = markov_chain(2, 8, 0.3, 1)
    assert generate_text(source, 100, 1) == generate_text(source, 100, 1) != generate_text(source, 100, 2)
    assert generate_text(source, 100, 1) == generate_text(source, 200, 1)[:100]
    assert generate_text(source, 0, 1) == ""
    assert symbol_bits(source, np.array([], dtype=int)).shape == (0,)


def test_impossible_texts_name_the_position():
    with pytest.raises(InputError, match="'0' at position 4 cannot follow"):
        symbol_bits(even_process(), symbol_ids(even_process(), "01110110"))
    with pytest.raises(InputError, match=r"'\[' at position 1 cannot follow"):
        symbol_bits(brackets(2, 1, 0.5), np.array([0, 2]))
    with pytest.raises(InputError, match="'2' at position 2"):
        symbol_ids(even_process(), "002")
    with pytest.raises(InputError, match="symbol 7 at position 1"):
        symbol_bits(even_process(), np.array([0, 7]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, ["None", "markov_chain, even_process, brackets, group_word"]),
        ({"name": "dice"}, ["'dice'", "markov_chain, even_process, brackets, group_word"]),
        ({"name": ["dice"]}, ["'dice'", "allowed"]),
        ({"name": "even_process", "p": 0.5}, ["even_process", "setting p", "0.5", "allowed are probability"]),
        ({"name": "even_process", "probability": 1.5}, ["probability is 1.5", "0.001 to 0.999"]),
        ({"name": "even_process", "probability": math.nan}, ["probability is nan"]),
        ({"name": "even_process", "probability": "half"}, ["probability is 'half'"]),
        ({"name": "markov_chain", "order": 2}, ["lacks the setting symbols"]),
        ({"name": "markov_chain", "order": 2.0, "symbols": 8, "concentration": 1, "seed": 1}, ["order is 2.0"]),
        ({"name": "markov_chain", "order": True, "symbols": 8, "concentration": 1, "seed": 1}, ["order is True"]),
        ({"name": "markov_chain", "order": 5, "symbols": 8, "concentration": 1, "seed": 1}, ["32768 states", "4096"]),
        ({"name": "markov_chain", "order": 2, "symbols": 27, "concentration": 1, "seed": 1}, ["symbols is 27"]),
        ({"name": "brackets", "kinds": 5, "depth": 2, "close": 0.5}, ["kinds is 5", "1 to 4"]),
        ({"name": "brackets", "kinds": 2, "depth": 12, "close": 0.5}, ["8191 states"]),
        ({"name": "brackets", "kinds": 2, "depth": 2, "close": 0}, ["close is 0"]),
        ({"name": "brackets", "kinds": 2, "depth": 2, "close": 0.5, "filling": 0.5}, ["filling is 0.5"]),
        ({"name": "group_word", "generators": PARITY, "question": 0}, ["question is 0", "0.001 to 0.999"]),
        ({"name": "group_word", "generators": PARITY, "question": 1}, ["question is 1", "0.001 to 0.999"]),
        ({"name": "group_word", "generators": [], "question": 0.1}, ["generators is []", "1 to 26 permutations"]),
        ({"name": "group_word", "generators": [7], "question": 0.1}, ["generator 7", "2 to 9 points"]),
        ({"name": "group_word", "generators": [[1]], "question": 0.1}, ["generator [1]", "2 to 9 points"]),
        ({"name": "group_word", "generators": [[2, 2]], "question": 0.1}, ["generator [2, 2]", "not a permutation"]),
        ({"name": "group_word", "generators": [[2, 1], [1, 3, 2]], "question": 0.1}, ["[1, 3, 2]", "points 1 to 2"]),
        ({"name": "group_word", "generators": [[2, 1], [True, 2]], "question": 0.1}, ["not a permutation"]),
        ({"name": "group_word", "generators": [[2, 1, 3, 4]], "question": 0.1}, ["not transitive", "point 1 to 3, 4"]),
    ],
)
def test_wrong_settings_are_named(wrong, words):
    with pytest.raises(InputError) as caught:
        build_source(wrong)
    assert all(word in str(caught.value) for word in words), caught.value


def test_build_source_passes_settings_on():
    source = build_source({"name": "brackets", **BRACKETS})
    assert source.emission.tolist() == brackets(**BRACKETS).emission.tolist()


def test_answers_outside_the_alphabet_are_refused():
    with pytest.raises(ValueError, match="lacks a character of the answers"):
        Source("ht", np.array([[0.5, 0.5]]), np.zeros((1, 2), dtype=np.int64), "x")


@pytest.mark.parametrize(
    ("alphabet", "emission", "successor"),
    [("ab", [[1.0]], [[0]]), ("aa", [[0.5, 0.5]], [[0, 0]]), ("ab", [[0.5, 0.6]], [[0, 0]]),
     ("ab", [[1.5, -0.5]], [[0, 0]]), ("ab", [[0.5, 0.5]], [[0, 1]]), ("a", [[math.nan]], [[0]])],
)  # fmt: skip
def test_a_source_whose_parts_do_not_fit_is_refused(alphabet, emission, successor):
    with pytest.raises(ValueError):
        Source(alphabet, np.array(emission), np.array(successor))
