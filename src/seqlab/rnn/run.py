"""One run of a sweep: the networks that its card asks for, trained in its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.rnn.fleet import Fleet
from seqlab.rnn.halving import Rungs
from seqlab.rnn.live import LiveHistory
from seqlab.rnn.network import Architecture
from seqlab.rnn.settings import TrainingSettings
from seqlab.rnn.training import train_fleet


def train_run(
    card: dict[str, Any],
    segments: dict[str, list[NDArray[Any]]],
    vocabulary: int,
    folder: Path,
    fingerprint: str,
    device: torch.device,
    stop: Callable[[], bool],
) -> None:
    """Train a network for every seed of `card` and write weights, network.json, training.json and history.csv.

    `segments` holds those of train and valid, with indices below `vocabulary`. What an interrupted training left in
    `folder` is gone on with where its `fingerprint` of card, data and code is this one; `stop` is as in `train_fleet`,
    and so is what is raised. A line for each epoch is printed.
    """
    settings = dict(card["settings"])
    architecture = Architecture(settings.pop("cell"), settings.pop("layers"), settings.pop("hidden"), vocabulary)
    training = TrainingSettings.from_card(settings)
    sweep = card | {"settings": settings, "model": None}  # what configurations that are compared with each other share
    rungs = Rungs(folder.parent / "halving", card["model"], sweep, training.epochs, training.halving)
    fleet = Fleet.start(architecture, training, card["seeds"], device)
    live = LiveHistory(folder, fleet)
    unfinished = folder / "unfinished.safetensors"
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    print(f"{name}  {architecture.parameters:,} parameters, seeds {card['seeds']}", flush=True)
    train_fleet(
        fleet,
        np.concatenate(segments["train"]),
        segments["valid"],
        report=live.beside(lambda line: print(f"{name}  {line}", flush=True)),
        checkpoint=(unfinished, fingerprint),
        stop=stop,
        judge=rungs.judge,
    )
    fleet.write_results(folder)
    unfinished.unlink(missing_ok=True)
    live.remove()
