"""Probabilities of symbols k steps ahead under an n-gram model, summed over the symbols between."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from seqlab.ngram.model import BackoffModel
from seqlab.sampling import Positions, Texts

MOST_CELLS = 8_000_000  # contexts times symbols; each takes twelve bytes, and eight more for every step


def is_feasible(model: BackoffModel) -> bool:
    """Return whether the sum, over every context with every symbol, is exact and of bounded cost."""
    return model.backs_off and _contexts(model) * model.vocabulary <= MOST_CELLS


def probabilities_ahead(
    model: BackoffModel, segments: Texts, positions: Positions, steps: Sequence[int]
) -> NDArray[np.float64]:
    """Return the probability of the symbols at `positions` given the segment up to k symbols before each, for every
    k of `steps`: (steps, positions).

    An n-gram model is a Markov chain whose states are the contexts it keeps. With P its transitions, p(x_t+k | x_1 ..
    x_t) is row t of P^(k-1) times the probabilities of symbols (module section 2.3 and Eq. (3)); k products of a
    sparse matrix with a table give it for all contexts at once. Every place has `max(steps)` symbols before it.
    The model `is_feasible`.
    """
    probability, following = _chain(model)
    transition = csr_array(
        (probability.ravel(), following.ravel(), np.arange(len(probability) + 1) * model.vocabulary),
        shape=(len(probability),) * 2,
    )
    states = [_states_along(following, segment) for segment in segments]
    targets = np.array([segments[number][place] for number, place in positions], dtype=np.int64)
    answers, ahead = np.empty((len(steps), len(positions))), probability
    for k in range(1, max(steps) + 1):
        for row in [row for row, step in enumerate(steps) if step == k]:
            answers[row] = ahead[[states[number][place - k] for number, place in positions], targets]
        ahead = transition @ ahead if k < max(steps) else ahead
    return answers


def _contexts(model: BackoffModel) -> int:
    """Count the contexts of every length below the order, the empty one included."""
    return 1 + sum(len(key) for key in model.key[:-1])


def _chain(model: BackoffModel) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return, for every kept context by rising length, the probability of each symbol and the longest kept context
    after it: both (contexts, vocabulary).
    """
    size = model.vocabulary
    probability = np.empty((_contexts(model), size))
    following = np.zeros((len(probability), size), dtype=np.int32)
    probability[0] = model.probability[0]
    first = 1  # where the contexts of one symbol begin
    if model.order > 1:
        following[0] = first + np.arange(size)
    shorter: NDArray[Any] = np.zeros(1, dtype=np.int64)  # the suffix states of the contexts of one symbol less
    for length in range(1, model.order):
        context, symbol = np.divmod(model.key[length - 1], size)
        # the state after the context without its first symbol
        suffix: NDArray[Any] = following[shorter[context], symbol] if length > 1 else np.zeros_like(context)
        rows = slice(first, first + len(context))
        probability[rows] = model.backoff[length - 1][:, None] * probability[suffix]
        following[rows] = following[suffix]
        parent, child = np.divmod(model.key[length], size)
        probability[first + parent, child] = model.probability[length]
        if length < model.order - 1:
            following[first + parent, child] = first + len(context) + np.arange(len(parent))
        shorter, first = suffix, first + len(context)
    return probability, following


def _states_along(following: NDArray[np.int32], segment: NDArray[Any]) -> list[int]:
    """The number of the longest kept context after each symbol of `segment`."""
    state, states = 0, []
    for symbol in segment.tolist():
        state = int(following[state, symbol])
        states.append(state)
    return states
