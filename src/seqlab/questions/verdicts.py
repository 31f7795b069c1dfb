"""Verdicts: models of an experiment that are better than, worse than or tied with the best one."""

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
from seqlab.ledger.statistics import CONFIDENCE, Comparison, adjust_p_values, compare_bits

CHOSEN_FAMILIES = ("ngram", "rnn", "mixture", "external")  # the families that compete for the best model
BETTER, WORSE, TIED = "better", "worse", "tied"
TOTAL_ONLY, IMPOSSIBLE = "only a total is known", "a symbol has probability zero"
RESOLUTION = 1e-6  # bits per symbol, which the ledger stores as float32


@dataclass(frozen=True)
class Verdict:
    """A row of verdicts.csv: the difference of a model to the model that it is compared `against`.

    Figures are bits per symbol of test, the model less the other; positive is worse. `p_holm` is p adjusted for all
    rows of the table and decides the `verdict`: better, worse or tied (not distinguishable). For models that can't be
    compared `verdict` is the reason, and the figures are NaN. The other fields are those of
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
        """True where the two models can be compared."""
        return not math.isnan(self.difference)

    @property
    def in_words(self) -> str:
        """The verdict with the other model, the difference and its interval, or the reason for no verdict."""
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
    """Metrics of a model and its bits of the symbols of test, (replicas, symbols)."""

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
    """Return verdicts on each model against the best on validation, and on each pair of the best models of two
    families; empty where no model has a finite perplexity on validation.
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
    adjusted = iter(adjust_p_values([comparison.p for comparison in comparisons if isinstance(comparison, Comparison)]))
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
    """Return the name of the best model on validation; empty without verdicts."""
    return verdicts[0].against if verdicts else ""


def find_verdict(verdicts: Sequence[Verdict], model: str) -> Verdict | None:
    """Return the verdict on `model` against the best model; None for the best itself."""
    against = find_leader(verdicts)
    return next((verdict for verdict in verdicts if (verdict.model, verdict.against) == (model, against)), None)


def _best(entries: Sequence[Entry]) -> Entry | None:
    return choose_best(entries, lambda entry: standing_of(entry.metrics))


def _compare(entry: Entry, other: Entry) -> Comparison | str:
    """Return the comparison of two models symbol by symbol, or the reason for none."""
    if not (entry.metrics["per_symbol"] and other.metrics["per_symbol"]):
        return TOTAL_ONLY
    if entry.bits.shape[1] != other.bits.shape[1]:
        return f"scored on {entry.bits.shape[1]} symbols, not {other.bits.shape[1]}"
    if np.isnan(entry.bits).any() or np.isnan(other.bits).any():
        return "bits are NaN"
    if np.isinf(entry.bits).any() or np.isinf(other.bits).any():
        return IMPOSSIBLE
    return "too few symbols" if entry.bits.shape[1] < 16 else compare_bits(entry.bits, other.bits)
