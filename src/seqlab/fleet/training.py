"""Training loop of a fleet: epochs, batches, early stopping, checkpoints."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.accelerated.training import AcceleratedTraining
from seqlab.fleet.batches import EpochPlan
from seqlab.fleet.calibration import prefer_ways
from seqlab.fleet.fleet import EpochProgress, Fleet
from seqlab.fleet.objective import compute_gradients
from seqlab.fleet.optimisers import clip_gradients
from seqlab.fleet.settings import uses_tf32
from seqlab.fleet.task import Task
from seqlab.io.errors import InputError
from seqlab.machine.devices import explain_memory_errors, use_tf32


def train_fleet(
    fleet: Fleet,
    task: Task,
    report: Callable[[str], None] = print,
    checkpoint: tuple[Path, str] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Train until all epochs are done or every replica has stopped; `fleet.best` then holds the weights to keep.

    `task` holds the training data and the validation data that choose among epochs. `report` is called with a line per
    epoch. `checkpoint` is a path and a fingerprint of card, data and code: an interrupted training continues from there
    and ends with identical bits. It is written after every epoch, and when `stop`, called before every batch, returns
    true: then KeyboardInterrupt is raised. A replica whose loss is not finite stops; the others continue. Raises
    InputError where no replica is left.
    """
    use_tf32(uses_tf32(fleet.settings.precision))
    if checkpoint and checkpoint[0].exists():
        restored = fleet.restore(*checkpoint)
        report(_resume_line(fleet, restored, checkpoint[0].name))
    prefer_ways(fleet)
    accelerated = AcceleratedTraining(fleet, task, report)
    began, done_before = time.perf_counter(), fleet.epoch
    while fleet.epoch < fleet.settings.epochs and fleet.running().any():
        started = time.perf_counter()
        running = fleet.running()
        progress = fleet.progress = fleet.progress or begin_epoch(fleet)
        done = train_epoch(fleet, task, progress, running, stop, accelerated)
        if done is None:
            progress.seconds += time.perf_counter() - started
            if checkpoint:
                fleet.save(*checkpoint)
            raise KeyboardInterrupt
        loss, norm, rate, symbols = done
        valid_loss = accelerated.valid_loss()
        learnt = _give_up_diverged(fleet, running, loss.numpy() + valid_loss, report)
        _keep_best(fleet, valid_loss)
        seconds = progress.seconds + time.perf_counter() - started
        fleet.progress = None
        figures = (values.tolist() for values in (loss, valid_loss, rate, norm))
        columns = zip(range(len(fleet.seeds)), fleet.seeds, *figures, strict=True)
        times = {"symbols_per_second": symbols / seconds, "seconds": seconds}
        rows = [_history_row(task, fleet.epoch + 1, *column) | times for column in columns]
        fleet.history += [rows[replica] for replica in learnt]
        left = (time.perf_counter() - began) / (fleet.epoch - done_before) * (fleet.settings.epochs - fleet.epoch)
        report(_epoch_line(fleet, task, loss[learnt].mean().item(), valid_loss[learnt].mean(), symbols / seconds, left))
        if checkpoint:
            fleet.save(*checkpoint)


def _resume_line(fleet: Fleet, restored: bool, name: str) -> str:
    if not restored:
        return f"{name} ignored: it is of another card, data or code"
    batches = f" and {fleet.progress.batch} batches" if fleet.progress else ""
    return f"continuing after epoch {fleet.epoch}{batches} from {name}"


def begin_epoch(fleet: Fleet) -> EpochProgress:
    """Return the progress of an epoch before its first batch."""
    zero = fleet.parameters["b_q"].new_zeros(len(fleet.seeds))
    state = fleet.network.zero_state(fleet.parameters, fleet.settings.batch_size)
    orders = [order.bit_generator.state for order in fleet.orders]
    return EpochProgress(orders, state, zero, zero.clone(), zero.clone())


