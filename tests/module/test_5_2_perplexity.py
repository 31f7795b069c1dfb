"""Module section 5.2: perplexity in its three forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked_examples import NOT_PRINTED, agrees, sequence_probabilities

from seqlab.ledger.perplexity import perplexity

probabilities = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=50).map(np.array)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_perplexity_of_the_worked_example(order):
    computed = perplexity(-np.log2(sequence_probabilities(order)))
    assert agrees(computed, NOT_PRINTED[f"perplexity {order}-gram"]).all()


@given(probabilities)
def test_power_of_the_probability_of_the_sequence(p):
    """Eq. (16) and (17)."""
    assert math.isclose(perplexity(-np.log2(p)), float(np.prod(p ** (-1 / len(p)))), rel_tol=1e-9)


@given(probabilities)
def test_exponential_of_the_mean_negative_log_likelihood(p):
    """Eq. (18)."""
    assert math.isclose(perplexity(-np.log2(p)), math.exp(-np.log(p).mean()), rel_tol=1e-9)


@given(st.integers(1, 10_000), st.integers(1, 20))
def test_as_many_choices_as_there_are_equally_likely_symbols(choices, symbols):
    """Perplexity is the number of choices itself; the module's text says its reciprocal."""
    assert math.isclose(perplexity(np.full(symbols, math.log2(choices))), choices, rel_tol=1e-9)


def test_an_impossible_symbol_makes_perplexity_infinite():
    assert perplexity(np.array([1.0, math.inf])) == math.inf
