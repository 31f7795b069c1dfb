"""Linear interpolation of n-gram models as one n-gram model, with weights fitted on a text."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ledger.mixture import fit_weights
from seqlab.ngram.language import NgramModel
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.packed import PackedModel
from seqlab.ngram.pruning import renormalise
from seqlab.ngram.words import WordTable

ABSENT = -1  # stands for a word that a model lacks


def fit_mixture(models: Sequence[NgramModel], text: bytes) -> list[float]:
    """Return the weights of `models`, which add up to 1, with the highest likelihood on `text`, whole lines.

    Words that no model knows are not counted, and words that a model lacks are impossible for it. Raises InputError as
    `mix_models`, and where no word of the text is known.
    """
    _join_vocabularies(models)
    scores = [model.score_text(text) for model in models]
    is_unknown = np.stack([score.symbols == 0 for score in scores])
    bits = np.where(is_unknown, np.inf, -np.stack([score.log10 for score in scores]) / np.log10(2))
    is_counted = scores[0].is_scored & ~is_unknown.all(axis=0)
    if not is_counted.any():
        raise InputError("no model knows a word of the text for the weights; give a text of their language")
    weights: list[float] = fit_weights(bits[:, is_counted]).tolist()
    return weights


def mix_models(models: Sequence[NgramModel], weights: Sequence[float]) -> NgramModel:
    """Return the model with p(w | h) = sum of weight times p of each model for the n-grams of any of `models`.

    A word that a model lacks has probability zero there. Back-off weights are set so that all probabilities sum to 1,
    as SRILM's `ngram -mix-lm` does. Raises InputError for models of different units or of lines and streams, and for
    weights that are negative or do not add up to 1.
    """
    if len(weights) != len(models) or min(weights) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise InputError(f"the weights are {list(weights)}; give one for each of {len(models)} models, with the sum 1")
    words = _join_vocabularies(models)
    marks = models[0].marks
    tokens = [*models[0].tokens[:marks], *words]
    places = [np.array([*range(marks), *(model.index.get(word, ABSENT) for word in words)]) for model in models]
    keys = _join_keys(models, words)
    empty = BackoffModel(len(tokens), True, keys, [], [])
    probability = []
    for k, key in enumerate(keys, start=1):
        symbols = empty.symbols(k, np.arange(len(key)))
        total = np.zeros(len(key))
        for model, place, weight in zip(models, places, weights, strict=True):
            total += weight * _last_probability(model, place[symbols])
        probability.append(total)
    ones = [np.ones(len(key)) for key in keys[:-1]]
    mixed = renormalise(replace(empty, probability=probability, backoff=ones))
    texts = [b""] * marks + [word.encode() for word in words]
    description = {key: models[0].description[key] for key in ("unit", "lines", "merges")}
    description |= {
        "escaped": all(model.description["escaped"] for model in models),
        "weights": list(weights),
        "notes": [],
    }
    return NgramModel(PackedModel.pack(mixed, WordTable.of(texts)), description)


def _join_vocabularies(models: Sequence[NgramModel]) -> list[str]:
    """Return the words of any of `models`, those of the first model first."""
    for model in models[1:]:
        for key in ("unit", "lines", "merges"):
            if model.description[key] != models[0].description[key]:
                raise InputError(
                    f"the models differ in {key} ({models[0].description[key]!r} and {model.description[key]!r}); mix "
                    "models of one kind"
                )
    return list(dict.fromkeys(word for model in models for word in model.index))


def _join_keys(models: Sequence[NgramModel], words: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the keys of the n-grams of any model, over the marks and `words`."""
    marks = models[0].marks
    index = {word: number for number, word in enumerate(words, start=marks)}
    places = [np.array([*range(marks), *map(index.__getitem__, model.index)]) for model in models]
    vocabulary = marks + len(words)
    unpacked = [model.unpack() for model in models]
    keys, numbers = [np.arange(vocabulary)], places  # of the n-grams of each model in the order below
    for k in range(2, max(model.order for model in unpacked) + 1):
        targets = []
        for model, place, number in zip(unpacked, places, numbers, strict=True):
            ngrams = model.key[k - 1] if k <= model.order else np.zeros(0, dtype=np.int64)
            targets.append(number[ngrams // model.vocabulary] * vocabulary + place[ngrams % model.vocabulary])
        keys.append(np.unique(np.concatenate(targets)))
        numbers = [np.searchsorted(keys[-1], target) for target in targets]
    return keys


def _last_probability(model: NgramModel, symbols: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of the last of the symbols of each n-gram, (n, k), after the others."""
    from seqlab.ngram.compiled import score_ngrams

    log10 = np.empty(len(symbols))
    symbols = symbols[:, -model.order :]  # a model looks back at no more
    score_ngrams(*model.packed.arguments, np.maximum(symbols, 0), log10)
    return np.where(symbols[:, -1] == ABSENT, 0.0, 10.0**log10)
