"""Training and scoring of the networks of a run in its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.run import train_and_score
from seqlab.fleet.settings import TrainingSettings
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask
from seqlab.text.splits import segments_of

NETWORK_SETTINGS = ("cell", "layers", "hidden", "embedding", "tied", "beta_max")  # the others are those of the training


def describe_network(settings: dict[str, Any], vocabulary: int) -> Architecture:
    """Return the network of a run with the `settings` of its card."""
    return Architecture(**{key: settings[key] for key in NETWORK_SETTINGS if key in settings}, vocabulary=vocabulary)


def start_fleet(settings: dict[str, Any], seeds: list[int], vocabulary: int, device: torch.device) -> Fleet:
    """Return the fleet of a run with the `settings` of its card, before its first epoch."""
    training = {key: value for key, value in settings.items() if key not in NETWORK_SETTINGS}
    return Fleet.start(describe_network(settings, vocabulary), TrainingSettings.from_card(training), seeds, device)


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
) -> None:
    """Train a network for every seed of `card`, then call `score`.

    `ids`, (symbols,), are below `vocabulary`, and `splits` is the content of splits.json. The rest is as
    in `train_and_score`.
    """
    fleet = start_fleet(card["settings"], card["seeds"], vocabulary, device)
    train, valid = (segments_of(ids, splits, name) for name in ("train", "valid"))
    task = LanguageTask.of(describe_network(card["settings"], vocabulary), np.concatenate(train), valid, device)
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    train_and_score(fleet, task, name, folder, fingerprint, stop, score)
