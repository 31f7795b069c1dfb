"""A small tree of results that obeys the contracts in docs/files.md, for tests of what comes after training."""

import csv
import math
import random
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from seqlab.io.cards import write_card
from seqlab.io.files import read_json, write_json, write_text
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import RUNS_FILE, Place, Run, read_experiment, write_experiment
from seqlab.ledger.perplexity import tabulate_scores, write_metrics
from seqlab.ledger.scores import write_scores
from seqlab.questions.spelling import SpellingRow

COMMAND = "snakemake --cores all --configfile config/made.yaml"
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
NOTHING_TO_SPELL = dict.fromkeys(("valid", "test"), SpellingRow(0, 0.0, 0.0))
SPLITS = {"kind": "contiguous", "splits": dict.fromkeys(("train", "valid", "test"), SPLIT)}


def make_results(
    root: Path,
    corpus: str = "toy",
    unit: str = "char",
    cells: Sequence[str] = ("lstm",),
    hidden: Sequence[int] = (8, 16),
    experiment: str = "made",
) -> list[Path]:
    """Write finished runs under root/results/{experiment}/{corpus}/{unit}, networks of one and two layers among them,
    splits.json under root/results/corpora/{corpus}/{unit}, and list the runs in the runs.json of the experiment;
    returns their folders.
    """
    place = Place(str(root / "results" / experiment), corpus, unit)
    prepared = root / "results" / "corpora" / corpus / unit
    write_json(prepared / "splits.json", SPLITS)
    made = [_make_run(place, "source", "true-source", [], 1.0, 0, {})]
    made.append(_make_run(place, "compressor", "xz", [], 2.5, 0, {}))
    for order in (1, 2, 3):
        settings: dict[str, Any] = {"smoothing": "mkn", "order": order}
        made.append(_make_run(place, "ngram", f"mkn-{order}", [], 2.2 - 0.3 * order, 10**order, settings))
    pruned = settings | {"prune": {"counts": [1, 2]}}
    made.append(_make_run(place, "ngram", "mkn-3-counts-1-2", [], 1.4, 250, pruned, pruned_from="mkn-3"))
    made.append(_make_run(place, "ngram", "mle-3", [], math.inf, 1000, {"smoothing": "mle", "order": 3}))
    for cell, layers, size in product(cells, (1, 2), hidden):
        settings = {"cell": cell, "layers": layers, "hidden": size}
        bits = 1.5 - 0.01 * size - 0.05 * layers
        made.append(_make_run(place, "rnn", f"{cell}-{layers}x{size}", SEEDS, bits, layers * size**2, settings))
    list_runs(made, prepared)
    return [run.folder for run in made]


def list_runs(runs: Sequence[Run], prepared: Path) -> None:
    """List `runs`, all on one corpus and unit, in the runs.json of their experiment, beside those that it has."""
    place = runs[0].place
    path = Path(place.experiment) / RUNS_FILE
    places, known = {place: str(prepared)}, list(runs)
    if path.exists():
        before = read_experiment(path)
        places, known = before.prepared | places, list(dict.fromkeys([*before.runs, *runs]))
    folders = {f"{each.corpus}/{each.unit}": folder for each, folder in places.items()}
    name = Path(place.experiment).name
    configuration, names = [f"config/{name}.yaml"], [run[1:] for run in known]
    write_experiment(path, name, configuration, COMMAND, folders, names)


def keep_falling(run: Run) -> None:
    """Write into the metrics of a network that its validation loss was still falling."""
    metrics = read_json(run.file("metrics.json"))
    write_json(run.file("metrics.json"), metrics | {"fit": metrics["fit"] | {"still_falling": True}})


def _make_run(
    place: Place,
    family: str,
    model: str,
    seeds: list[int],
    bits: float,
    parameters: int,
    settings: dict[str, Any],
    **more: Any,
) -> Run:
    run = Run(*place, family, model)
    noise = np.random.default_rng(parameters)
    shape = (max(1, len(seeds)), SCORED)
    arrays = {split: np.full(shape, bits) + 0.1 * noise.random(shape) for split in ("valid", "test")}
    write_scores(run.file("scores.npz"), arrays)
    name = {"corpus": place.corpus, "unit": place.unit, "family": family, "model": model}
    data = {"ids": "0" * 64, "splits": "1" * 64, "vocab": "2" * 64}
    write_card(run.file("card.yaml"), name | {"settings": settings, "seeds": seeds, "data": data})
    metrics = name | {"card": "3" * 64, "settings": settings, "scores_sha256": sha256_of(run.file("scores.npz"))}
    metrics |= {"parameters": parameters, "train_seconds": 1.5, "notes": []}
    metrics |= {"per_symbol": family != "compressor", "scores": tabulate_scores(arrays, SPLITS, seeds)}
    metrics |= more
    if family == "rnn":
        loss = bits * math.log(2)
        metrics["fit"] = {"train_loss": loss - 0.1, "valid_loss": loss, "still_falling": False}
    if family == "source":
        metrics["entropy_rate"] = {"bits_per_symbol": bits, "low": bits - 0.1, "high": bits + 0.15}
    write_metrics(run.file("metrics.json"), metrics)
    if family != "compressor":
        write_text(run.file("sample.txt"), f"a sample of {model}\n", checksum=False)
    if family == "rnn":
        _write_history(Path(run.file("history.csv")), seeds, bits)
    return run


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
