"""Entering a scored model into the ledger: scores.npz and metrics.json."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.cards import read_card
from seqlab.io.errors import shown
from seqlab.io.files import damaged, read_digest, read_json
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import read_metrics, score_rows, write_metrics
from seqlab.ledger.scores import read_scores, write_scores


def read_training(path: str | Path) -> dict[str, Any]:
    """The content of training.json; InputError where what every training tells of itself is missing."""
    training = read_json(path)
    for key, kind in {"seconds": int | float, "parameters": int, "notes": list}.items():
        if not isinstance(training.get(key), kind):
            raise damaged(path, f"its {key} is {shown(training.get(key))}")
    return training


def record(
    folder: Path,
    splits: dict[str, Any],
    bits: dict[str, NDArray[np.floating]],
    training: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write the `bits` of valid and test, each (replicas, scored symbols), as scores.npz into the `folder` of a run,
    and the figures that follow from the file written as metrics.json.

    `training` is the content of training.json where there was a training; `more` are further keys of metrics.json.
    """
    card = read_card(folder / "card.yaml")
    training = training or {"seconds": 0.0, "parameters": 0, "notes": []}
    write_scores(folder / "scores.npz", bits)
    metrics = {key: card[key] for key in ("corpus", "unit", "family", "model")}
    metrics |= {
        "card": read_digest(folder / "card.yaml"),
        "settings": card["settings"],
        "scores_sha256": read_digest(folder / "scores.npz"),
        "parameters": training["parameters"],
        "train_seconds": training["seconds"],
        "per_symbol": True,
        "notes": training["notes"],
        "scores": score_rows(read_scores(folder / "scores.npz"), splits, card["seeds"]),
    }
    write_metrics(folder / "metrics.json", metrics | more)


def read_ledger(run: Run) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """The metrics of `run` and the bits of every symbol, (replicas, scored symbols) by split.

    Raises InputError where a file is damaged, or the bits are not those that the metrics were made of.
    """
    metrics, scores = read_metrics(run.file("metrics.json")), run.file("scores.npz")
    if read_digest(scores) != metrics["scores_sha256"]:
        raise damaged(scores, "its SHA-256 is not that in metrics.json beside it")
    return metrics, read_scores(scores)
