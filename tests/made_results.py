"""A small tree of results that obeys the contracts in docs/architecture.md, for tests of what comes after training."""

import csv
import math
import random
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from seqlab.cards import write_card
from seqlab.files import write_json, write_text
from seqlab.ledger.perplexity import score_rows, write_metrics
from seqlab.ledger.scores import write_scores
from seqlab.provenance import sha256_of

SCORED = 200
SEEDS = [1, 2, 3]
HISTORY = ["epoch", "seed", "train_loss", "train_perplexity", "valid_loss", "valid_perplexity"]
HISTORY += ["learning_rate", "gradient_norm", "symbols_per_second", "seconds"]
SPLIT = {
    "scored": SCORED,
    "unknown": 1,
    "characters": SCORED,
    "bytes": SCORED,
    "words": SCORED // 5,
    "symbols": SCORED + 1,
}
NOTHING_TO_SPELL = {split: {"unknown": 0, "bits": 0.0, "bits_per_char": 0.0} for split in ("valid", "test")}
SPLITS = {"kind": "contiguous", "splits": dict.fromkeys(("train", "valid", "test"), SPLIT)}


def make_results(
    root: Path,
    corpus: str = "toy",
    unit: str = "char",
    cells: Sequence[str] = ("lstm",),
    hidden: Sequence[int] = (8, 16),
) -> list[Path]:
    """Write finished runs under root/results/{corpus}/{unit}, networks of one and two layers among them; returns their
    folders.
    """
    base = root / "results" / corpus / unit
    write_json(base / "splits.json", SPLITS)
    made = [_make_run(base, "source", "true-source", [], 1.0, 0, {})]
    made.append(_make_run(base, "compressor", "xz", [], 2.5, 0, {}))
    for order in (1, 2, 3):
        settings: dict[str, Any] = {"smoothing": "mkn", "order": order}
        made.append(_make_run(base, "ngram", f"mkn-{order}", [], 2.2 - 0.3 * order, 10**order, settings))
    made.append(_make_run(base, "ngram", "mkn-3-counts-1-2", [], 1.4, 250, settings, pruned_from="mkn-3"))
    made.append(_make_run(base, "ngram", "mle-3", [], math.inf, 1000, {"smoothing": "mle", "order": 3}))
    for cell, layers, size in product(cells, (1, 2), hidden):
        settings = {"cell": cell, "layers": layers, "hidden": size}
        bits = 1.5 - 0.01 * size - 0.05 * layers
        made.append(_make_run(base, "rnn", f"{cell}-{layers}x{size}", SEEDS, bits, layers * size**2, settings))
    return made


def _make_run(
    base: Path,
    family: str,
    model: str,
    seeds: list[int],
    bits: float,
    parameters: int,
    settings: dict[str, Any],
    **more: Any,
) -> Path:
    folder = base / family / model
    noise = np.random.default_rng(parameters)
    shape = (max(1, len(seeds)), SCORED)
    arrays = {split: np.full(shape, bits) + 0.1 * noise.random(shape) for split in ("valid", "test")}
    write_scores(folder / "scores.npz", arrays)
    name = {"corpus": base.parent.name, "unit": base.name, "family": family, "model": model}
    data = {"ids": "0" * 64, "splits": "1" * 64, "vocab": "2" * 64}
    write_card(folder / "card.yaml", name | {"settings": settings, "seeds": seeds, "data": data})
    metrics = name | {"card": "3" * 64, "settings": settings, "scores_sha256": sha256_of(folder / "scores.npz")}
    metrics |= {"parameters": parameters, "train_seconds": 1.5, "notes": []}
    metrics |= {"per_symbol": family != "compressor", "scores": score_rows(arrays, SPLITS, seeds)}
    metrics |= more
    if family == "source":
        metrics["entropy_rate"] = {"bits_per_symbol": bits, "low": bits - 0.1, "high": bits + 0.15}
    write_metrics(folder / "metrics.json", metrics)
    if family != "compressor":
        write_text(folder / "sample.txt", f"a sample of {model}\n")
    if family == "rnn":
        _write_history(folder / "history.csv", seeds, bits)
    return folder


def _write_history(path: Path, seeds: list[int], bits: float) -> None:
    loss = random.Random(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HISTORY)
        for epoch in range(1, 5):
            for seed in seeds:
                nats = bits * math.log(2) + 1 / epoch + 0.01 * loss.random()
                losses = [nats, math.exp(nats), nats + 0.1, math.exp(nats + 0.1)]
                writer.writerow([epoch, seed, *losses, 0.01, 0.5, 1e5, 1.0])
