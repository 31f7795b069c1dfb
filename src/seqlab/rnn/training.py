"""Training a fleet: one network for each seed, all in one program, each as if it were alone."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seqlab.errors import InputError
from seqlab.rnn.checkpoint import load_checkpoint, save_checkpoint
from seqlab.rnn.network import Architecture, Parameters, forward, initial_parameters, initial_state
from seqlab.rnn.optimisers import Optimiser, clip, plateau_factor, schedule_factor
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.settings import TrainingSettings
from seqlab.text.partition import Batches, epoch_batches


@dataclass
class Fleet:
    """The state of a training: everything that a checkpoint holds. `best` are the weights with the lowest validation
    loss so far.
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
        state = {"history": self.history, "orders": [random.bit_generator.state for random in self.orders]}
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
        return True


def train_fleet(
    fleet: Fleet,
    train: NDArray[Any],
    valid: Sequence[NDArray[Any]],
    report: Callable[[str], None] = print,
    checkpoint: tuple[Path, str] | None = None,
) -> None:
    """Train until all epochs are done or every replica has stopped; `fleet.best` then holds the weights to keep.

    `train` are indices, (T,), and `valid` the segments that choose among epochs. `report` gets a line per epoch.
    `checkpoint` is a path and a fingerprint of card, data and code: a training interrupted there goes on. Raises
    InputError where a loss is not finite.
    """
    if checkpoint and checkpoint[0].exists():
        restored = fleet.restore(*checkpoint)
        found = f"going on after epoch {fleet.epoch} from" if restored else "of another card, data or code, so ignored:"
        report(f"{found} {checkpoint[0].name}")
    symbols = torch.as_tensor(np.asarray(train, dtype=np.int64), device=fleet.parameters["W_hq"].device)
    began, done_before = time.perf_counter(), fleet.epoch
    while fleet.epoch < fleet.settings.epochs and fleet.running().any():
        started = time.perf_counter()
        running = fleet.running()
        loss, norm, rate, count = _train_epoch(fleet, symbols, running)
        valid_loss = stream_bits(fleet.architecture, fleet.parameters, valid).mean(1) * math.log(2)
        for replica in np.flatnonzero(~np.isfinite(loss.numpy() + valid_loss)):
            raise InputError(
                f"the loss of seed {fleet.seeds[replica]} is not finite in epoch {fleet.epoch + 1}; "
                "lower rnn.training.learning_rate or rnn.training.clip"
            )
        _keep_best(fleet, valid_loss)
        seconds = time.perf_counter() - started
        epoch = fleet.epoch + 1
        columns = zip(fleet.seeds, loss.tolist(), valid_loss.tolist(), rate.tolist(), norm.tolist(), strict=True)
        fleet.history += [_history_row(epoch, *column, speed=count / seconds, seconds=seconds) for column in columns]
        left = (time.perf_counter() - began) / (fleet.epoch - done_before) * (fleet.settings.epochs - fleet.epoch)
        report(_epoch_line(fleet, loss, valid_loss, count / seconds, left))
        if checkpoint:
            fleet.save(*checkpoint)


