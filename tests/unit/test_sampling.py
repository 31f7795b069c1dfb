"""Drawing a symbol: frequencies, temperature, the k likeliest, and the edges of the random number."""

from typing import ClassVar

import numpy as np
import pytest

from seqlab.io.errors import InputError
from seqlab.sampling import draw_symbol, drawn, search_likeliest

PROBABILITY = np.array([0.1, 0.0, 0.6, 0.3])


class FixedNumber:
    """A source of randomness that always gives the same number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


def frequencies(draws: int = 20_000, **options: float) -> np.ndarray:
    random = np.random.default_rng(1)
    drawn = [draw_symbol(PROBABILITY, random, **options) for _ in range(draws)]
    return np.bincount(drawn, minlength=len(PROBABILITY)) / draws


def test_symbols_come_as_often_as_they_are_probable():
    found = frequencies()
    assert found == pytest.approx(PROBABILITY, abs=0.02)
    assert found[1] == 0


def test_a_low_temperature_sharpens():
    # Temperature 1/2 squares the probabilities: 0.01, 0.36, 0.09 of 0.46.
    assert frequencies(temperature=0.5) == pytest.approx(np.array([0.01, 0, 0.36, 0.09]) / 0.46, abs=0.02)


def test_the_two_likeliest_share_what_the_others_lose():
    assert frequencies(top_k=2) == pytest.approx([0, 0, 2 / 3, 1 / 3], abs=0.02)


@pytest.mark.parametrize("top_k", [4, 9])
def test_a_top_k_of_the_whole_vocabulary_changes_nothing(top_k):
    assert frequencies(2000, top_k=top_k).tolist() == frequencies(2000).tolist()


def test_temperature_zero_takes_the_likeliest_and_the_first_of_equals():
    random = np.random.default_rng(1)
    assert {draw_symbol(PROBABILITY, random, temperature=0) for _ in range(20)} == {2}
    assert draw_symbol(np.array([0.2, 0.4, 0.4]), random, temperature=0) == 1


def test_equal_symbols_at_the_cut_are_taken_from_the_front():
    equal = np.array([0.25, 0.25, 0.25, 0.25])
    assert {draw_symbol(equal, np.random.default_rng(seed), top_k=2) for seed in range(50)} == {0, 1}


@pytest.mark.parametrize("number", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_random_number_never_give_an_impossible_symbol(number):
    for seed in range(200):
        probability = np.random.default_rng(seed).dirichlet(np.ones(300))
        probability[[0, -1]] = 0
        drawn = draw_symbol(probability / probability.sum(), FixedNumber(number))
        assert 0 < drawn < 299


@pytest.mark.parametrize(
    ("options", "message"),
    [({"temperature": -0.5}, "temperature is -0.5"), ({"top_k": 0}, "top_k is 0"), ({"top_k": -2}, "top_k is -2")],
)
def test_bad_values_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        draw_symbol(PROBABILITY, np.random.default_rng(1), **options)


def test_the_nucleus_is_the_fewest_symbols_that_hold_the_share():
    assert frequencies(top_p=0.6) == pytest.approx([0, 0, 1, 0], abs=0)
    assert frequencies(top_p=0.61) == pytest.approx([0, 0, 2 / 3, 1 / 3], abs=0.02)
    assert frequencies(top_p=1.0)[0] > 0


@pytest.mark.parametrize("top_p", [0.0, -0.1, 1.1])
def test_a_nucleus_that_is_no_share_is_refused(top_p):
    with pytest.raises(InputError, match=f"top_p is {top_p}"):
        draw_symbol(PROBABILITY, np.random.default_rng(1), top_p=top_p)


class TwoSteps:
    """A reading whose second symbol depends on the first; which is likelier at first is not in the likeliest text."""

    AFTER: ClassVar = {(): [0.6, 0.4], (0,): [0.5, 0.5], (1,): [0.9, 0.1]}

    def __init__(self, texts=((),)):
        self.texts = texts

    @property
    def probability(self):
        return np.array([self.AFTER[text] for text in self.texts])

    def followed(self, texts, symbols):
        return TwoSteps([(*self.texts[text], symbol) for text, symbol in zip(texts, symbols, strict=True)])


def test_a_beam_of_one_takes_the_likeliest_symbol_each_time():
    text, bits = search_likeliest(TwoSteps(), 2, beam=1)
    assert (text, bits) == ([0, 0], pytest.approx(-np.log2(0.6 * 0.5)))


def test_a_wider_beam_finds_the_likeliest_text():
    text, bits = search_likeliest(TwoSteps(), 2, beam=2)
    assert (text, bits) == ([1, 0], pytest.approx(-np.log2(0.4 * 0.9)))


def test_no_beam_is_refused():
    with pytest.raises(InputError, match="beam is 0"):
        search_likeliest(TwoSteps(), 2, beam=0)


def test_every_symbol_is_drawn_given_those_before_it():
    texts = {tuple(drawn(TwoSteps(), 2, np.random.default_rng(seed), temperature=0)) for seed in range(5)}
    assert texts == {(0, 0)}
    several = [tuple(drawn(TwoSteps(), 2, np.random.default_rng(seed))) for seed in range(4000)]
    assert several.count((1, 0)) / len(several) == pytest.approx(0.36, abs=0.03)
