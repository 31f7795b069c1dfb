"""Perplexity, bits per character, byte and word, and metrics.json."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.files import damaged, read_json, write_json
from seqlab.ledger.scores import SCORED_SPLITS

RUN_NAMES = ["corpus", "unit", "family", "model"]
COUNT_NAMES = ["symbols", "unknown"]
FIGURE_NAMES = ("bits_per_symbol", "perplexity", "bits_per_char", "bits_per_byte", "bits_per_word")


def perplexity(bits: NDArray[np.floating]) -> float:
    """Return `2 ** mean(bits)` over all scored symbols, module Eq. (16) to (18) and (22); infinite where a symbol has
    probability zero. `bits` may have any shape; that of a split of one replica is (scored symbols,).
    """
    mean = float(np.mean(bits, dtype=np.float64))
    return math.inf if mean > 1000 else 2.0**mean


def compute_figures(bits: NDArray[np.floating], counts: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of `bits`, (scored symbols,), of a split with the `counts` of splits.json.

    Bits per character, byte and word divide the same total by the characters, UTF-8 bytes and words of the scored
    symbols, so models of different units can be compared. Raise ValueError where the number of bits differs from the
    number of symbols to score: symbols are neither dropped nor padded.
    """
    if len(bits) != counts["scored"]:
        raise ValueError(f"{len(bits)} bits for {counts['scored']} symbols")
    total = float(np.sum(bits, dtype=np.float64))
    return {
        "symbols": counts["scored"],
        "unknown": counts["unknown"],
        "zero_probability": int(np.isinf(bits).sum()),
        "bits_per_symbol": total / counts["scored"],
        "perplexity": perplexity(bits),
        "bits_per_char": total / counts["characters"],
        "bits_per_byte": total / counts["bytes"],
        "bits_per_word": total / counts["words"],
    }


def tabulate_scores(
    bits: dict[str, NDArray[np.floating]], splits: dict[str, Any], seeds: list[int]
) -> list[dict[str, Any]]:
    """Return the `scores` of metrics.json, a row for each replica and split, from `bits[split]`, (replicas, scored
    symbols), and the content of splits.json. A model without seeds has one row with seed None.
    """
    return [
        {"seed": seed, "split": split} | compute_figures(bits[split][replica], splits["splits"][split])
        for replica, seed in enumerate(seeds or [None])
        for split in SCORED_SPLITS
    ]


def write_metrics(path: str | Path, metrics: dict[str, Any]) -> None:
    """Write metrics.json (docs/files.md); infinite figures become the string "inf"."""
    rows = [{key: "inf" if value == math.inf else value for key, value in row.items()} for row in metrics["scores"]]
    write_json(path, metrics | {"scores": rows})


def read_metrics(path: str | Path) -> dict[str, Any]:
    """Return the content of a metrics.json, with "inf" as a float.

    Raise InputError for the first value that violates the schema or contradicts another.
    """
    metrics = read_json(path, "metrics")
    for row in metrics["scores"]:
        row |= {name: math.inf for name in FIGURE_NAMES if row[name] == "inf"}
    if contradiction := next(_contradictions(metrics["scores"]), None):
        raise damaged(path, contradiction)
    return metrics


def _contradictions(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        place = f"in its row of seed {row['seed']}, split {row['split']!r}"
        if max(row["unknown"], row["zero_probability"]) > row["symbols"]:
            yield f"it counts more unknown or impossible symbols than symbols {place}"
        if math.isinf(row["bits_per_symbol"]) != (row["zero_probability"] > 0):
            yield f"it contradicts itself about symbols of zero probability {place}"
        expected = 2.0 ** min(row["bits_per_symbol"], 1000)
        if math.isfinite(row["perplexity"]) and not math.isclose(row["perplexity"], expected, rel_tol=1e-6):
            yield f"its perplexity is not 2 ** bits_per_symbol {place}"
    cells = sorted((str(row["seed"]), row["split"]) for row in rows)
    seeds = {row["seed"] for row in rows}
    if cells != sorted((str(seed), split) for seed in seeds for split in SCORED_SPLITS) or (
        None in seeds and len(seeds) > 1
    ):
        yield "it does not hold each seed once for valid and once for test"
