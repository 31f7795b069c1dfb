"""Training a fleet of forecasting networks, one for each seed, each as if it were alone."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.forecast.networks import (
    Latent,
    Network,
    Parameters,
    gaussian_loss,
    head,
    initial_parameters,
    number_of_parameters,
    save_network,
)
from seqlab.forecast.settings import TrainingSettings
from seqlab.io.errors import InputError
from seqlab.io.files import replacing, write_json
from seqlab.rnn.optimisers import Optimiser, clip, schedule_factor


def losses(network: Network, parameters: Parameters, values: Tensor, places: Tensor) -> Tensor:
    """What each value after `places`, indices (R, B, n) of consecutive values, costs in nats: (R, B, n).

    A latent autoregression begins each of the B subsequences with a zero state; a perceptron looks back from each place
    into `values`, (T,).
    """
    targets = values[places + 1]
    if isinstance(network, Latent):
        start = network.zero_state(parameters, places.shape[1])
        outputs, _ = network.forward(parameters, values[places].permute(2, 0, 1), start)
        mean, logarithm = head(parameters, outputs)  # (n, R, B)
        return gaussian_loss(mean, logarithm, targets.permute(2, 0, 1)).permute(1, 2, 0)
    windows = values[places[..., None] - torch.arange(network.window)]
    mean, logarithm = network.forward(parameters, windows.flatten(1, 2))
    return gaussian_loss(mean, logarithm, targets.flatten(1)).view(places.shape)


@torch.no_grad()
def valid_loss(
    network: Network, parameters: Parameters, values: Tensor, learnt: tuple[int, int], valid: tuple[int, int]
) -> NDArray[np.float64]:
    """Mean loss of the values in the range `valid`, (R,), in nats, the state carried on from the start of train."""
    replicas = parameters["W_hq"].shape[0]
    first = learnt[0] if isinstance(network, Latent) else valid[0] - 1
    places = torch.arange(first, valid[1] - 1).expand(replicas, 1, -1)
    counted = losses(network, parameters, values, places)[:, 0, -(valid[1] - valid[0]) :]
    return counted.mean(1).numpy().astype(np.float64)


@dataclass
class Fleet:
    """A training: the weights that learn, those to keep (of the lowest validation loss), and how it went."""

    network: Network
    settings: TrainingSettings
    seeds: list[int]
    parameters: Parameters
    best: Parameters
    history: list[dict[str, Any]] = field(default_factory=list)
    diverged: dict[int, int] = field(default_factory=dict)  # the epoch in which the loss of a seed was not finite

    @classmethod
    def start(cls, network: Network, settings: TrainingSettings, seeds: Sequence[int]) -> "Fleet":
        """A fleet before its first epoch."""
        parameters = initial_parameters(network, seeds)
        return cls(network, settings, list(seeds), parameters, {n: value.clone() for n, value in parameters.items()})

    def losses_of(self, seed: int) -> list[float]:
        """The validation loss of one replica after each epoch in which it learnt."""
        return [row["valid_loss"] for row in self.history if row["seed"] == seed]

    def running(self) -> list[bool]:
        """Which replicas still learn: early stopping and an infinite loss end each on its own."""
        return [self._runs(seed) for seed in self.seeds]

    def _runs(self, seed: int) -> bool:
        found, patience = self.losses_of(seed), self.settings.early_stopping
        waited = len(found) - 1 - int(np.argmin(found)) if found else 0
        return seed not in self.diverged and (not patience or waited < patience)

    def close_epoch(self, epoch: int, train: Tensor, valid: NDArray[np.float64], **more: Any) -> None:
        """Keep the weights of the replicas that were never better, and a row of history for each that still learns."""
        for replica, (seed, runs) in enumerate(zip(self.seeds, self.running(), strict=True)):
            loss = float(valid[replica])
            if not runs:
                continue
            if not math.isfinite(loss + float(train[replica])):
                self.diverged[seed] = epoch
                for name, value in self.parameters.items():
                    value[replica] = self.best[name][replica]
                continue
            if loss < min(self.losses_of(seed), default=math.inf):
                for name, value in self.parameters.items():
                    self.best[name][replica] = value[replica]
            norm = float(more["gradient_norm"][replica])
            row = {"epoch": epoch, "seed": seed, "train_loss": float(train[replica]), "valid_loss": loss}
            self.history.append(row | {"learning_rate": more["learning_rate"], "gradient_norm": norm})

    @property
    def notes(self) -> list[str]:
        """What a reader of the results must know."""
        return [
            f"seed {seed}: the loss was not finite in epoch {epoch}, so it stopped there with its best weights; lower "
            "forecast.training.learning_rate"
            for seed, epoch in self.diverged.items()
        ]

    def write_results(self, folder: Path, seconds: float) -> None:
        """Write what a finished training leaves: the weights to keep, training.json and history.csv."""
        save_network(folder, self.network, self.best, self.seeds)
        parameters = number_of_parameters(self.network)
        write_json(folder / "training.json",
                   {"seconds": round(seconds, 3), "parameters": parameters, "notes": self.notes})  # fmt: skip
        with replacing(folder / "history.csv") as temporary:
            pd.DataFrame(self.history).to_csv(temporary, index=False, lineterminator="\n")


def train_fleet(
    fleet: Fleet,
    series: NDArray[np.float64],
    learnt: tuple[int, int],
    valid: tuple[int, int],
    report: Callable[[str], None] = print,
) -> None:
    """Train until all epochs are done or every replica has stopped; `fleet.best` then holds the weights to keep.

    `series` are scaled values, (T,); batches are drawn from the range `learnt`, and the range `valid` chooses among
    epochs. Raises InputError where `learnt` is too short for a subsequence, or no loss is finite.
    """
    settings, network = fleet.settings, fleet.network
    values = torch.as_tensor(series, dtype=torch.float32)
    first = learnt[0] + (0 if isinstance(network, Latent) else network.window - 1)
    last = learnt[1] - settings.steps - 1  # the last place at which a subsequence can start
    if last < first:
        raise InputError(
            f"the train split has {learnt[1] - learnt[0]} values to learn from, fewer than one subsequence of "
            f"{settings.steps} needs; lower forecast.training.steps"
        )
    optimiser = Optimiser("adam", fleet.parameters)
    orders = [np.random.default_rng(seed) for seed in fleet.seeds]
    for epoch in range(1, settings.epochs + 1):
        began = time.perf_counter()
        total, norms = torch.zeros(len(fleet.seeds)), torch.zeros(len(fleet.seeds))
        active = torch.tensor(fleet.running())
        for batch in range(settings.batches):
            starts = np.stack([order.integers(first, last + 1, settings.batch_size) for order in orders])
            places = torch.as_tensor(starts)[..., None] + torch.arange(settings.steps)
            loss, gradients = _gradients(fleet, values, places)
            norms += clip(gradients, settings.clip)
            share = (epoch - 1 + batch / settings.batches) / settings.epochs
            rate = settings.learning_rate * schedule_factor("cosine", share, 0.0, 1.0, 1.0)
            optimiser.update(fleet.parameters, gradients, torch.full((len(fleet.seeds),), rate), active)
            total += loss
        found = valid_loss(network, fleet.parameters, values, learnt, valid)
        means = total / settings.batches
        fleet.close_epoch(epoch, means, found, learning_rate=rate, gradient_norm=norms / settings.batches)
        if len(fleet.diverged) == len(fleet.seeds):
            raise InputError("no loss is finite; lower forecast.training.learning_rate")
        report(f"epoch {epoch:3d}/{settings.epochs}  loss {means.mean():.4f}  valid {found.mean():.4f}  "
               f"{time.perf_counter() - began:.2f} s")  # fmt: skip
        if not any(fleet.running()):
            return


def _gradients(fleet: Fleet, values: Tensor, places: Tensor) -> tuple[Tensor, Parameters]:
    """Mean loss of a batch, (R,), and the gradients of each replica's."""
    leaves = {name: value.detach().requires_grad_() for name, value in fleet.parameters.items()}
    mean = losses(fleet.network, leaves, values, places).mean((1, 2))
    found = torch.autograd.grad(mean.sum(), list(leaves.values()))  # the replicas share nothing, so the sum splits
    return mean.detach(), dict(zip(leaves, found, strict=True))
