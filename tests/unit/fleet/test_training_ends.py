"""How trainings end before their last epoch: interrupted, stopped early or diverged."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from made_fleets import (
    InterruptionError,
    fleet_of,
    stop_after,
    task_of,
    trained,
    untimed,
)

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError

INTERRUPTED = [
    pytest.param({"partition": "sequential", "optimiser": "adam", "dropout": 0.3}, id="sequential adam dropout"),
    pytest.param({"partition": "random", "optimiser": "sgd", "dropout": 0.5}, id="random sgd dropout"),
    pytest.param(
        {"optimiser": "adamw", "schedule": "plateau", "plateau_patience": 1, "dropout": 0.2, "early_stopping": 2},
        id="adamw plateau early stopping",
    ),
]


@pytest.mark.parametrize("epochs_done", [1, 3])
@pytest.mark.parametrize("options", INTERRUPTED)
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, options, epochs_done):
    options = {"epochs": 5, "learning_rate": 0.05} | options
    whole = trained(fleet_of([1, 2], **options))
    checkpoint = (tmp_path / "unfinished.safetensors", "this run")
    with pytest.raises(InterruptionError):
        trained(fleet_of([1, 2], **options), report=stop_after(epochs_done), checkpoint=checkpoint)

    lines: list[str] = []
    resumed = fleet_of([1, 2], **options)
    train_fleet(resumed, task_of(resumed), lines.append, checkpoint)
    assert lines[0] == f"continuing after epoch {epochs_done} from unfinished.safetensors"
    for name, value in whole.parameters.items():
        assert torch.equal(resumed.parameters[name], value)
        assert torch.equal(resumed.best[name], whole.best[name])
    assert untimed(resumed.history) == untimed(whole.history)


def test_a_finished_training_is_not_trained_again(tmp_path):
    checkpoint = (tmp_path / "unfinished.safetensors", "this run")
    first = trained(fleet_of([1, 2]), checkpoint=checkpoint)
    again = trained(fleet_of([1, 2]), checkpoint=checkpoint)
    assert again.history == first.history
    assert all(torch.equal(again.best[name], value) for name, value in first.best.items())


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_checkpoint_that_does_not_fit_is_ignored(tmp_path, content):
    path = tmp_path / "unfinished.safetensors"
    trained(fleet_of([1, 2]), checkpoint=(path, "another run"))
    if content is not None:
        path.write_bytes(content)
    lines: list[str] = []
    fleet = fleet_of([1, 2])
    train_fleet(fleet, task_of(fleet), lines.append, (path, "this run"))
    assert [line for line in lines if "going on" in line] == []
    assert untimed(fleet.history) == untimed(trained(fleet_of([1, 2])).history)


def with_losses(*losses: list[float], **settings: Any) -> Fleet:
    """A fleet whose replicas had these validation losses so far."""
    fleet = fleet_of(list(range(len(losses))), epochs=20, **settings)
    fleet.history = [
        {"replica": replica, "epoch": epoch, "seed": replica, "valid_loss": loss}
        for epoch, row in enumerate(zip(*losses, strict=True), start=1)
        for replica, loss in enumerate(row)
    ]
    return fleet


@pytest.mark.parametrize(
    ("losses", "patience", "running"),
    [
        ([3.0, 2.0, 1.0], 2, True),
        ([1.0, 2.0], 2, True),
        ([1.0, 2.0, 2.0], 2, False),
        ([1.0, 1.0, 1.0], 2, False),  # the same loss is not better
        ([2.0, 3.0, 1.0, 2.0], 2, True),
        ([1.0, 2.0], 1, False),
        ([1.0, 2.0, 2.0, 2.0], 0, True),  # 0 is never
    ],
)
def test_when_a_replica_stops(losses, patience, running):
    assert with_losses(losses, early_stopping=patience).running().tolist() == [running]


def test_early_stopping_ends_a_replica_on_its_own():
    fleet = with_losses([1.0, 2.0, 2.0], [3.0, 2.5, 2.0], early_stopping=2, dropout=0.2)
    before = {name: value.clone() for name, value in fleet.parameters.items()}
    with pytest.raises(InterruptionError):
        train_fleet(fleet, task_of(fleet), stop_after(0))
    for name, value in fleet.parameters.items():
        assert torch.equal(value[0], before[name][0])
        assert not torch.equal(value[1], before[name][1])


def test_training_ends_when_every_replica_has_stopped():
    fleet = trained(fleet_of([1, 2], epochs=30, learning_rate=0.1, schedule="constant", early_stopping=2))
    assert fleet.epoch < 30
    assert not fleet.running().any()
    fleet.history = fleet.history[:-2]
    assert fleet.running().any()  # not an epoch later than necessary


def test_a_plateau_lowers_the_rate_of_the_replica_that_met_it():
    options = {"schedule": "plateau", "plateau_patience": 2, "schedule_factor": 0.1, "early_stopping": 0}
    fleet = with_losses([1.0, 2.0, 2.0], [3.0, 2.5, 2.0], **options)
    with pytest.raises(InterruptionError):
        train_fleet(fleet, task_of(fleet), stop_after(0))
    assert [row["learning_rate"] for row in fleet.history[-2:]] == pytest.approx([0.002, 0.02])


@pytest.mark.parametrize("partition", ["sequential", "random"])
def test_a_replica_that_diverges_stops_alone(partition):
    options = {"partition": partition, "dropout": 0.2, "epochs": 3}
    fleet, expected = fleet_of([11, 22, 33], **options), trained(fleet_of([11, 22, 33], **options))
    first = {name: value[1].clone() for name, value in fleet.best.items()}
    fleet.parameters["b_q"][1] = math.nan
    trained(fleet)
    assert fleet.diverged == {1: 1}
    assert fleet.notes[0].startswith("seed 22: the loss was not finite in epoch 1")
    assert [row["seed"] for row in fleet.history] == [11, 33] * 3
    for name, value in expected.best.items():
        assert torch.equal(fleet.best[name][[0, 2]], value[[0, 2]])
        assert torch.equal(fleet.best[name][1], first[name])


def test_a_replica_that_diverges_late_keeps_what_it_had_and_a_checkpoint_knows(tmp_path):
    fleet, checkpoint = fleet_of([1, 2], epochs=3), (tmp_path / "unfinished.safetensors", "this run")
    with pytest.raises(InterruptionError):
        train_fleet(fleet, task_of(fleet), stop_after(1), checkpoint)
    fleet.restore(*checkpoint)
    before = {name: value[0].clone() for name, value in fleet.best.items()}
    fleet.parameters["W_hq"][0] = math.inf
    with pytest.raises(InterruptionError):
        train_fleet(fleet, task_of(fleet), stop_after(2))  # the sentence about seed 1 is a line of its own
    fleet.save(*checkpoint)
    resumed = fleet_of([1, 2], epochs=3)
    assert resumed.restore(*checkpoint) and resumed.diverged == {0: 2}
    assert resumed.running().tolist() == [False, True]
    assert all(torch.equal(resumed.best[name][0], value) for name, value in before.items())


def test_a_fleet_that_diverges_as_a_whole_is_refused():
    fleet = fleet_of([11, 22])
    fleet.parameters["b_q"][:] = math.nan
    with pytest.raises(InputError, match=r"the loss of seed 11, seed 22 is not finite in epoch 1.*rnn\.training\.clip"):
        trained(fleet)


def test_a_replica_that_stopped_early_leaves_no_more_rows():
    fleet = trained(fleet_of([1, 2, 3], epochs=12, learning_rate=0.1, schedule="constant", early_stopping=2))
    rows = [sum(row["seed"] == seed for row in fleet.history) for seed in (1, 2, 3)]
    assert rows == [int(np.argmin(fleet.losses(replica))) + 3 for replica in range(3)]
    assert len(set(rows)) > 1


def test_a_validation_loss_that_is_not_finite_names_the_seed():
    # One batch in the only epoch: its loss is that of the initial weights, and only what comes after is broken.
    fleet = fleet_of([11], epochs=1, steps=300, batch_size=1, schedule="constant", learning_rate=math.inf)
    with pytest.raises(InputError, match=r"the loss of seed 11 is not finite in epoch 1.*rnn\.training\.learning_rate"):
        trained(fleet)
