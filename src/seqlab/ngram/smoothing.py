"""Smoothings by name, and estimates of n-gram models with them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ngram.additive import add_fitted, add_one, maximum_likelihood
from seqlab.ngram.counts import OrderCounts, count_ngrams
from seqlab.ngram.discounting import absolute, kneser_ney, modified_kneser_ney
from seqlab.ngram.evidence import Estimate, Evidence
from seqlab.ngram.interpolation import jelinek_mercer, witten_bell
from seqlab.ngram.pruning import keep_ngrams

SMOOTHINGS: dict[str, Callable[[Evidence], Estimate]] = {
    "mle": maximum_likelihood,
    "laplace": add_one,
    "add-k": add_fitted,
    "jm": jelinek_mercer,
    "wb": witten_bell,
    "abs": absolute,
    "kn": kneser_ney,
    "mkn": modified_kneser_ney,
}


DISCOUNTED_NAMES = ("abs", "kn", "mkn")


def estimate(
    smoothing: str,
    segments: Sequence[NDArray[Any]],
    order: int,
    vocabulary: int,
    line_start: int | None = None,
    valid: Sequence[NDArray[Any]] = (),
) -> Estimate:
    """Estimate the n-gram model of `order` with the `smoothing` of this name, over indices below `vocabulary`.

    `segments` are those of the training text, each (symbols,); the other arguments and errors are those of
    `estimate_from_counts` and `count_ngrams`.
    """
    _check(smoothing)
    return estimate_from_counts(smoothing, count_ngrams(segments, order, vocabulary), vocabulary, line_start, valid)


def estimate_from_counts(
    smoothing: str,
    tables: Sequence[OrderCounts],
    vocabulary: int,
    line_start: int | None = None,
    valid: Sequence[NDArray[Any]] = (),
    thresholds: Sequence[int] = (),
) -> Estimate:
    """Estimate the n-gram model with the `smoothing` of this name from the counts of all its orders.

    `valid` are the segments of the validation text, which add-k and jm need. For line-wise models `line_start` is the
    index of `<s>`, the first symbol of every segment, which is never predicted. N-grams of order k that occur at most
    `thresholds[k - 1]` times are removed, and smoothings by discounts give their mass to the order below; the last
    threshold holds for higher orders. Raises InputError for an unknown smoothing, for other smoothings with thresholds,
    and for thresholds that are negative or fall, or remove unigrams.
    """
    _check(smoothing)
    tables = list(tables)
    dropped = _dropped(smoothing, tables, thresholds)
    if line_start is not None:
        never = np.arange(vocabulary) == line_start
        tables[0] = replace(
            tables[0],
            count=np.where(never, 0, tables[0].count),
            opens=tables[0].opens & ~never,  # so that its continuation count is zero as well
        )
    result = SMOOTHINGS[smoothing](Evidence(tables, vocabulary, line_start, valid, dropped))
    return replace(result, model=keep_ngrams(result.model, [~mask for mask in dropped])) if dropped else result


def _dropped(smoothing: str, tables: Sequence[OrderCounts], thresholds: Sequence[int]) -> list[NDArray[np.bool_]]:
    """Return masks of the n-grams that occur at most as often as the threshold of their order, or an empty list."""
    if not any(thresholds):
        return []
    if smoothing not in DISCOUNTED_NAMES:
        raise InputError(f"thresholds are for {', '.join(DISCOUNTED_NAMES)} and not for {smoothing}; use one of these")
    if thresholds[0] or list(thresholds) != sorted(thresholds) or len(thresholds) > len(tables):
        raise InputError(
            f"the thresholds are {list(thresholds)}; give 0 for order 1, then rising numbers for at most {len(tables)} "
            "orders"
        )
    every = [*thresholds, *[thresholds[-1]] * (len(tables) - len(thresholds))]
    return [
        table.count <= least if least else np.zeros(len(table.key), dtype=bool)
        for table, least in zip(tables, every, strict=True)
    ]


def _check(smoothing: str) -> None:
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing is {smoothing!r}; allowed are {', '.join(SMOOTHINGS)}")
