"""Scores and metrics of a run: scores.npz and metrics.json."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.cards import read_card
from seqlab.io.errors import quote
from seqlab.io.files import damaged, read_digest, read_json
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import read_metrics, tabulate_scores, write_metrics
from seqlab.ledger.scores import read_scores, write_scores


def read_training(path: str | Path) -> dict[str, Any]:
    """Return the content of training.json; InputError where seconds, parameters or notes are missing."""
    training = read_json(path)
    for key, kind in {"seconds": int | float, "parameters": int, "notes": list}.items():
        if not isinstance(training.get(key), kind):
            raise damaged(path, f"its {key} is {quote(training.get(key))}")
    return training


def write_ledger(
    folder: Path,
    splits: dict[str, Any],
    bits: dict[str, NDArray[np.floating]],
    training: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write scores.npz and metrics.json of a run into its `folder`, from the `bits` of valid and test, (replicas,
    scored symbols).

    `training` is the content of training.json of a trained model; `more` are further keys of metrics.json.
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
        "scores": tabulate_scores(read_scores(folder / "scores.npz"), splits, card["seeds"]),
    }
    fit = {"fit": training["fit"]} if "fit" in training else {}
    write_metrics(folder / "metrics.json", metrics | fit | more)


def read_ledger(run: Run) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Return the metrics of `run` and the bits of every symbol by split, (replicas, scored symbols).

    Raise InputError where a file is damaged, or where the metrics were computed from other bits.
    """
    metrics, scores = read_metrics(run.file("metrics.json")), run.file("scores.npz")
    if read_digest(scores) != metrics["scores_sha256"]:
        raise damaged(scores, "its SHA-256 differs from that in metrics.json beside it")
    return metrics, read_scores(scores)
