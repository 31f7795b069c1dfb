"""Memory curves: what a longer context is worth to the n-grams of a smoothing, on the same symbols for all."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.ledger.scores import read_scores

COLUMNS = ["series", "model", "context", "symbols", "bits_per_symbol", "bits_per_symbol_std"]


def ngram_rows(ledger: Sequence[tuple[dict[str, Any], Path]], places: NDArray[np.int64]) -> list[list[Any]]:
    """A row for each whole n-gram model: its smoothing, name, symbols of context and mean bits at `places` of test."""
    rows = []
    for metrics, path in ledger:
        match = re.fullmatch(r"([a-z-]+)-([0-9]+)", metrics["model"])
        if match:
            rows.append([match[1], metrics["model"], int(match[2]) - 1, len(places), _mean(path, places), math.nan])
    return sorted(rows, key=lambda row: (row[0], row[2]))


def source_row(metrics: dict[str, Any], path: Path, places: NDArray[np.int64]) -> list[Any]:
    """The row of a known source, whose context is without end: no model can be expected to beat it on these symbols."""
    return ["source", metrics["model"], math.inf, len(places), _mean(path, places), math.nan]


def _mean(path: Path, places: NDArray[np.int64]) -> float:
    return float(read_scores(path.with_name("scores.npz"))["test"][0, places].mean(dtype=np.float64))
