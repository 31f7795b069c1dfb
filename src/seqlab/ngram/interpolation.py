"""Interpolation of relative frequencies: Witten-Bell and Jelinek-Mercer smoothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ngram.evidence import Estimate, Evidence, interpolate_orders
from seqlab.ngram.model import BackoffModel

MOST_ROUNDS = 50  # of EM at most; it has converged when a round changes no weight by 1e-4


def witten_bell(evidence: Evidence) -> Estimate:
    """Witten-Bell smoothing: back-off weights from the number of different successors (Witten & Bell 1991, C)."""
    shares, weights = [], []
    for table, count, total in zip(evidence.tables, evidence.counts, evidence.totals(evidence.counts), strict=True):
        kinds = np.bincount(table.context, count > 0, len(total))
        divisor = np.maximum(total + kinds, 1)
        shares.append(count / divisor[table.context])
        weights.append(np.where(total > 0, kinds / divisor, 1.0))
    return Estimate(interpolate_orders(evidence, shares, weights))


def jelinek_mercer(evidence: Evidence) -> Estimate:
    """Jelinek-Mercer smoothing: weights for contexts seen once, 2 or 3 times, 4 to 7 times, ... of every order, fitted
    by EM on the validation text.

    Jelinek & Mercer 1980, with the buckets of Chen & Goodman 1998, section 2.3. No weight is zero or one, so the model
    is normalised and finite for any validation text.
    """
    if not len(evidence.valid):
        raise InputError("Jelinek-Mercer fits its weights on the validation text; give one to the estimate")
    totals = evidence.totals(evidence.counts)
    buckets = [np.frexp(total)[1].astype(np.int64) for total in totals]  # 0 for never, k for 2^(k-1) to 2^k - 1 times
    ratios = [
        count / np.maximum(total[table.context], 1)
        for table, count, total in zip(evidence.tables, evidence.counts, totals, strict=True)
    ]
    places, frequencies = _observe(evidence, buckets, ratios)
    sizes = [int(bucket.max()) + 1 for bucket in buckets]
    weights = _expectation_maximisation(places, frequencies, evidence.uniform, sizes)
    stops = [np.where(bucket > 0, weight[bucket], 0.0) for bucket, weight in zip(buckets, weights, strict=True)]
    shares = [ratio * stop[table.context] for ratio, stop, table in zip(ratios, stops, evidence.tables, strict=True)]
    model = interpolate_orders(evidence, shares, [1 - share for share in stops])
    return Estimate(model, {"weights": [weight[1:].round(6).tolist() for weight in weights]})


def _observe(
    evidence: Evidence, buckets: Sequence[NDArray[np.int64]], ratios: Sequence[NDArray[np.float64]]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.float64]]]:
    """Return the bucket of the context (0: unseen) and the relative frequency of scored symbols of valid, per order."""
    finder = BackoffModel(evidence.vocabulary, True, evidence.keys, [], [])
    symbols = np.concatenate([np.asarray(segment, dtype=np.int64) for segment in evidence.valid])
    place = np.concatenate([np.arange(len(segment)) for segment in evidence.valid])
    scored = place > 0
    places = [np.full(int(scored.sum()), buckets[0][0])]
    frequencies = [ratios[0][symbols[scored]]]
    number = symbols
    for k in range(2, len(evidence.tables) + 1):
        context = np.concatenate([[-1], number[:-1]])
        context[place < k - 1] = -1
        number = finder.find(k, context, symbols)
        places.append(np.where(context >= 0, buckets[k - 1][context], 0)[scored])
        frequencies.append(np.where(number >= 0, ratios[k - 1][number], 0.0)[scored])
    return places, frequencies


def _expectation_maximisation(
    places: Sequence[NDArray[np.int64]],
    frequencies: Sequence[NDArray[np.float64]],
    uniform: float,
    sizes: Sequence[int],
) -> list[NDArray[np.float64]]:
    """Fit the weight of each order and bucket: the probability that a symbol of the order or below is drawn there."""
    weights = [np.full(size, 0.5) for size in sizes]
    for _ in range(MOST_ROUNDS):
        stop_weights = [np.where(place > 0, weight[place], 0.0) for place, weight in zip(places, weights, strict=True)]
        mixed, below = np.full(len(places[0]), uniform), []
        for share, frequency in zip(stop_weights, frequencies, strict=True):
            below.append(mixed)
            mixed = share * frequency + (1 - share) * mixed
        reached, largest = np.ones(len(mixed)), 0.0  # the probability that a symbol is drawn at this order or below
        for order in reversed(range(len(weights))):
            whole = stop_weights[order] * frequencies[order] + (1 - stop_weights[order]) * below[order]
            stops = reached * stop_weights[order] * frequencies[order] / np.maximum(whole, 1e-300)
            size = len(weights[order])
            expected = np.bincount(places[order], stops, size) + 1.0  # as if a symbol had stopped and one had not
            fitted = expected / (np.bincount(places[order], reached, size) + 2.0)
            largest = max(largest, float(np.abs(fitted - weights[order])[1:].max(initial=0.0)))
            weights[order], reached = fitted, reached - stops
        if largest < 1e-4:
            break
    return weights
