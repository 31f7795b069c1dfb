"""Smoothing: by hand on small texts, and the laws of probability on random ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ngram.additive import add_counts
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.discounting import modified_discounts
from seqlab.ngram.evidence import Estimate, Evidence, interpolate_orders
from seqlab.ngram.model import distribution, symbol_probabilities
from seqlab.ngram.smoothing import SMOOTHINGS, estimate
from seqlab.text.sources import generate_text, markov_chain, symbol_ids

UNKNOWN, A, B, C = range(4)
VOCABULARY = 6
LINE_START, LINE_END = 1, 2
LINE_WISE = ["mle", "jm", "wb", "abs", "kn", "mkn"]
contexts = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=9), min_size=1, max_size=6)
texts = st.lists(st.integers(0, VOCABULARY - 2), min_size=8, max_size=60)  # the last symbol of the vocabulary is unseen
words = st.lists(st.integers(3, VOCABULARY - 2), max_size=6)
line_texts = st.lists(words.map(lambda line: np.array([LINE_START, *line, LINE_END])), min_size=1, max_size=8)


def of_stream(smoothing: str, symbols: list[int], order: int, vocabulary: int) -> Estimate:
    """The estimate from `symbols`; those that fit something on valid fit it on the text read backwards."""
    return estimate(smoothing, [np.array(symbols)], order, vocabulary, valid=[np.array(symbols[::-1])])


def occurring(symbols: list[int], longest: int) -> list[list[int]]:
    """Contexts that the text holds, of every length up to `longest`, and its end, after which nothing was seen."""
    return [symbols[:length] for length in range(longest + 1)] + [symbols[-longest:]]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(symbols=texts, order=st.integers(1, 7), others=contexts)
@settings(max_examples=40)
def test_probabilities_after_any_context_sum_to_one(smoothing, symbols, order, others):
    model = of_stream(smoothing, symbols, order, VOCABULARY).model
    for context in [*occurring(symbols, 7), *others, [UNKNOWN], [UNKNOWN] * order]:
        found = distribution(model, context)
        assert found.shape == (VOCABULARY,)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("smoothing", LINE_WISE)
@given(segments=line_texts, order=st.integers(1, 7), others=contexts)
@settings(max_examples=40)
def test_probabilities_of_lines_sum_to_one_without_the_start_of_a_line(smoothing, segments, order, others):
    long_enough = np.array([LINE_START, 3, 4, 3, 3, 4, LINE_END])
    model = estimate(smoothing, [*segments, long_enough], order, VOCABULARY, LINE_START, segments).model
    for context in [*occurring(segments[0].tolist(), 7), *others]:
        found = distribution(model, context)
        assert found[LINE_START] == 0
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("smoothing", [name for name in SMOOTHINGS if name != "mle"])
@given(symbols=texts, order=st.integers(1, 7), others=contexts)
@settings(max_examples=25)
def test_smoothing_leaves_no_symbol_impossible(smoothing, symbols, order, others):
    model = of_stream(smoothing, symbols, order, VOCABULARY).model
    assert min(distribution(model, context).min() for context in others) > 0


def test_maximum_likelihood_by_hand():
    # a b a b b: the bigrams ab 2, ba 1, bb 1, so a is always followed by b, and b by a and b once each.
    model = of_stream("mle", [A, B, A, B, B], 2, 3).model
    assert distribution(model, []) == pytest.approx([0, 2 / 5, 3 / 5])
    assert distribution(model, [A]) == pytest.approx([0, 0, 1])
    assert distribution(model, [B]) == pytest.approx([0, 1 / 2, 1 / 2])


def test_maximum_likelihood_shortens_a_context_never_seen():
    model = of_stream("mle", [A, B, A, B, B], 3, 3).model
    assert distribution(model, [A, A]) == pytest.approx(distribution(model, [A]))
    assert distribution(model, [UNKNOWN]) == pytest.approx(distribution(model, []))


def test_maximum_likelihood_shortens_a_context_seen_only_at_the_end():
    model = of_stream("mle", [A, B, A, C], 2, 4).model
    assert distribution(model, [C]) == pytest.approx(distribution(model, []))


def test_laplace_by_hand():
    # a b a b b over <unk>, a, b: one is added to each of three counts, so the totals 5, 2 and 2 grow by three.
    model = of_stream("laplace", [A, B, A, B, B], 2, 3).model
    assert distribution(model, []) == pytest.approx([1 / 8, 3 / 8, 4 / 8])
    assert distribution(model, [A]) == pytest.approx([1 / 5, 1 / 5, 3 / 5])
    assert distribution(model, [B]) == pytest.approx([1 / 5, 2 / 5, 2 / 5])


def test_laplace_is_uniform_after_a_context_never_seen():
    model = of_stream("laplace", [A, B, A, B, B], 3, 3).model
    assert distribution(model, [UNKNOWN]) == pytest.approx([1 / 3] * 3)
    assert distribution(model, [A, A]) == pytest.approx([1 / 3] * 3)


# The text a b a c a b over <unk>, a, b, c, order 2.
#   Bigrams: ab 2, ba 1, ac 1, ca 1, so n1 = 3, n2 = 1 and the discount of order 2 is 3 / (3 + 2 * 1) = 0.6.
#   Left neighbours: a has b, c and the start of the text: 3; b has a: 1; c has a: 1; together 5.
#   Of these n1 = 2 and n2 = 0, so the discount of order 1 is the fall-back 0.5.
#   Order 1: from each of three symbols 0.5 is taken, so 1.5 / 5 = 0.3 is spread over four symbols, 0.075 each:
#       P(a) = 2.5 / 5 + 0.075 = 0.575      P(b) = P(c) = 0.5 / 5 + 0.075 = 0.175      P(<unk>) = 0.075
#   Order 2, after a (total 3): 0.6 is taken from ab and ac, so the weight of order 1 is 1.2 / 3 = 0.4:
#       P(b | a) = 1.4 / 3 + 0.4 * 0.175      P(c | a) = 0.4 / 3 + 0.4 * 0.175      P(a | a) = 0.4 * 0.575
KNESER_NEY_TEXT = [A, B, A, C, A, B]


def test_kneser_ney_by_hand():
    model = of_stream("kn", KNESER_NEY_TEXT, 2, 4).model
    assert distribution(model, []) == pytest.approx([0.075, 0.575, 0.175, 0.175])
    assert distribution(model, [A]) == pytest.approx([0.4 * 0.075, 0.4 * 0.575, 1.4 / 3 + 0.07, 0.4 / 3 + 0.07])
    assert distribution(model, [UNKNOWN]) == pytest.approx(distribution(model, []))


def test_kneser_ney_notes_name_the_order_that_fell_back():
    made = of_stream("kn", KNESER_NEY_TEXT, 2, 4)
    assert made.details["discounts"] == [[0.5] * 3, [pytest.approx(0.6)] * 3]
    assert len(made.notes) == 1
    assert made.notes[0].startswith("order 1:")


def test_modified_kneser_ney_by_hand():
    # Bigrams of the same text: n3 = 0, so both orders fall back to (0.5, 1, 1.5).
    #   Order 1 (counts 3, 1, 1 of 5): 1.5 + 0.5 + 0.5 = 2.5 is taken, half the mass, 0.125 for each of four symbols.
    #       P(a) = 1.5 / 5 + 0.125 = 0.425      P(b) = P(c) = 0.5 / 5 + 0.125 = 0.225      P(<unk>) = 0.125
    #   After a (ab 2, ac 1): 1 and 0.5 are taken of 3, so the weight of order 1 is 0.5:
    #       P(b | a) = 1 / 3 + 0.5 * 0.225      P(c | a) = 0.5 / 3 + 0.5 * 0.225      P(a | a) = 0.5 * 0.425
    model = of_stream("mkn", KNESER_NEY_TEXT, 2, 4).model
    assert distribution(model, []) == pytest.approx([0.125, 0.425, 0.225, 0.225])
    assert distribution(model, [A]) == pytest.approx([0.0625, 0.2125, 1 / 3 + 0.1125, 0.5 / 3 + 0.1125])


def test_discounts_of_a_skewed_text_are_those_of_its_continuation_counts():
    symbols = np.minimum(np.random.default_rng(1).geometric(0.15, 600), 39).tolist()
    neighbours = {symbol: {"start"} if symbol == symbols[0] else set() for symbol in range(40)}
    for left, right in itertools.pairwise(symbols):
        neighbours[right].add(left)
    expected = modified_discounts(np.array([len(left) for left in neighbours.values()]))
    found = of_stream("mkn", symbols, 2, 40).details["discounts"][0]
    assert found == list(expected.amounts)
    assert not expected.fallback


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_order_twenty(smoothing):
    symbols = np.random.default_rng(2).integers(1, 4, 80).tolist()
    model = of_stream(smoothing, symbols, 20, 4).model
    assert model.order == 20
    for context in (symbols[:19], symbols[5:30], [UNKNOWN] * 19, symbols[-19:]):
        assert distribution(model, context).sum() == pytest.approx(1, abs=1e-9)
    assert distribution(model, symbols[:19]).argmax() == symbols[19]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_segment_says_nothing_about_the_next_one(smoothing):
    valid = [np.array([A, B, A, C, B, C])]
    apart = estimate(smoothing, [np.array([A, B, A]), np.array([C, B, C])], 3, 4, valid=valid).model
    swapped = estimate(smoothing, [np.array([C, B, C]), np.array([A, B, A])], 3, 4, valid=valid).model
    for context in ([], [A], [C], [B, A], [A, C]):
        assert distribution(apart, context).tolist() == distribution(swapped, context).tolist()
    joined = estimate(smoothing, valid, 3, 4, valid=valid).model
    assert distribution(joined, [B, A])[C] > distribution(apart, [B, A])[C]


def test_an_unknown_smoothing_is_refused():
    with pytest.raises(
        InputError, match="smoothing is 'good-turing'; allowed are mle, laplace, add-k, jm, wb, abs, kn, mkn"
    ):
        of_stream("good-turing", [A, B, A], 2, 3)


@pytest.mark.parametrize("smoothing", ["laplace", "add-k"])
def test_adding_line_by_line_is_refused(smoothing):
    with pytest.raises(InputError, match="additive smoothing has no line-wise models"):
        estimate(smoothing, [np.array([LINE_START, 3, LINE_END])], 2, 4, LINE_START, [np.array([1, 2])])


@pytest.mark.parametrize("smoothing", ["add-k", "jm"])
def test_what_is_fitted_on_valid_needs_one(smoothing):
    with pytest.raises(InputError, match="on the validation text; give one"):
        estimate(smoothing, [np.array([A, B, A])], 2, 4)


# The text a b a c a b over <unk>, a, b, c once more. Occurrences: a 3, b 2, c 1; after a: b 2, c 1; after b and c: a.
#   Witten-Bell, order 1: three kinds, so 3 / (6 + 3) goes to the uniform 1/4 and P(a) = 3 / 9 + 1 / 12 = 5 / 12.
#   Order 2 after a: two kinds, so 2 / (3 + 2) goes to order 1: P(b | a) = 2 / 5 + 2 / 5 * (2 / 9 + 1 / 12).
def test_witten_bell_by_hand():
    model = of_stream("wb", KNESER_NEY_TEXT, 2, 4).model
    assert distribution(model, []) == pytest.approx([1 / 12, 5 / 12, 2 / 9 + 1 / 12, 1 / 9 + 1 / 12])
    assert distribution(model, [A])[B] == pytest.approx(2 / 5 + 2 / 5 * (2 / 9 + 1 / 12))
    assert distribution(model, [UNKNOWN]) == pytest.approx(distribution(model, []))


def test_absolute_discounting_by_hand():
    # Order 1: n1 = n2 = 1, so a third is taken from each of three counts, and one of six goes to the uniform 1/4.
    model = of_stream("abs", KNESER_NEY_TEXT, 2, 4).model
    assert distribution(model, []) == pytest.approx([1 / 24, 8 / 18 + 1 / 24, 5 / 18 + 1 / 24, 2 / 18 + 1 / 24])
    assert distribution(model, [A])[B] == pytest.approx(1.4 / 3 + 0.4 * (5 / 18 + 1 / 24))


def skewed(seed: int, symbols: int) -> np.ndarray:
    """A text in which each symbol is likely to be followed by the next larger one."""
    random = np.random.default_rng(seed)
    steps = random.choice([1, 1, 1, 2, 3, 4], symbols)
    return np.cumsum(steps) % 5 + 1


def bits(model, text: np.ndarray) -> float:
    return float(-np.log2(symbol_probabilities(model, [text])).sum())


def test_the_k_fitted_is_the_best_of_a_grid():
    train, valid = skewed(1, 300), skewed(2, 200)
    made = estimate("add-k", [train], 3, 6, valid=[valid])
    evidence = Evidence(count_ngrams([train], 3, 6), 6)
    grid = [bits(add_counts(evidence, k), valid) for k in np.logspace(-3, 1, 200)]
    assert bits(made.model, valid) <= min(grid) + 1e-3
    assert made.notes == [f"k = {made.details['k']:.3g}, fitted on valid"]


def test_weights_fitted_by_em_are_the_best_of_a_grid():
    """One bucket per order: every context is seen equally often, four times after each of the two symbols."""
    train = np.array([1, 1, 2, 2] * 16 + [1])
    valid = np.array([1, 1, 2, 1, 1, 2, 2, 1, 2, 2, 1, 1, 2, 2, 1] * 100)
    made = estimate("jm", [train], 2, 3, valid=[valid])
    evidence = Evidence(count_ngrams([train], 2, 3), 3)
    ratios = [
        table.count / evidence.totals(evidence.counts)[k][table.context] for k, table in enumerate(evidence.tables)
    ]
    costs = []
    for first in np.linspace(0.01, 0.99, 50):
        for second in np.linspace(0.01, 0.99, 50):
            kept = [first * ratios[0], second * ratios[1]]
            weights = [np.array([1 - first]), np.where(np.arange(3) > 0, 1 - second, 1.0)]
            costs.append(bits(interpolate_orders(evidence, kept, weights), valid))
    assert bits(made.model, valid) < 1.002 * min(
        costs
    )  # the fit keeps away from 0 and 1, as if it had seen one of each


def test_jelinek_mercer_trusts_what_was_seen_often():
    source = markov_chain(order=3, symbols=4, concentration=0.3, seed=1)
    text = symbol_ids(source, generate_text(source, 2400, seed=1))
    made = estimate("jm", [text[:400]], 4, 4, valid=[text[400:]])
    weights = made.details["weights"][3]
    assert weights[0] < weights[3]  # contexts seen once, and 8 to 15 times


@pytest.mark.parametrize(("order", "vocabulary", "message"), [(0, 3, "is 0;"), (4, 3, "has 3"), (2, 1, "has 1 entry")])
def test_what_cannot_be_counted_is_refused(order, vocabulary, message):
    with pytest.raises(InputError, match=message):
        of_stream("mkn", [0, 0, 0], order, vocabulary)
