"""Module section 5.1: n-gram models by relative frequency, and the worked example of the time traveler."""

from math import prod

import numpy as np
import pytest
from worked_examples import ERRATA, TEXT, VOCAB, agrees, sequence_probabilities

from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import distribution, symbol_probabilities
from seqlab.ngram.smoothing import estimate

COUNTS = {
    "the": 50,
    "time": 20,
    "traveler": 10,
    "arrived": 5,
    "the time": 15,
    "time traveler": 8,
    "traveler arrived": 3,
    "the time traveler": 5,
    "time traveler arrived": 2,
}
FACTORS = {
    1: [50 / 85, 20 / 85, 10 / 85, 5 / 85],
    2: [50 / 85, 15 / 50, 8 / 20, 3 / 10],
    3: [50 / 85, 15 / 50, 5 / 15, 2 / 8],
}


@pytest.mark.parametrize(("words", "count"), COUNTS.items())
def test_counts(words, count):
    first, *others = VOCAB[words.split()]
    tables = count_ngrams([VOCAB.encode(TEXT)], 1 + len(others), len(VOCAB))
    number = first
    for table, symbol in zip(tables[1:], others, strict=True):
        number = int(np.searchsorted(table.key, number * len(VOCAB) + symbol))
    assert tables[-1].count[number] == count


def test_total():
    assert count_ngrams([VOCAB.encode(TEXT)], 1, len(VOCAB))[0].count.sum() == 85


@pytest.mark.parametrize("order", FACTORS)
def test_conditional_probabilities(order):
    np.testing.assert_allclose(sequence_probabilities(order), FACTORS[order], rtol=1e-12)


@pytest.mark.parametrize(("name", "order"), [("P_uni", 1), ("P_tri", 3)])
def test_errata(name, order):
    probability = prod(sequence_probabilities(order))
    assert agrees(probability, ERRATA[name].right).all()
    assert not agrees(probability, ERRATA[name].printed).any()


def test_bigram_probability_of_the_sequence():
    assert agrees(prod(sequence_probabilities(2)), "0.0212").all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_only_the_last_n_minus_1_words_matter(order):
    """Eq. (14): a different word outside the context changes nothing, one inside does."""
    text = np.array([1, 2, 3, 4, 5, 2, 3, 5, 1, 2, 6, 5, 1, 6, 3, 6])
    model = estimate("mle", [text], order, 7).model
    seen = distribution(model, [1, 2, 3])
    contexts = [[5, 2, 3], [1, 6, 3], [1, 2, 6]]  # differ from the first in the third, second and last word before
    same = [bool(np.array_equal(distribution(model, context), seen)) for context in contexts]
    assert same == [order < 4, order < 3, order < 2]


def test_the_chain_rule_with_a_long_enough_context_is_exact():
    """Eq. (13): the text seen once has the probability of its first word, the rest being certain."""
    text = np.array([1, 2, 3, 4])
    model = estimate("mle", [text], 4, 5).model
    assert prod(symbol_probabilities(model, [text])) == 1.0


def test_the_denominator_counts_what_follows_a_context():
    """The module divides by C(h), which is one too many where h ends the text: P(. | h) would not sum to 1."""
    the, time = 1, 2
    model = estimate("mle", [np.array([the, time, the])], 2, 3).model
    assert distribution(model, [the])[time] == 1.0
