"""Networks that more epochs or less regularisation would improve."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

UNDERFITTED_COLUMN = "underfitted"  # of models.csv: the reason, or empty
STILL_FALLING, HIGH_TRAINING_LOSS = "still falling", "high training loss"
REMEDIES = {  # reason -> what to change in the configuration, in the block of the networks
    STILL_FALLING: "more {section}.training.epochs",
    HIGH_TRAINING_LOSS: "less dropout or weight_decay, more {section}.training.epochs, or a larger network",
}
FALL = 0.018  # nats, weighted as in `is_still_falling`
LAST_EPOCHS = 0.25  # share of the epochs in which a loss that still falls has its lowest value
ANNEALED = 0.2  # share of the highest learning rate, at which the schedule plateau has done its work
BETTER_BY = 0.01  # nats by which another network has to be better, 1 % of perplexity


def measure_fit(history: Iterable[Mapping[str, Any]], epochs: int, schedule: str) -> dict[str, Any]:
    """Return the fit of a training of at most `epochs` epochs from the rows of its history: losses and a flag.

    `train_loss` and `valid_loss` are those of the epoch that is kept, in nats, means over seeds; the training loss is
    the mean over that epoch, with dropout. `still_falling` is true where `is_still_falling` is true of at least half of
    the seeds.
    """
    seeds: dict[int, list[Mapping[str, Any]]] = {}
    for row in history:
        seeds.setdefault(row["seed"], []).append(row)
    kept = [min(rows, key=lambda row: row["valid_loss"]) for rows in seeds.values()]
    falling = [is_still_falling(rows, epochs, schedule) for rows in seeds.values()]
    losses = {name: fmean(row[name] for row in kept) for name in ("train_loss", "valid_loss")}
    return losses | {"still_falling": 2 * sum(falling) >= len(falling)}


def is_still_falling(rows: Sequence[Mapping[str, Any]], epochs: int, schedule: str) -> bool:
    """Return whether twice the epochs would lower the validation loss of one seed by about 0.01 nats or more.

    `rows` are its rows of the history. A training that ended before its last epoch, by early stopping or because it
    diverged, was not falling, nor was a loss whose lowest value lies before the last epochs. Else the evidence is the
    fall of the validation loss over the second half of the epochs, times the share of the fall of the training loss
    that it makes up: where the network learns what only train has, the share is small, and more epochs help less than
    the fall promises. A learning rate that goes to zero makes both losses fall at the end, whatever the number of
    epochs, by less than the limit. Under the schedule plateau any fall counts until the rate is low, because a lower
    rate makes the loss fall once more. The limits were measured: docs/decisions/networks.md.
    """
    if len(rows) < epochs:
        return False
    half = len(rows) // 2
    if half == 0:  # a single epoch shows no trend
        return True
    valid, train = ([row[name] for row in rows] for name in ("valid_loss", "train_loss"))
    fall, train_fall = min(valid[:half]) - min(valid), train[half - 1] - train[-1]
    if fall <= 0 or valid.index(min(valid)) < (1 - LAST_EPOCHS) * len(valid) - 1:
        return False
    if schedule == "plateau" and rows[-1]["learning_rate"] > ANNEALED * max(row["learning_rate"] for row in rows):
        return fall > BETTER_BY
    return fall * min(1.0, fall / train_fall if train_fall > 0 else 1.0) > FALL


def find_underfitted(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return, for the metrics of each of the `runs` of a table, the reason for which it is underfitted, or "".

    A network is underfitted where its loss was still falling, or where its training loss is as high as its validation
    loss and a network of the same cell with no more parameters has a validation loss lower by more than `BETTER_BY`.
    Dropout alone raises the training loss above the validation loss, so a high training loss alone says nothing; the
    other network shows that the size suffices for a better result. Other cells and n-grams are no evidence for that.
    """
    runs = list(runs)
    lowest = _find_lowest_losses(run for run in runs if "fit" in run)
    reasons = []
    for run in runs:
        fit = run.get("fit")
        if fit is None:
            reasons.append("")
        elif fit["still_falling"]:
            reasons.append(STILL_FALLING)
        else:
            best = lowest[run["settings"]["cell"], run["parameters"]]
            is_high = fit["train_loss"] >= fit["valid_loss"] > best + BETTER_BY
            reasons.append(HIGH_TRAINING_LOSS if is_high else "")
    return reasons


def _find_lowest_losses(networks: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], float]:
    """Return the lowest validation loss of a cell within each number of parameters."""
    lowest: dict[tuple[str, int], float] = {}
    ordered = sorted(networks, key=lambda run: (run["settings"]["cell"], run["parameters"]))
    for cell, of_cell in groupby(ordered, key=lambda run: run["settings"]["cell"]):
        loss = math.inf
        for run in of_cell:
            loss = min(loss, run["fit"]["valid_loss"])
            lowest[cell, run["parameters"]] = loss
    return lowest
