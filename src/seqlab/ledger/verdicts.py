"""verdicts.csv: which models of an experiment differ from the best one, and which can't be told from it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.io.files import damaged, verified
from seqlab.ledger.selection import valid_perplexity
from seqlab.ledger.statistics import CONFIDENCE, compare, holm

CHOSEN = ("ngram", "rnn", "mixture")  # the families that are chosen between
FIGURES = ["difference", "low", "high", "p", "p_holm", "minimum_detectable", "standard_error", "text_error"]
FIGURES += ["seed_error", "block"]
COLUMNS = ["family", "model", "against", "verdict", *FIGURES]
BETTER, WORSE, ALIKE = "better", "worse", "not told apart"
RESOLUTION = 1e-6  # bits per symbol; the ledger holds them as float32


@dataclass(frozen=True)
class Entry:
    """A model in the ledger: its metrics, and its bits for the symbols of test, (replicas, symbols)."""

    metrics: dict[str, Any]
    bits: NDArray[Any]

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(self.metrics["model"])


def verdicts(entries: Sequence[Entry]) -> pd.DataFrame:
    """A row for each model against the one that is best on valid, and for each pair of the best of two families.

    Differences are in bits per symbol of test, the model less the one it is held `against`; positive is worse. The p
    values of the table are adjusted together (Holm), and `verdict` goes by them; where two models can't be compared it
    says why, and the figures are empty.
    """
    best = {family: _best([entry for entry in entries if entry.metrics["family"] == family]) for family in CHOSEN}
    leaders = [entry for entry in best.values() if entry]
    first = _best(leaders)
    if first is None:
        return pd.DataFrame(columns=COLUMNS)
    pairs = [(entry, first) for entry in entries if entry is not first]
    pairs += [
        (one, other) for place, one in enumerate(leaders) for other in leaders[place + 1 :] if first not in (one, other)
    ]
    return judge(pairs)


def judge(pairs: Sequence[tuple[Entry, Entry]]) -> pd.DataFrame:
    """A row for each pair, as in `verdicts`: the first less the second, p values adjusted over all of them."""
    rows = [_row(entry, other) for entry, other in pairs]
    judged = [row for row in rows if "p" in row]
    for row, adjusted in zip(judged, holm([row["p"] for row in judged]), strict=True):
        row["p_holm"] = adjusted
        alike = adjusted >= 1 - CONFIDENCE or abs(row["difference"]) < RESOLUTION
        row["verdict"] = ALIKE if alike else WORSE if row["difference"] > 0 else BETTER
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(FIGURES, float))


def read_verdicts(path: str | Path) -> pd.DataFrame:
    """The verdicts.csv in `path`; InputError where columns are missing."""
    try:
        return pd.read_csv(verified(path), dtype=dict.fromkeys(COLUMNS[:4], str), keep_default_na=False, na_values={
            name: [""] for name in FIGURES}, usecols=COLUMNS)  # fmt: skip
    except ValueError as error:
        raise damaged(path, f"it is not a table of verdicts: {error}") from None


def _best(entries: Sequence[Entry]) -> Entry | None:
    finite = [entry for entry in entries if valid_perplexity(entry.metrics) < float("inf")]
    return min(finite, key=lambda entry: valid_perplexity(entry.metrics), default=None)


def _row(entry: Entry, other: Entry) -> dict[str, Any]:
    row = {"family": entry.metrics["family"], "model": entry.name, "against": other.name}
    reason = _reason(entry, other)
    return row | ({"verdict": reason} if reason else asdict(compare(entry.bits, other.bits)))


def _reason(entry: Entry, other: Entry) -> str | None:
    """Why two models can't be compared symbol by symbol, if they can't."""
    if not (entry.metrics["per_symbol"] and other.metrics["per_symbol"]):
        return "only a total is known"
    if entry.bits.shape[1] != other.bits.shape[1]:
        return f"scored on {entry.bits.shape[1]} symbols, not {other.bits.shape[1]}"
    if np.isnan(entry.bits).any() or np.isnan(other.bits).any():
        return "a figure is not a number"
    if np.isinf(entry.bits).any() or np.isinf(other.bits).any():
        return "a symbol has probability zero"
    return "too few symbols" if entry.bits.shape[1] < 16 else None
