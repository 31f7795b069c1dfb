"""Linear interpolation of n-gram models."""

import numpy as np
import pytest

from seqlab import NgramModel
from seqlab.io.errors import InputError
from seqlab.ngram.mixing import fit_mixture, mix_models

FIRST = NgramModel.train(["a b c", "a b", "c a b"], order=3)
SECOND = NgramModel.train(["b d", "d b a", "b b"], order=2)


def probability(model: NgramModel, context: list[str], word: str) -> float:
    """The probability of a word; zero for words that the model lacks."""
    state = model.state()
    for token in context:
        state = model.follow(state, token)[1]
    return 10 ** model.follow(state, word)[0] if word in model.index else 0.0


def test_ngrams_of_either_model_have_the_weighted_mean_of_probabilities() -> None:
    mixed = mix_models([FIRST, SECOND], [0.75, 0.25])
    for context, word in ([["a"], "b"], [["d"], "b"], [["a", "b"], "c"], [[], "d"], [[], "a"]):
        expected = 0.75 * probability(FIRST, context, word) + 0.25 * probability(SECOND, context, word)
        assert probability(mixed, context, word) == pytest.approx(expected, rel=1e-4)


def test_probabilities_of_a_mixture_sum_to_one() -> None:
    mixed = mix_models([FIRST, SECOND], [0.5, 0.5])
    for context in ([], ["a"], ["a", "b"], ["d", "b"], ["d", "d"]):
        state = mixed.state()
        for token in context:
            state = mixed.follow(state, token)[1]
        words = [*mixed.index, "never"]
        total = sum(10 ** mixed.follow(state, word)[0] for word in words) + 10 ** mixed.end(state)
        assert total == pytest.approx(1, abs=1e-5)


def test_a_mixture_with_one_weight_is_the_model() -> None:
    mixed = mix_models([FIRST, SECOND], [1.0, 0.0])
    assert mixed.score("a b c") == pytest.approx(FIRST.score("a b c"), abs=1e-5)


def test_fitted_weights_have_the_highest_likelihood() -> None:
    text = b"a b c\nb d\na b\nc a b\n"
    weights = fit_mixture([FIRST, SECOND], text)
    words = [line.split() for line in text.decode().splitlines()]

    def likelihood(share: float) -> float:
        costs = [
            np.log(
                share * probability(FIRST, line[:place], word) + (1 - share) * probability(SECOND, line[:place], word)
            )
            for line in words
            for place, word in enumerate(line)
        ]
        return float(np.sum(costs)) + sum(
            np.log(share * 10 ** FIRST.end(_after(FIRST, line)) + (1 - share) * 10 ** SECOND.end(_after(SECOND, line)))
            for line in words
        )

    assert sum(weights) == pytest.approx(1)
    assert max(likelihood(weights[0] + 0.02), likelihood(weights[0] - 0.02)) < likelihood(weights[0])


def _after(model: NgramModel, line: list[str]) -> tuple[int, ...]:
    state = model.state()
    for word in line:
        state = model.follow(state, word)[1]
    return state


@pytest.mark.parametrize("weights", [[1.0], [0.7, 0.7], [1.5, -0.5]])
def test_weights_that_are_no_shares_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="the weights are"):
        mix_models([FIRST, SECOND], weights)


def test_models_of_different_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="the models differ in unit"):
        mix_models([FIRST, NgramModel.train(["abc", "abd"], unit="char", order=2)], [0.5, 0.5])


def test_a_text_without_known_words_is_refused() -> None:
    stream = NgramModel.train(["a b a b"], order=2, lines=False)
    with pytest.raises(InputError, match="no model knows a word"):
        fit_mixture([stream, stream], b"x y z\n")
