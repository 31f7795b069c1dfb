"""Small fleets of networks on random texts, and trainings that end early."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask

torch.set_num_threads(1)
CONFIGURATION = Path(__file__).parents[2] / "config" / "config.yaml"
VOCABULARY = 4
ROUNDING = {"deltanet": 100}  # its keys are scaled to the unit sphere, so that small ones have large errors
TIMES = ("seconds", "symbols_per_second")
RANDOM_TEXT = np.random.default_rng(1).integers(0, VOCABULARY, 203)
VALID = [np.random.default_rng(2).integers(0, VOCABULARY, 40), np.random.default_rng(3).integers(0, VOCABULARY, 25)]


def settings_of(section: str = "rnn", **changes: Any) -> TrainingSettings:
    """The default settings of a training, with some others."""
    return TrainingSettings.from_configuration(CONFIGURATION, section, **changes)


def task_of(fleet: Fleet, train: np.ndarray = RANDOM_TEXT) -> LanguageTask:
    return LanguageTask.of(fleet.network, train, VALID, fleet.parameters["b_q"].device)


class InterruptionError(Exception):
    """Stands for whatever ends a program between two epochs."""


def fleet_of(
    seeds: list[int],
    cell: str = "lstm",
    layers: int = 2,
    hidden: int = 6,
    embedding: int = 0,
    tied: bool = False,
    device: torch.device | str = "cpu",
    **settings: Any,
) -> Fleet:
    values = {"epochs": 2, "steps": 5, "batch_size": 4, "learning_rate": 0.02} | settings
    architecture = Architecture(cell, layers, hidden, VOCABULARY, embedding, tied)
    return Fleet.start(architecture, settings_of(**values), seeds, torch.device(device))


def trained(
    fleet: Fleet,
    train: np.ndarray = RANDOM_TEXT,
    checkpoint: tuple[Path, str] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Fleet:
    train_fleet(fleet, task_of(fleet, train), report, checkpoint)
    return fleet


def untimed(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("replica", *TIMES)} for row in history]


def stop_after(epochs: int) -> Callable[[str], None]:
    """A report that lets `epochs` epochs finish and their checkpoint be written, and ends the program in the next."""
    lines = []

    def report(line: str) -> None:
        lines.append(line)
        if len(lines) > epochs:
            raise InterruptionError

    return report


def validation_loss(fleet: Fleet, weights: dict[str, torch.Tensor]) -> np.ndarray:
    return stream_bits(fleet.network, weights, VALID).mean(1) * math.log(2)
