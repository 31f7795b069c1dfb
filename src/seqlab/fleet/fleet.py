"""State of a training: one replica of a network for each seed, and the files of the result."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqlab.axes import FREE_SETTINGS
from seqlab.fleet.cells import State
from seqlab.fleet.checkpoint import NETWORK, WEIGHTS, load_checkpoint, save_checkpoint, save_network
from seqlab.fleet.dropout import Dropout
from seqlab.fleet.fit import measure_fit
from seqlab.fleet.optimisers import Optimiser
from seqlab.fleet.settings import TrainingSettings, pays_to_round, rounding_type, uses_tf32
from seqlab.fleet.stack import Parameters, Stack
from seqlab.io.files import replacing, write_json
from seqlab.machine.calibration import is_bfloat16_fast
from seqlab.machine.devices import is_accelerated

RESULTS = (WEIGHTS, NETWORK, "training.json", "history.csv")  # the files of a finished training


@dataclass
class EpochProgress:
    """Progress within an epoch, from which an interrupted epoch continues."""

    orders: list[Any]  # the states of the fleet's orders before the epoch, from which its batches are drawn
    state: list[State]  # of every layer, after the last batch
    loss: Tensor  # (R,), summed over all symbols so far, in nats
    symbols: Tensor  # (R,), their number
    norms: Tensor  # (R,), summed over all batches so far
    batch: int = 0  # the number of the next batch
    seconds: float = 0.0  # spent before an interruption

    def add(self, loss: Tensor, symbols: Tensor, norm: Tensor) -> None:
        """Add a batch to the totals."""
        self.loss, self.symbols, self.norms = self.loss + loss, self.symbols + symbols, self.norms + norm
        self.batch += 1

    def tensors(self) -> dict[str, Tensor]:
        """Tensors for a checkpoint, by name."""
        totals = {name: getattr(self, name) for name in ("loss", "symbols", "norms")}
        # copies, because the zeros of a first batch are one tensor under several names
        state = {f"state.{n}.{k}": part.clone() for n, layer in enumerate(self.state) for k, part in enumerate(layer)}
        return totals | state


@dataclass
class Fleet:
    """The state of a training: everything that a checkpoint holds.

    The replicas of several runs can form one fleet (`Fleet.join`), whose numbers are those of a fleet for each run.
    `best` are the weights with the lowest validation loss so far, `average` the moving mean of the weights where the
    settings ask for it, `history` has a row for each epoch and each replica that learnt in it, `diverged` maps a
    replica to the epoch in which its loss was not finite; `progress` is None between two epochs. `ways` are the
    implementations that `seqlab.fleet.calibration` measured as the fastest; others round in other places.
    """

    network: Stack
    replica_settings: list[TrainingSettings]  # of every replica; they differ in FREE_SETTINGS at most
    seeds: list[int]
    parameters: Parameters
    best: Parameters
    average: Parameters
    optimiser: Optimiser
    orders: list[np.random.Generator]  # one for each replica: its offsets and the order of its batches
    masks: list[torch.Generator]  # one for each replica: its dropout
    history: list[dict[str, Any]] = field(default_factory=list)
    diverged: dict[int, int] = field(default_factory=dict)
    progress: EpochProgress | None = None
    ways: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, network: Stack, settings: TrainingSettings, seeds: list[int], device: torch.device) -> "Fleet":
        """Return a fleet before its first epoch, with a replica for each seed."""
        return cls.join(network, [settings] * len(seeds), seeds, device)

    @classmethod
    def join(
        cls, network: Stack, replica_settings: Sequence[TrainingSettings], seeds: Sequence[int], device: torch.device
    ) -> "Fleet":
        """Return a fleet before its first epoch, whose replicas have these settings and seeds.

        Raises ValueError where settings differ in other keys than FREE_SETTINGS.
        """
        settings = replica_settings[0]
        alike = {name: getattr(settings, name) for name in FREE_SETTINGS}
        if any(replace(of_replica, **alike) != settings for of_replica in replica_settings):
            raise ValueError(f"the networks of a fleet may differ in {', '.join(FREE_SETTINGS)} only")
        parameters = {name: value.to(device) for name, value in network.initial_parameters(seeds).items()}
        optimiser = Optimiser(settings.optimiser, parameters, settings.weight_decay)
        return cls(
            network,
            list(replica_settings),
            list(seeds),
            parameters,
            {name: value.clone() for name, value in parameters.items()},
            {name: value.clone() for name, value in parameters.items()} if settings.averaging else {},
            optimiser,
            [np.random.default_rng(seed) for seed in seeds],
            [torch.Generator().manual_seed(seed) for seed in seeds],
        )

    @property
    def settings(self) -> TrainingSettings:
        """The settings that all replicas share, with the FREE_SETTINGS of the first."""
        return self.replica_settings[0]

    @cached_property
    def dropout(self) -> Dropout:
        """The dropout of each replica."""
        return Dropout.of(self.replica_settings)

    def describe(self, replica: int) -> str:
        """Return the name of a replica in messages: its seed, and where replicas differ also its settings."""
        settings = self.replica_settings
        names = [name for name in FREE_SETTINGS if len({getattr(of_replica, name) for of_replica in settings}) > 1]
        values = [f"{name} {getattr(settings[replica], name):g}" for name in names]
        return ", ".join([f"seed {self.seeds[replica]}", *values])

    def select(self, replicas: Sequence[int]) -> "Fleet":
        """Return a trained fleet of these replicas alone; the time of an epoch is their share of the whole."""
        chosen, share = torch.tensor(list(replicas)), len(replicas) / len(self.seeds)
        places = {replica: place for place, replica in enumerate(replicas)}
        rows = [row | {"replica": places[row["replica"]]} for row in self.history if row["replica"] in places]
        return replace(
            self,
            replica_settings=[self.replica_settings[replica] for replica in replicas],
            seeds=[self.seeds[replica] for replica in replicas],
            parameters={name: value[chosen] for name, value in self.parameters.items()},
            best={name: value[chosen] for name, value in self.best.items()},
            average={name: value[chosen] for name, value in self.average.items()},
            history=[row | {"seconds": share * row["seconds"]} for row in rows],
            diverged={places[replica]: epoch for replica, epoch in self.diverged.items() if replica in places},
        )

    @property
    def valued(self) -> Parameters:
        """The weights to validate and to keep: the moving mean where there is one, else the trained weights."""
        return self.average or self.parameters

    def step(self, gradients: Parameters, rates: Tensor, active: Tensor) -> None:
        """Update the replicas for which `active`, (R,), is true, and their moving mean."""
        self.optimiser.update(self.parameters, gradients, rates, active)
        share = self.averaging_share(self.optimiser.steps, active)[:, None, None]
        for name, mean in self.average.items():
            mean.lerp_(self.parameters[name], share.to(mean))

    def averaging_share(self, steps: Tensor, active: Tensor) -> Tensor:
        """The share of the new weights in the moving mean after `steps` steps, both arguments (R,) or (any, R).

        The share is larger early on, so that the first weights are soon forgotten.
        """
        decay = torch.minimum((1 + steps) / (10 + steps), torch.full_like(steps, self.settings.averaging))
        return torch.where(active, 1 - decay, 0.0)

    @property
    def epoch(self) -> int:
        """The number of epochs done."""
        return int(self.history[-1]["epoch"]) if self.history else 0

    def losses(self, replica: int) -> list[float]:
        """The validation loss of one replica after each epoch in which it learnt, in nats."""
        return [row["valid_loss"] for row in self.history if row["replica"] == replica]

    def running(self) -> Tensor:
        """The replicas that still learn, (R,) of bool: neither stopped early nor diverged."""
        return torch.tensor([self._runs(replica) for replica in range(len(self.seeds))])

    def _runs(self, replica: int) -> bool:
        losses, patience = self.losses(replica), self.settings.early_stopping
        waited = len(losses) - 1 - int(np.argmin(losses)) if losses else 0
        return replica not in self.diverged and (not patience or waited < patience)

    def give_up(self, replica: int) -> None:
        """Stop a replica whose loss is not finite, with its best weights; the others continue."""
        self.diverged[replica] = self.epoch + 1
        for name, value in self.parameters.items():
            value[replica] = self.best[name][replica]
            for mean in [self.average[name]] if self.average else []:
                mean[replica] = self.best[name][replica]
            for moments in self.optimiser.moments.values():
                moments[name][replica] = 0.0

    @property
    def precision(self) -> str:
        """The precision that products are computed in: float32, tf32 or bfloat16."""
        network, asked, device = self.network, self.settings.precision, self.parameters["b_q"].device
        if is_accelerated(device):
            return "tf32" if uses_tf32(asked) else "float32"
        return "bfloat16" if rounding_type(asked, network.cell, network.hidden, device.type) else "float32"

    @property
    def notes(self) -> list[str]:
        """Notes on the training for users of the results, one sentence each."""
        section, accelerated = self.network.section, is_accelerated(self.parameters["b_q"].device)
        rounded = self.settings.precision == "bfloat16" and accelerated
        notes = (
            [f"{section}.training.precision is bfloat16; the GPU computed in TF32, which is finer"] if rounded else []
        )
        share, cell = self.settings.recurrent_dropout, self.network.cell
        device = self.parameters["b_q"].device.type
        if pays_to_round(self.settings.precision, cell, self.network.hidden, device) and not is_bfloat16_fast():
            notes.append(
                f"{section}.training.precision is bfloat16; this processor multiplies faster in float32, in which the "
                "training computed, and which is finer"
            )
        if share and not any(name.startswith("W_hh") for name in self.parameters):
            notes.append(
                f"{section}.training.recurrent_dropout is {share}, but {cell} has no weights from state to state, so "
                "nothing is dropped there"
            )
        return [*self.network.notes, *notes] + [
            f"{self.describe(replica)}: the loss was not finite in epoch {epoch}, so it stopped there with its best "
            f"weights; lower {section}.training.learning_rate or {section}.training.clip"
            for replica, epoch in self.diverged.items()
        ]

    def rows(self, first: int = 0) -> list[dict[str, Any]]:
        """Return the rows of history.csv, or those from the row `first` on."""
        return [{name: value for name, value in row.items() if name != "replica"} for row in self.history[first:]]

    def write_results(self, folder: Path) -> None:
        """Write the files of a finished training: the weights to keep, training.json and history.csv."""
        save_network(folder, self.network, self.best, self.seeds)
        history = pd.DataFrame(self.rows())
        seconds = round(float(history.groupby("epoch")["seconds"].first().sum()), 3)
        training = {"seconds": seconds, "parameters": self.network.parameters, "notes": self.notes}
        training["computed"] = {"precision": self.precision, "ways": self.ways}
        training["fit"] = measure_fit(self.history, self.settings.epochs, self.settings.schedule)
        write_json(folder / "training.json", training)
        with replacing(folder / "history.csv") as temporary:
            history.to_csv(temporary, index=False, lineterminator="\n")

    def save(self, path: Path, fingerprint: str) -> None:
        """Write a checkpoint, from which `restore` continues with identical bits."""
        tensors = {f"parameters.{name}": value for name, value in self.parameters.items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        tensors |= {
            f"{moment}.{name}": v for moment, values in self.optimiser.moments.items() for name, v in values.items()
        }
        tensors |= {f"masks.{r}": random.get_state() for r, random in enumerate(self.masks)} | {
            "steps": self.optimiser.steps
        }
        orders = [order.bit_generator.state for order in self.orders]
        state: dict[str, Any] = {"history": self.history, "orders": orders}
        state |= {"diverged": list(self.diverged.items()), "ways": self.ways}
        if self.progress:
            tensors |= {f"progress.{name}": value for name, value in self.progress.tensors().items()}
            state["progress"] = {name: getattr(self.progress, name) for name in ("orders", "batch", "seconds")}
        save_checkpoint(path, tensors, state, fingerprint)

    def restore(self, path: Path, fingerprint: str) -> bool:
        """Restore the state in a checkpoint; returns false where none has this `fingerprint`."""
        checkpoint = load_checkpoint(path, fingerprint)
        if checkpoint is None:
            return False
        tensors, state = checkpoint
        groups = {"parameters": self.parameters, "best": self.best, "average": self.average} | self.optimiser.moments
        for group, values in groups.items():
            for name, value in values.items():
                value.copy_(tensors[f"{group}.{name}"])
        self.optimiser.steps.copy_(tensors["steps"])
        for replica, (order, mask) in enumerate(zip(self.orders, self.masks, strict=True)):
            order.bit_generator.state = state["orders"][replica]
            mask.set_state(tensors[f"masks.{replica}"])
        self.history, self.diverged, self.ways = state["history"], dict(state["diverged"]), state["ways"]
        self.progress = self._restored_progress(tensors, state["progress"]) if "progress" in state else None
        return True

    def _restored_progress(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> EpochProgress:
        device = self.parameters["b_q"].device
        saved = {name.removeprefix("progress."): value.to(device) for name, value in tensors.items()}
        state = [
            tuple(saved[f"state.{layer}.{part}"] for part in range(len(parts)))
            for layer, parts in enumerate(self.network.zero_state(self.parameters, 0))
        ]
        return EpochProgress(state=state, loss=saved["loss"], symbols=saved["symbols"], norms=saved["norms"], **numbers)
