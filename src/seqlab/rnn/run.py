"""Training and scoring of the networks of a run in its folder."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.fleet.fleet import RESULTS, Fleet
from seqlab.fleet.run import CHECKPOINT, train_and_score, train_with_log
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.files import remove_file, replacing, verified
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask
from seqlab.text.splits import segments_of

NETWORK_SETTINGS = ("cell", "layers", "hidden", "embedding", "tied", "beta_max")  # the others are those of the training


def describe_network(settings: dict[str, Any], vocabulary: int) -> Architecture:
    """Return the network of a run with the `settings` of its card."""
    return Architecture(**{key: settings[key] for key in NETWORK_SETTINGS if key in settings}, vocabulary=vocabulary)


def start_fleet(settings: dict[str, Any], seeds: list[int], vocabulary: int, device: torch.device) -> Fleet:
    """Return the fleet of a run with the `settings` of its card, before its first epoch."""
    return Fleet.start(describe_network(settings, vocabulary), describe_training(settings), seeds, device)


def describe_training(settings: dict[str, Any]) -> TrainingSettings:
    """Return the training of a run with the `settings` of its card."""
    return TrainingSettings.from_card({key: value for key, value in settings.items() if key not in NETWORK_SETTINGS})


def train_run(
    card: dict[str, Any],
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocabulary: int,
    folder: Path,
    fingerprint: str,
    device: torch.device,
    stop: Callable[[], bool],
    score: Callable[[], None],
    trained: Path | None = None,
) -> None:
    """Train a network for every seed of `card`, then call `score`.

    `ids`, (symbols,), are below `vocabulary`, and `splits` is the content of splits.json. With `trained`, a folder that
    `train_joined_runs` has written, the networks are taken from there. The rest is as in `train_and_score`.
    """
    if trained:
        for file in RESULTS:
            with replacing(folder / file) as temporary:
                shutil.copyfile(verified(trained / card["model"] / file), temporary)
        score()
        return
    fleet = start_fleet(card["settings"], card["seeds"], vocabulary, device)
    task = _make_task(describe_network(card["settings"], vocabulary), splits, ids, device)
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    train_and_score(fleet, task, name, folder, fingerprint, stop, score)


def train_joined_runs(
    runs: dict[str, dict[str, Any]],
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocabulary: int,
    folder: Path,
    code: str,
    device: torch.device,
    stop: Callable[[], bool],
) -> None:
    """Train the networks of all `runs`, model -> settings and seeds, as one fleet; write those of each to `folder`.

    The runs may differ in FREE_SETTINGS. An interrupted training continues from a checkpoint beside `folder` with the
    same runs, data and `code`. The other arguments and exceptions are those of `train_run`.
    """
    replicas = {model: [(run["settings"], seed) for seed in run["seeds"]] for model, run in runs.items()}
    members = [member for of_run in replicas.values() for member in of_run]
    networks = [describe_network(settings, vocabulary) for settings, _ in members]
    settings = [describe_training(settings) for settings, _ in members]
    fleet = Fleet.join(networks[0], settings, [seed for _, seed in members], device)
    task = _make_task(networks[0], splits, ids, device)
    content = json.dumps([runs, splits, hashlib.sha256(np.ascontiguousarray(ids).tobytes()).hexdigest(), code])
    checkpoint = Path(f"{folder}.{CHECKPOINT}")
    train_with_log(fleet, task, folder.name, (checkpoint, hashlib.sha256(content.encode()).hexdigest()), stop)
    first = 0
    for model, of_run in replicas.items():
        (folder / model).mkdir(parents=True, exist_ok=True)
        fleet.select(range(first, first + len(of_run))).write_results(folder / model)
        first += len(of_run)
    remove_file(checkpoint)


def _make_task(network: Architecture, splits: dict[str, Any], ids: NDArray[Any], device: torch.device) -> LanguageTask:
    train, valid = (segments_of(ids, splits, name) for name in ("train", "valid"))
    return LanguageTask.of(network, np.concatenate(train), valid, device)
