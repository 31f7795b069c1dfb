"""The one definition of perplexity, and the figures that stand beside it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.files import read_json, write_json
from seqlab.ledger.scores import SPLITS

FIGURES = ("bits_per_symbol", "perplexity", "bits_per_char", "bits_per_byte", "bits_per_word")


def perplexity(bits: NDArray[np.floating]) -> float:
    """`2 ** mean(bits)` over all scored symbols, module Eq. (16) to (18) and (22); infinite where a symbol had
    probability zero.
    """
    mean = float(np.mean(bits, dtype=np.float64))
    return math.inf if mean > 1000 else 2.0**mean


def figures(bits: NDArray[np.floating], counts: dict[str, Any]) -> dict[str, Any]:
    """One row of a summary: the figures of `bits`, shape (scored symbols,), of a split whose `counts` come from
    splits.json.

    Bits per character, per byte and per word divide the same total by the characters, UTF-8 bytes and words of the
    scored symbols, so models of different units can be compared. Raises ValueError where the number of bits is
    not the number of symbols to be scored: nothing may be dropped, nothing padded.
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


def score_rows(bits: dict[str, NDArray[np.floating]], splits: dict[str, Any], seeds: list[int]) -> list[dict[str, Any]]:
    """The `scores` of metrics.json: a row for each replica and split; a model without seeds has one row with seed
    None.
    """
    return [
        {"seed": seed, "split": split} | figures(bits[split][replica], splits["splits"][split])
        for replica, seed in enumerate(seeds or [None])
        for split in SPLITS
    ]


def write_metrics(path: str | Path, metrics: dict[str, Any]) -> None:
    """Write metrics.json (contract in docs/architecture.md); infinite figures become the string "inf"."""
    rows = [{key: "inf" if value == math.inf else value for key, value in row.items()} for row in metrics["scores"]]
    write_json(path, metrics | {"scores": rows})


def read_metrics(path: str | Path) -> dict[str, Any]:
    """What `write_metrics` wrote, with "inf" as a float again."""
    metrics: dict[str, Any] = read_json(path)
    metrics["scores"] = [
        {key: math.inf if value == "inf" else value for key, value in row.items()} for row in metrics["scores"]
    ]
    return metrics
