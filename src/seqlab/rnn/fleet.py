"""A fleet: one network for each seed, all in one program, each as if it were alone; and what is kept of it on disk."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqlab.rnn.cells import CELLS, State
from seqlab.rnn.checkpoint import load_checkpoint, save_checkpoint
from seqlab.rnn.network import Architecture, Parameters, initial_parameters
from seqlab.rnn.optimisers import Optimiser
from seqlab.rnn.settings import TrainingSettings


@dataclass
class Progress:
    """How far an epoch has come: with it a checkpoint can be written in the middle."""

    orders: list[Any]  # the states of the fleet's orders before the epoch, from which its batches are drawn
    state: list[State]  # of every layer, after the last batch
    loss: Tensor  # (R,), summed over all symbols so far, in nats
    symbols: Tensor  # (R,), how many that are
    norms: Tensor  # (R,), summed over all batches so far
    batch: int = 0  # the next one
    seconds: float = 0.0  # spent before an interruption

    def add(self, loss: Tensor, symbols: Tensor, norm: Tensor) -> None:
        """Count a batch."""
        self.loss, self.symbols, self.norms = self.loss + loss, self.symbols + symbols, self.norms + norm
        self.batch += 1

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds of it, beside the numbers."""
        found = {name: getattr(self, name) for name in ("loss", "symbols", "norms")}
        # copies, because the zeros of a first batch are one tensor under several names
        state = {f"state.{n}.{k}": part.clone() for n, layer in enumerate(self.state) for k, part in enumerate(layer)}
        return found | state


@dataclass
class Fleet:
    """The state of a training: everything that a checkpoint holds. `best` are the weights with the lowest validation
    loss so far; `progress` is None between two epochs.
    """

    architecture: Architecture
    settings: TrainingSettings
    seeds: list[int]
    parameters: Parameters
    best: Parameters
    optimiser: Optimiser
    orders: list[np.random.Generator]  # one for each replica: its offsets and the order of its batches
    masks: list[torch.Generator]  # one for each replica: its dropout
    history: list[dict[str, Any]] = field(default_factory=list)
    progress: Progress | None = None

    @classmethod
    def start(
        cls, architecture: Architecture, settings: TrainingSettings, seeds: list[int], device: torch.device
    ) -> "Fleet":
        """A fleet before its first epoch."""
        parameters = {name: value.to(device) for name, value in initial_parameters(architecture, seeds).items()}
        optimiser = Optimiser(settings.optimiser, parameters, settings.weight_decay)
        return cls(
            architecture,
            settings,
            seeds,
            parameters,
            {name: value.clone() for name, value in parameters.items()},
            optimiser,
            [np.random.default_rng(seed) for seed in seeds],
            [torch.Generator().manual_seed(seed) for seed in seeds],
        )

    @property
    def epoch(self) -> int:
        """The number of epochs done."""
        return len(self.history) // len(self.seeds)

    def losses(self, replica: int) -> list[float]:
        """The validation loss of one replica after each epoch, in nats."""
        return [row["valid_loss"] for row in self.history[replica :: len(self.seeds)]]

    def running(self) -> Tensor:
        """Which replicas still learn, (R,) of bool: early stopping ends each on its own."""
        patience = self.settings.early_stopping
        last_best = [int(np.argmin(losses)) if (losses := self.losses(r)) else 0 for r in range(len(self.seeds))]
        return torch.tensor([not patience or self.epoch - 1 - best < patience for best in last_best])

    def save(self, path: Path, fingerprint: str) -> None:
        tensors = {f"parameters.{name}": value for name, value in self.parameters.items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {
            f"{moment}.{name}": v for moment, values in self.optimiser.moments.items() for name, v in values.items()
        }
        tensors |= {f"masks.{r}": random.get_state() for r, random in enumerate(self.masks)} | {
            "steps": self.optimiser.steps
        }
        orders = [order.bit_generator.state for order in self.orders]
        state: dict[str, Any] = {"history": self.history, "orders": orders}
        if self.progress:
            tensors |= {f"progress.{name}": value for name, value in self.progress.tensors().items()}
            state["progress"] = {name: getattr(self.progress, name) for name in ("orders", "batch", "seconds")}
        save_checkpoint(path, tensors, state, fingerprint)

    def restore(self, path: Path, fingerprint: str) -> bool:
        """Go back to the state in a checkpoint; false where none fits."""
        found = load_checkpoint(path, fingerprint)
        if found is None:
            return False
        tensors, state = found
        groups = {"parameters": self.parameters, "best": self.best} | self.optimiser.moments
        for group, values in groups.items():
            for name, value in values.items():
                value.copy_(tensors[f"{group}.{name}"])
        self.optimiser.steps.copy_(tensors["steps"])
        for replica, (order, mask) in enumerate(zip(self.orders, self.masks, strict=True)):
            order.bit_generator.state = state["orders"][replica]
            mask.set_state(tensors[f"masks.{replica}"])
        self.history = state["history"]
        self.progress = self._restored_progress(tensors, state["progress"]) if "progress" in state else None
        return True

    def _restored_progress(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> Progress:
        device = self.parameters["W_hq"].device
        mine = {name.removeprefix("progress."): value.to(device) for name, value in tensors.items()}
        parts = CELLS[self.architecture.cell].states
        state = [
            tuple(mine[f"state.{layer}.{part}"] for part in range(parts)) for layer in range(self.architecture.layers)
        ]
        return Progress(state=state, loss=mine["loss"], symbols=mine["symbols"], norms=mine["norms"], **numbers)
