"""Training a fleet: epochs, batches, gradients."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.devices import use_tf32
from seqlab.errors import InputError
from seqlab.rnn.fleet import Fleet, Progress
from seqlab.rnn.network import Parameters, initial_state
from seqlab.rnn.objective import objective
from seqlab.rnn.optimisers import clip, plateau_factor, schedule_factor
from seqlab.rnn.scoring import stream_bits
from seqlab.text.partition import Batches, epoch_batches, random_spans


def train_fleet(
    fleet: Fleet,
    train: NDArray[Any],
    valid: Sequence[NDArray[Any]],
    report: Callable[[str], None] = print,
    checkpoint: tuple[Path, str] | None = None,
    stop: Callable[[], bool] = lambda: False,
    judge: Callable[[int, float], str | None] = lambda epoch, loss: None,
) -> None:
    """Train until all epochs are done or every replica has stopped; `fleet.best` then holds the weights to keep.

    `train` are indices, (T,), and `valid` the segments that choose among epochs. `report` gets a line per epoch.
    `checkpoint` is a path and a fingerprint of card, data and code: a training interrupted there goes on and ends with
    the same bits. It is written after every epoch, and when `stop`, which is asked before every batch, is true: then
    KeyboardInterrupt is raised. `judge` is asked after every epoch, with the mean over seeds of the lowest validation
    losses; where it answers with a sentence, training ends. A replica whose loss is not finite stops alone. Raises
    InputError where all have.
    """
    use_tf32(fleet.settings.precision == "tf32")
    if checkpoint and checkpoint[0].exists():
        restored = fleet.restore(*checkpoint)
        report(_going_on(fleet, restored, checkpoint[0].name))
    symbols = torch.as_tensor(np.asarray(train, dtype=np.int64), device=fleet.parameters["W_hq"].device)
    began, done_before = time.perf_counter(), fleet.epoch
    while fleet.epoch < fleet.settings.epochs and fleet.running().any():
        started = time.perf_counter()
        running = fleet.running()
        progress = fleet.progress = fleet.progress or _begin(fleet)
        done = _train_epoch(fleet, progress, symbols, running, stop)
        if done is None:
            progress.seconds += time.perf_counter() - started
            if checkpoint:
                fleet.save(*checkpoint)
            raise KeyboardInterrupt
        loss, norm, rate, count = done
        valid_loss = stream_bits(fleet.architecture, fleet.valued, valid).mean(1) * math.log(2)
        learnt = _give_up_diverged(fleet, running, loss.numpy() + valid_loss, report)
        _keep_best(fleet, valid_loss)
        seconds = progress.seconds + time.perf_counter() - started
        fleet.progress = None
        columns = zip(fleet.seeds, loss.tolist(), valid_loss.tolist(), rate.tolist(), norm.tolist(), strict=True)
        rows = [_history_row(fleet.epoch + 1, *column, speed=count / seconds, seconds=seconds) for column in columns]
        fleet.history += [rows[replica] for replica in learnt]
        fleet.halted = judge(fleet.epoch, fleet.lowest_loss)
        left = (time.perf_counter() - began) / (fleet.epoch - done_before) * (fleet.settings.epochs - fleet.epoch)
        report(_epoch_line(fleet, loss[learnt], valid_loss[learnt], count / seconds, left))
        if fleet.halted:
            report(fleet.halted)
        if checkpoint:
            fleet.save(*checkpoint)


def _going_on(fleet: Fleet, restored: bool, name: str) -> str:
    if not restored:
        return f"of another card, data or code, so ignored: {name}"
    batches = f" and {fleet.progress.batch} batches" if fleet.progress else ""
    return f"going on after epoch {fleet.epoch}{batches} from {name}"


def _begin(fleet: Fleet) -> Progress:
    """An epoch before its first batch."""
    zero = fleet.parameters["W_hq"].new_zeros(len(fleet.seeds))
    state = initial_state(fleet.architecture, fleet.parameters, fleet.settings.batch_size)
    orders = [order.bit_generator.state for order in fleet.orders]
    return Progress(orders, state, zero, zero.clone(), zero.clone())


def _train_epoch(
    fleet: Fleet, progress: Progress, symbols: Tensor, running: Tensor, stop: Callable[[], bool]
) -> tuple[Tensor, Tensor, Tensor, int] | None:
    """One pass over the text, or the rest of it: mean loss (R,) in nats, mean gradient norm (R,), last rates (R,),
    symbols trained on. None when `stop` is true, with everything up to there in `fleet` and `progress`.
    """
    settings = fleet.settings
    for order, before in zip(fleet.orders, progress.orders, strict=True):
        order.bit_generator.state = before  # so that the same batches are drawn
    shape = len(symbols), settings.steps, settings.batch_size
    spans = random_spans(*shape, fleet.epoch) if settings.random_steps else None
    epochs = [epoch_batches(settings.partition, *shape, order, spans) for order in fleet.orders]
    own = [len(batches.starts) for batches in epochs]  # a replica's number of batches depends on its offset
    starts, lengths = _stack(epochs, symbols.device)
    device = symbols.device
    replicas = len(fleet.seeds)
    rates = torch.zeros(replicas)
    zero = initial_state(fleet.architecture, fleet.parameters, settings.batch_size)
    plateaus = torch.tensor(
        [plateau_factor(fleet.losses(r), settings.plateau_patience, settings.schedule_factor) for r in range(replicas)]
    )
    for batch in range(progress.batch, len(starts)):
        if stop():
            return None
        within = torch.arange(settings.steps if spans is None else spans[batch], device=device)
        place = (starts[batch, :, :, None] + within).clamp(max=len(symbols) - 2)
        counted = (within < lengths[batch, :, :, None]).float()
        carried = progress.state if settings.partition == "sequential" else zero
        present = [batch < batches for batches in own]
        pairs = symbols[place], symbols[place + 1]
        loss, gradients, progress.state = _gradients(fleet, *pairs, counted, carried, present)
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
        fleet.step(gradients, rates * len(within) / settings.steps, running & torch.tensor(present))
        progress.add(loss, counted.sum((1, 2)), norm)
    mean = progress.loss / progress.symbols
    return mean.cpu(), progress.norms.cpu() / torch.tensor(own), rates, int(progress.symbols.sum())


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
    """Summed loss (R,) of a batch of indices (R, B, n), gradients of each replica's objective, detached state after."""
    leaves = {name: value.detach().requires_grad_() for name, value in fleet.parameters.items()}
    batch = inputs, targets, counted
    aims, losses, after = objective(fleet.architecture, fleet.settings, leaves, fleet.masks, batch, state, present)
    gradients = torch.autograd.grad(aims.sum(), list(leaves.values()))  # the replicas share nothing, so the sum splits
    detached = [tuple(value.detach() for value in layer) for layer in after]
    return losses, dict(zip(leaves, gradients, strict=True)), detached


def _give_up_diverged(
    fleet: Fleet, running: Tensor, losses: NDArray[np.float64], report: Callable[[str], None]
) -> list[int]:
    """End the replicas whose `losses`, (R,), are not finite; the numbers of those that have learnt in this epoch.

    Raises InputError where there is none.
    """
    for replica in np.flatnonzero(running.numpy() & ~np.isfinite(losses)).tolist():
        fleet.give_up(replica)
        report(f"the loss of seed {fleet.seeds[replica]} is not finite: it stops, with its best weights")
    learnt = [r for r in np.flatnonzero(running).tolist() if fleet.seeds[r] not in fleet.diverged]
    if not learnt:
        raise InputError(
            f"the loss of seed {', '.join(map(str, fleet.diverged))} is not finite in epoch {fleet.epoch + 1}; "
            "lower rnn.training.learning_rate or rnn.training.clip"
        )
    return learnt


def _keep_best(fleet: Fleet, valid_loss: NDArray[np.float64]) -> None:
    for replica, loss in enumerate(valid_loss):
        if loss < min(fleet.losses(replica), default=math.inf):
            for name, value in fleet.valued.items():
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
        + (f"  {stopped} of {len(fleet.seeds)} stopped" if stopped else "")
    )
