"""Verdicts: which models of an experiment are better or worse than the best one, and which are tied with it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.runs import Run
from seqlab.io.tables import read_rows
from seqlab.ledger.record import read_ledger
from seqlab.ledger.selection import choose_best, standing_of
from seqlab.ledger.statistics import CONFIDENCE, Comparison, compare, holm

CHOSEN_FAMILIES = ("ngram", "rnn", "mixture")  # the families that are chosen between
BETTER, WORSE, TIED = "better", "worse", "tied"
TOTAL_ONLY, IMPOSSIBLE = "only a total is known", "a symbol has probability zero"
RESOLUTION = 1e-6  # bits per symbol; the ledger holds them as float32


@dataclass(frozen=True)
class Verdict:
    """A row of verdicts.csv: the difference of a model to the one that it is compared `against`.

    Figures are bits per symbol of test, the model less the other; positive is worse. `p_holm` is p adjusted for all
    rows of the table, and `verdict` goes by it: better, worse or tied, that is, not distinguishable. Where two models
    can't be compared it says why, and the figures are NaN. The other fields are those of
    `seqlab.ledger.statistics.Comparison`.
    """

    family: str
    model: str
    against: str
    verdict: str
    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    p_holm: float = math.nan
    minimum_detectable: float = math.nan
    standard_error: float = math.nan
    text_error: float = math.nan
    seed_error: float = math.nan
    block: float = math.nan

    @property
    def is_known(self) -> bool:
        """True where the two models could be compared."""
        return not math.isnan(self.difference)

    @property
    def in_words(self) -> str:
        """The verdict with the name of the other model, the difference and its interval, or why there is none."""
        if not self.is_known:
            return f"not comparable with {self.against}: {self.verdict}"
        if self.verdict == TIED:
            interval = f"95 % interval {self.low:+.4f} to {self.high:+.4f}"
            return f"tied with {self.against} (difference {self.difference:+.4f} bits per symbol, {interval})"
        low, high = sorted((abs(self.low), abs(self.high)))
        figures = f"{abs(self.difference):.4f} bits per symbol {self.verdict} than {self.against}"
        return f"{figures} (95 % interval {low:.4f} to {high:.4f})"


@dataclass(frozen=True)
class Entry:
    """A model in the ledger: its metrics, and its bits for the symbols of test, (replicas, symbols)."""

    metrics: dict[str, Any]
    bits: NDArray[Any]

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(self.metrics["model"])


def answer(runs: Iterable[Run]) -> list[Verdict]:
    """Return the verdicts on the models of `runs`; see `judge_models`."""
    return judge_models([Entry(metrics, bits["test"]) for metrics, bits in map(read_ledger, runs)])


def judge_models(entries: Sequence[Entry]) -> list[Verdict]:
    """Return a verdict on each model against the one that is best on validation, and on each pair of the best of two
    families; none where no model has a finite perplexity on validation.
    """
    best = {
        family: _best([entry for entry in entries if entry.metrics["family"] == family]) for family in CHOSEN_FAMILIES
    }
    leaders = [entry for entry in best.values() if entry]
    first = _best(leaders)
    if first is None:
        return []
    pairs = [(entry, first) for entry in entries if entry is not first]
    return judge_pairs(pairs + [pair for pair in combinations(leaders, 2) if first not in pair])


def judge_pairs(pairs: Sequence[tuple[Entry, Entry]]) -> list[Verdict]:
    """Return a verdict on the first of each pair against the second, with p values adjusted over all of them (Holm)."""
    comparisons = [_compare(entry, other) for entry, other in pairs]
    adjusted = iter(holm([comparison.p for comparison in comparisons if isinstance(comparison, Comparison)]))
    verdicts = []
    for (entry, other), comparison in zip(pairs, comparisons, strict=True):
        names = str(entry.metrics["family"]), entry.name, other.name
        if isinstance(comparison, str):
            verdicts.append(Verdict(*names, comparison))
            continue
        p_holm = next(adjusted)
        is_tied = p_holm >= 1 - CONFIDENCE or abs(comparison.difference) < RESOLUTION
        word = TIED if is_tied else WORSE if comparison.difference > 0 else BETTER
        figures: dict[str, Any] = {name: float(value) for name, value in asdict(comparison).items()}
        verdicts.append(Verdict(*names, word, p_holm=p_holm, **figures))
    return verdicts


def read_verdicts(path: str | Path) -> list[Verdict]:
    """Return the verdicts in the verdicts.csv `path`; InputError where the file is damaged."""
    return [Verdict(**row) for row in read_rows(path, Verdict).to_dict("records")]


def find_leader(verdicts: Sequence[Verdict]) -> str:
    """Return the model that the others are compared with; empty where none is."""
    return verdicts[0].against if verdicts else ""


def find_verdict(verdicts: Sequence[Verdict], model: str) -> Verdict | None:
    """Return the verdict on `model` against the best one; None for the best itself."""
    against = find_leader(verdicts)
    return next((verdict for verdict in verdicts if (verdict.model, verdict.against) == (model, against)), None)


def _best(entries: Sequence[Entry]) -> Entry | None:
    return choose_best(entries, lambda entry: standing_of(entry.metrics))


def _compare(entry: Entry, other: Entry) -> Comparison | str:
    """The comparison of two models symbol by symbol, or the reason why there can be none."""
    if not (entry.metrics["per_symbol"] and other.metrics["per_symbol"]):
        return TOTAL_ONLY
    if entry.bits.shape[1] != other.bits.shape[1]:
        return f"scored on {entry.bits.shape[1]} symbols, not {other.bits.shape[1]}"
    if np.isnan(entry.bits).any() or np.isnan(other.bits).any():
        return "a figure is not a number"
    if np.isinf(entry.bits).any() or np.isinf(other.bits).any():
        return IMPOSSIBLE
    return "too few symbols" if entry.bits.shape[1] < 16 else compare(entry.bits, other.bits)
