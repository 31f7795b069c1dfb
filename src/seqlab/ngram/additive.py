"""Additive smoothing (Laplace, Lidstone) and maximum likelihood."""

from functools import partial

import numpy as np

from seqlab.io.errors import InputError
from seqlab.ngram.evidence import Estimate, Evidence
from seqlab.ngram.model import BackoffModel, symbol_probabilities


def maximum_likelihood(evidence: Evidence) -> Estimate:
    """Relative frequencies, module Table 1; unseen contexts are shortened, unseen n-grams are impossible."""
    totals = evidence.totals(evidence.counts)
    probability = [
        count / np.maximum(total[table.context], 1)
        for table, count, total in zip(evidence.tables, evidence.counts, totals, strict=True)
    ]
    backoff = [np.where(total > 0, 0.0, 1.0) for total in totals[1:]]
    return Estimate(BackoffModel(evidence.vocabulary, True, evidence.keys, probability, backoff))


def add_one(evidence: Evidence) -> Estimate:
    """Laplace smoothing: one is added to every count."""
    return Estimate(add_counts(evidence, 1.0))


def add_fitted(evidence: Evidence) -> Estimate:
    """Lidstone smoothing: k is added to every count, with the k of the fewest bits on the validation text."""
    if not len(evidence.valid):
        raise InputError("add-k fits k on the validation text; give one to the estimate")
    from scipy.optimize import minimize_scalar  # takes half a second to load

    low, high = -6.0, 2.0  # of log10 k; the cost has one minimum between
    fit = minimize_scalar(partial(_cost, evidence), bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    k = float(10**fit.x)
    return Estimate(add_counts(evidence, k), {"k": k}, [f"k = {k:.3g}, fitted on valid"])


def add_counts(evidence: Evidence, k: float) -> BackoffModel:
    """Return the model with p(w | h) = (count(h w) + k) / (count(h) + k V); uniform after an unseen context."""
    if evidence.line_start is not None:
        raise InputError("additive smoothing has no line-wise models; use the stream protocol")
    totals = evidence.totals(evidence.counts)
    added = k * evidence.vocabulary
    probability = [
        (count + k) / (total[table.context] + added)
        for table, count, total in zip(evidence.tables, evidence.counts, totals, strict=True)
    ]
    backoff = [np.divide(added, total + added, dtype=np.float64) for total in totals[1:]]
    return BackoffModel(evidence.vocabulary, False, evidence.keys, probability, backoff)


def _cost(evidence: Evidence, exponent: float) -> float:
    """Bits of the validation text with k = 10 ** `exponent`."""
    probability = symbol_probabilities(add_counts(evidence, float(10**exponent)), evidence.valid)
    return float(-np.log2(probability).sum())
