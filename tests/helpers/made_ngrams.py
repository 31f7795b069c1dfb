"""Small n-gram models, the n-grams that they keep, and what they mean by definition."""

import itertools

import numpy as np

from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.smoothing import estimate

UNKNOWN, A, B, C, D = range(5)
VOCABULARY = 6
Ngram = tuple[int, ...]


def of_stream(smoothing: str, symbols: list[int], order: int, vocabulary: int = VOCABULARY) -> BackoffModel:
    return estimate(smoothing, [np.array(symbols)], order, vocabulary).model


def counts_of(symbols: list[int], order: int, vocabulary: int = VOCABULARY) -> list[np.ndarray]:
    return [table.count for table in count_ngrams([np.array(symbols)], order, vocabulary)]


def ngrams_of(model: BackoffModel) -> list[list[Ngram]]:
    """The symbols of the n-grams of every order, in the order of their numbers."""
    found: list[list[Ngram]] = [[(symbol,) for symbol in range(model.vocabulary)]]
    for key in model.key[1:]:
        found.append([(*found[-1][entry // model.vocabulary], int(entry % model.vocabulary)) for entry in key])
    return found


def by_definition(model: BackoffModel, context: Ngram) -> list[float]:
    """The probabilities of all symbols after `context`, from dictionaries."""
    ngrams = ngrams_of(model)
    probability = dict(zip(itertools.chain(*ngrams), np.concatenate(model.probability), strict=True))
    backoff = dict(zip(itertools.chain(*ngrams[:-1]), itertools.chain(*model.backoff), strict=True))

    def after(history: Ngram, symbol: int) -> float:
        if (*history, symbol) in probability:
            return probability[(*history, symbol)]
        return backoff.get(history, 1.0) * after(history[1:], symbol)

    return [after(context, symbol) for symbol in range(model.vocabulary)]


def kept(model: BackoffModel) -> set[Ngram]:
    return set(itertools.chain(*ngrams_of(model)))
