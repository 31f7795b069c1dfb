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
) -> Estimate:
    """Estimate the n-gram model with the `smoothing` of this name from the counts of all its orders.

    `valid` are the segments of the validation text, which add-k and jm need. For line-wise models `line_start` is the
    index of `<s>`, the first symbol of every segment, which is never predicted. Raises InputError for an unknown
    smoothing.
    """
    _check(smoothing)
    tables = list(tables)
    if line_start is not None:
        never = np.arange(vocabulary) == line_start
        tables[0] = replace(
            tables[0],
            count=np.where(never, 0, tables[0].count),
            opens=tables[0].opens & ~never,  # so that its continuation count is zero as well
        )
    return SMOOTHINGS[smoothing](Evidence(tables, vocabulary, line_start, valid))


def _check(smoothing: str) -> None:
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing is {smoothing!r}; allowed are {', '.join(SMOOTHINGS)}")