def _train_epoch(fleet: Fleet, symbols: Tensor, running: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
    """One pass over the text: mean loss (R,) in nats, mean gradient norm (R,), last rates (R,), symbols trained on."""
    settings = fleet.settings
    epochs = [
        epoch_batches(settings.partition, len(symbols), settings.steps, settings.batch_size, order)
        for order in fleet.orders
    ]
    own = [len(batches.starts) for batches in epochs]  # a replica's number of batches depends on its offset
    starts, lengths = _stack(epochs, symbols.device)
    device = symbols.device
    within = torch.arange(settings.steps, device=device)
    replicas = len(fleet.seeds)
    total, weight = torch.zeros(replicas, device=device), torch.zeros(replicas, device=device)
    norms, rates = torch.zeros(replicas, device=device), torch.zeros(replicas)
    zero = initial_state(fleet.architecture, fleet.parameters, settings.batch_size)
    plateaus = torch.tensor(
        [plateau_factor(fleet.losses(r), settings.plateau_patience, settings.schedule_factor) for r in range(replicas)]
    )
    state = zero
    for batch in range(len(starts)):
        place = (starts[batch, :, :, None] + within).clamp(max=len(symbols) - 2)
        counted = (within < lengths[batch, :, :, None]).float()
        carried = state if settings.partition == "sequential" else zero
        present = [batch < batches for batches in own]
        loss, gradients, state = _gradients(fleet, symbols[place], symbols[place + 1], counted, carried, present)
        norm = clip(gradients, settings.clip)
        shares = [(fleet.epoch + min(batch, batches - 1) / batches) / settings.epochs for batches in own]
        factors = [
            schedule_factor(
                settings.schedule, share, settings.warmup, settings.schedule_every, settings.schedule_factor
            )
            for share in shares
        ]
        rates = torch.tensor([settings.learning_rate * factor for factor in factors])
        rates = rates * plateaus if settings.schedule == "plateau" else rates
        fleet.optimiser.update(fleet.parameters, gradients, rates, running & torch.tensor(present))
        total, weight, norms = total + loss, weight + counted.sum((1, 2)), norms + norm
    return (total / weight).cpu(), norms.cpu() / torch.tensor(own), rates, int(weight.sum())


def _stack(epochs: list[Batches], device: torch.device) -> tuple[Tensor, Tensor]:
    """Starts and lengths of all replicas, each (batches, R, B); a replica with fewer batches ends with empty ones."""
    most = max(len(batches.starts) for batches in epochs)
    padded = [
        np.stack(
            [np.pad(getattr(batches, name), ((0, most - len(batches.starts)), (0, 0))) for batches in epochs], axis=1
        )
        for name in ("starts", "lengths")
    ]
    return torch.as_tensor(padded[0], device=device), torch.as_tensor(padded[1], device=device)


def _gradients(
    fleet: Fleet,
    inputs: Tensor,
    targets: Tensor,
    counted: Tensor,
    state: list[tuple[Tensor, ...]],
    present: Sequence[bool],
) -> tuple[Tensor, Parameters, list[tuple[Tensor, ...]]]:
    """Summed loss (R,) of a batch of indices (R, B, n), gradients of each replica's mean loss, detached state after."""
    leaves = {name: value.detach().requires_grad_() for name, value in fleet.parameters.items()}
    drop = (lambda outputs: _dropout(fleet, outputs, present)) if fleet.settings.dropout else None
    logits, after = forward(fleet.architecture, leaves, inputs, state, drop)
    flat = functional.cross_entropy(logits.flatten(0, 2), targets.permute(2, 0, 1).flatten(), reduction="none")
    losses = (flat.view(logits.shape[:3]) * counted.permute(2, 0, 1)).sum((0, 2))  # (R,)
    means = losses / counted.sum((1, 2)).clamp(min=1)
    gradients = torch.autograd.grad(means.sum(), list(leaves.values()))  # the replicas share nothing, so the sum splits
    detached = [tuple(value.detach() for value in layer) for layer in after]
    return losses.detach(), dict(zip(leaves, gradients, strict=True)), detached


def _dropout(fleet: Fleet, outputs: Tensor, present: Sequence[bool]) -> Tensor:
    """Inverted dropout of `outputs`, (n, R, B, h), each replica with masks from its own generator.

    A replica without a batch draws none, so that its masks do not depend on how many batches the others have.
    """
    keep = 1 - fleet.settings.dropout
    steps, _, batch_size, hidden = outputs.shape
    shape = (steps, batch_size, hidden)
    masks = [
        torch.empty(shape).bernoulli_(keep, generator=random) if here else torch.ones(shape)
        for random, here in zip(fleet.masks, present, strict=True)
    ]
    return outputs * torch.stack(masks, 1).to(outputs.device) / keep


def _keep_best(fleet: Fleet, valid_loss: NDArray[np.float64]) -> None:
    for replica, loss in enumerate(valid_loss):
        if loss < min(fleet.losses(replica), default=math.inf):
            for name, value in fleet.parameters.items():
                fleet.best[name][replica] = value[replica]


def _history_row(
    epoch: int, seed: int, loss: float, valid_loss: float, rate: float, norm: float, speed: float, seconds: float
) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "seed": seed,
        "train_loss": loss,
        "train_perplexity": math.exp(min(loss, 700)),
        "valid_loss": valid_loss,
        "valid_perplexity": math.exp(min(valid_loss, 700)),
        "learning_rate": rate,
        "gradient_norm": norm,
        "symbols_per_second": speed,
        "seconds": seconds,
    }


def _epoch_line(fleet: Fleet, loss: Tensor, valid_loss: NDArray[np.float64], speed: float, left: float) -> str:
    stopped = int((~fleet.running()).sum())
    return (
        f"epoch {fleet.epoch:3d}/{fleet.settings.epochs}  loss {loss.mean():.4f}  "
        f"train perplexity {loss.mean().exp():.3f}  "
        f"valid perplexity {np.exp(valid_loss).mean():.3f}  {speed:,.0f} symbols/s  {left:.0f} s left"
        + (f"  {stopped} of {len(fleet.seeds)} stopped early" if stopped else "")
    )
