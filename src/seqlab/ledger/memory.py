"""Memory curves: what a longer context is worth to the n-grams of a smoothing, on the same symbols for all."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.runs import Run
from seqlab.ledger.record import read_ledger

COLUMNS = ["series", "model", "context", "symbols", "bits_per_symbol", "bits_per_symbol_std"]


def ngram_rows(runs: Iterable[Run], places: NDArray[np.int64]) -> list[list[Any]]:
    """A row for each whole n-gram model: its smoothing, name, symbols of context and mean bits at `places` of test."""
    rows = []
    for run in runs:
        metrics, bits = read_ledger(run)
        if "pruned_from" not in metrics:
            smoothing, order = metrics["settings"]["smoothing"], metrics["settings"]["order"]
            rows.append([smoothing, run.model, order - 1, len(places), _mean(bits, places), math.nan])
    return sorted(rows, key=lambda row: (row[0], row[2]))


def source_row(run: Run, places: NDArray[np.int64]) -> list[Any]:
    """The row of a known source, whose context is without end: no model can be expected to beat it on these symbols."""
    return ["source", run.model, math.inf, len(places), _mean(read_ledger(run)[1], places), math.nan]


def _mean(bits: dict[str, NDArray[np.float32]], places: NDArray[np.int64]) -> float:
    return float(bits["test"][0, places].mean(dtype=np.float64))
