"""Horizon: bits of the symbol k steps ahead under the best model of each family."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqlab.ledger.selection import rank_candidates, standing_of
from seqlab.questions.subject import Subject, choose_positions, select_lengths
from seqlab.sampling import Ahead

EXACT_METHOD, SAMPLED_METHOD = "exact", "sampled"


@dataclass(frozen=True)
class HorizonRow:
    """A row of horizon.csv: mean bits of symbols of test that lie `steps` ahead, and their deviation over seeds.

    `method` is exact or sampled; a sampled figure has the standard error `sampling_error` and the bias `sampling_bias`.
    """

    family: str
    model: str
    steps: int
    symbols: int
    bits_per_symbol: float
    bits_per_symbol_std: float
    method: str
    sampling_error: float
    sampling_bias: float


def answer(subject: Subject, steps: Sequence[int], symbols: int, samples: int) -> list[HorizonRow]:
    """Return a row for each of `steps` and for the best model on validation of each family of the subject.

    Sources come first, then families in the order of their best models. A model that can't look ahead is replaced by
    the next of its family. All rows use the same positions of test, at most `symbols`, evenly spaced.
    """
    test = subject.segments["test"]
    steps = select_lengths(steps, test)
    positions = choose_positions(test, steps[-1], symbols)
    ledger = [
        pair for family in dict.fromkeys(run.family for run in subject.runs) for pair in subject.of_family(family)
    ]
    ranking = [run for _, run in rank_candidates(ledger, lambda pair: standing_of(pair[0]))]
    rows: dict[str, list[HorizonRow]] = {}
    for run in sorted(ranking, key=lambda run: run.family != "source"):
        if not rows.get(run.family):
            answers = subject.foresight(run).look_ahead(test, positions, steps, samples)
            rows[run.family] = [summarize_ahead(run.family, run.model, ahead) for ahead in answers]
    return [row for family in rows.values() for row in family]


def summarize_ahead(family: str, model: str, ahead: Ahead) -> HorizonRow:
    """Return the row of a model from the bits `ahead` of its replicas; errors of different symbols are independent."""
    replicas, symbols = ahead.bits.shape
    spread = float(ahead.bits.mean(1).std(ddof=1)) if replicas > 1 else math.nan
    error = float(np.sqrt((ahead.error**2).sum()) / ahead.error.size)
    method = SAMPLED_METHOD if ahead.sampled else EXACT_METHOD
    mean = float(ahead.bits.mean())
    return HorizonRow(family, model, ahead.steps, symbols, mean, spread, method, error, float(ahead.bias.mean()))