def train_epoch(
    fleet: Fleet,
    task: Task,
    progress: EpochProgress,
    running: Tensor,
    stop: Callable[[], bool],
    accelerated: AcceleratedTraining,
) -> tuple[Tensor, Tensor, Tensor, int] | None:
    """Train on the rest of an epoch; returns mean loss (R,) in nats, mean gradient norm (R,), last rates (R,) and the
    number of data trained on. None when `stop` is true; `fleet` and `progress` then hold the state.
    """
    plan = EpochPlan.of(fleet, progress, len(task.data) - task.first, running, task.first)
    with explain_memory_errors(task.data.device, fleet.network.section):
        steps = accelerated.steps_of(plan)
        ended = steps.train_epoch(progress, plan, stop) if steps else _train_plainly(fleet, task, progress, plan, stop)
    if not ended:
        return None
    rates = plan.rates(len(plan.starts) - 1)
    loss, counted, norms = torch.stack([progress.loss, progress.symbols, progress.norms]).cpu()
    return loss / counted, norms / torch.tensor(plan.batch_counts), rates, int(counted.sum())


def _train_plainly(
    fleet: Fleet, task: Task, progress: EpochProgress, plan: EpochPlan, stop: Callable[[], bool]
) -> bool:
    """Train on the rest of an epoch without a CUDA graph; returns false when `stop` is true."""
    settings, device = fleet.settings, task.data.device
    starts, lengths = plan.starts.to(device), plan.lengths.to(device)
    zero = fleet.network.zero_state(fleet.parameters, settings.batch_size)
    for batch in range(progress.batch, len(starts)):
        if stop():
            return False
        within = torch.arange(plan.steps(batch), device=device)
        places = (starts[batch, :, :, None] + within).clamp(max=len(task.data) - 2)
        counted = (within < lengths[batch, :, :, None]).float()
        carried = progress.state if settings.partition == "sequential" else zero
        loss, gradients, progress.state = compute_gradients(
            task,
            settings,
            fleet.dropout,
            fleet.parameters,
            fleet.masks,
            (places, counted),
            carried,
            plan.present(batch),
        )
        norm = clip_gradients(gradients, settings.clip)
        fleet.step(gradients, plan.scaled_rates(batch), plan.active(batch))
        progress.add(loss, counted.sum((1, 2)), norm)
    return True


def _give_up_diverged(
    fleet: Fleet, running: Tensor, losses: NDArray[np.float64], report: Callable[[str], None]
) -> list[int]:
    """Stop the replicas whose `losses`, (R,), are not finite; returns the numbers of those that learnt in this epoch.

    Raises InputError where none did.
    """
    for replica in np.flatnonzero(running.numpy() & ~np.isfinite(losses)).tolist():
        fleet.give_up(replica)
        report(f"the loss of {fleet.describe(replica)} is not finite, so it stops with its best weights")
    learnt = [replica for replica in np.flatnonzero(running).tolist() if replica not in fleet.diverged]
    if not learnt:
        raise InputError(
            f"the loss of {', '.join(map(fleet.describe, fleet.diverged))} is not finite in epoch {fleet.epoch + 1}; "
            f"lower {fleet.network.section}.training.learning_rate or {fleet.network.section}.training.clip"
        )
    return learnt


def _keep_best(fleet: Fleet, valid_loss: NDArray[np.float64]) -> None:
    for replica, loss in enumerate(valid_loss):
        if loss < min(fleet.losses(replica), default=math.inf):
            for name, value in fleet.valued.items():
                fleet.best[name][replica] = value[replica]


def _history_row(
    task: Task, epoch: int, replica: int, seed: int, loss: float, valid_loss: float, rate: float, norm: float
) -> dict[str, Any]:
    row: dict[str, Any] = {"replica": replica, "epoch": epoch, "seed": seed}
    for split, nats in {"train": loss, "valid": valid_loss}.items():
        row[f"{split}_loss"] = nats
        if task.is_discrete:
            row[f"{split}_perplexity"] = _perplexity(nats)
    return row | {"learning_rate": rate, "gradient_norm": norm}


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, 700))


def _epoch_line(fleet: Fleet, task: Task, loss: float, valid_loss: float, speed: float, left: float) -> str:
    train, valid = (
        f"perplexity {_perplexity(nats):.3f}" if task.is_discrete else f"loss {nats:.4f}" for nats in (loss, valid_loss)
    )
    stopped = int((~fleet.running()).sum())
    return (
        f"epoch {fleet.epoch:3d}/{fleet.settings.epochs}  train {train}  valid {valid}  "
        f"{speed:,.0f} {task.unit}/s  {left:.0f} s left"
        + (f"  {stopped} of {len(fleet.seeds)} stopped" if stopped else "")
    )
