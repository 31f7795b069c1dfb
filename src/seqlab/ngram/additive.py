"""Relative frequencies, and counts with something added to each."""

from functools import partial

import numpy as np

from seqlab.io.errors import InputError
from seqlab.ngram.evidence import Estimate, Evidence
from seqlab.ngram.model import NgramModel, symbol_probabilities


def maximum_likelihood(evidence: Evidence) -> Estimate:
    """Relative frequencies, module Table 1; a context never seen is shortened, an n-gram never seen is impossible."""
    totals = evidence.totals(evidence.counts)
    probability = [
        count / np.maximum(total[table.context], 1)
        for table, count, total in zip(evidence.tables, evidence.counts, totals, strict=True)
    ]
    backoff = [np.where(total > 0, 0.0, 1.0) for total in totals[1:]]
    return Estimate(NgramModel(evidence.vocabulary, True, evidence.keys, probability, backoff))


def add_one(evidence: Evidence) -> Estimate:
    """Laplace: every symbol is seen once more after every context than it was."""
    return Estimate(add(evidence, 1.0))


def add_fitted(evidence: Evidence) -> Estimate:
    """Lidstone: every symbol is seen k more times, with the k that predicts the validation text best."""
    if not len(evidence.valid):
        raise InputError("add-k fits k on the validation text; give one to the estimate")
    from scipy.optimize import minimize_scalar  # half a second to load, for one smoothing

    low, high = -6.0, 2.0  # of log10 k; the cost has one minimum between
    fit = minimize_scalar(partial(_cost, evidence), bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    k = float(10**fit.x)
    return Estimate(add(evidence, k), {"k": k}, [f"k = {k:.3g}, fitted on valid"])


def add(evidence: Evidence, k: float) -> NgramModel:
    """The model with p(w | h) = (count(h w) + k) / (count(h) + k V); a context never seen is uniform."""
    if evidence.line_start is not None:
        raise InputError("adding to counts is not defined line by line here; use the stream protocol")
    totals = evidence.totals(evidence.counts)
    added = k * evidence.vocabulary
    probability = [
        (count + k) / (total[table.context] + added)
        for table, count, total in zip(evidence.tables, evidence.counts, totals, strict=True)
    ]
    backoff = [np.divide(added, total + added, dtype=np.float64) for total in totals[1:]]
    return NgramModel(evidence.vocabulary, False, evidence.keys, probability, backoff)


def _cost(evidence: Evidence, exponent: float) -> float:
    """Bits of the validation text with k = 10 ** `exponent`."""
    probability = symbol_probabilities(add(evidence, float(10**exponent)), evidence.valid)
    return float(-np.log2(probability).sum())
