"""Training a fleet: what it learns, and that replicas are alone."""

import math

import numpy as np
import pytest
import torch
from made_fleets import (
    RANDOM_TEXT,
    VOCABULARY,
    fleet_of,
    trained,
    untimed,
    validation_loss,
)

from seqlab.fleet.batches import draw_epoch
from seqlab.fleet.cells import CELLS
from seqlab.fleet.dropout import draw_masks
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError
from seqlab.rnn.task import LanguageTask

LOCKED = {"locked_dropout": True, "embedding_dropout": 0.2, "recurrent_dropout": 0.2}
PENALTIES = {"activation_regularisation": 1.0, "temporal_regularisation": 1.0}


@pytest.mark.parametrize(
    "dropout",
    [
        {},
        {"dropout": 0.3},
        {"dropout": 0.3, "averaging": 0.9} | LOCKED | PENALTIES,
        {"embedding": 3, "tied": True, "dropout": 0.3} | LOCKED,
    ],
    ids=["no dropout", "dropout", "everything", "tied"],
)
@pytest.mark.parametrize("partition", ["sequential", "random"])
def test_a_replica_does_not_depend_on_its_fleet(partition, dropout):
    # With so many symbols the offset of an epoch decides how many batches it has, so replicas differ in their number.
    train = RANDOM_TEXT[: {"sequential": 199, "random": 203}[partition]]
    options = {"partition": partition, "epochs": 3, "batch_size": 3} | dropout
    alone, fleet = fleet_of([2], **options), fleet_of([1, 2, 3], **options)
    for name, value in alone.parameters.items():
        assert torch.equal(value[0], fleet.parameters[name][1])
    trained(alone, train), trained(fleet, train)
    assert alone.orders[0].bit_generator.state == fleet.orders[1].bit_generator.state
    assert torch.equal(alone.masks[0].get_state(), fleet.masks[1].get_state())
    for row, other in zip(alone.history, fleet.history[1::3], strict=True):
        assert other["seed"] == 2
        assert other["learning_rate"] == row["learning_rate"]
        for figure in ("train_loss", "valid_loss", "gradient_norm"):
            assert other[figure] == pytest.approx(row[figure], rel=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("partition", ["sequential", "random"])
def test_an_epoch_is_the_plain_loop_over_its_batches(partition, dropout):
    """Sequential batches take the state of the one before, random ones start from zero; each step follows the gradient
    of the mean loss over the symbols that are there; what dropout keeps is scaled up, so that its mean is unchanged.
    """
    options = {"partition": partition, "dropout": dropout, "optimiser": "sgd", "learning_rate": 0.3, "clip": 1000.0}
    fleet = fleet_of([5], "rnn", epochs=1, schedule="constant", **options)
    architecture, settings = fleet.network, fleet.settings
    weights = {name: value.clone().requires_grad_() for name, value in fleet.parameters.items()}
    drawing, order = torch.Generator().manual_seed(5), np.random.default_rng(5)
    zero = state = architecture.zero_state(fleet.parameters, settings.batch_size)

    def drop(outputs: torch.Tensor) -> torch.Tensor:
        (kept,) = draw_masks([drawing], [True], outputs[:, 0].shape, (dropout,))
        return outputs * kept[:, None]

    symbols = torch.as_tensor(np.append(RANDOM_TEXT, [0] * settings.steps))  # room for what is padded
    total = count = 0
    batches = draw_epoch(partition, len(RANDOM_TEXT), settings.steps, settings.batch_size, order)
    for starts, lengths in zip(batches.starts, batches.lengths, strict=True):
        inputs = torch.stack([symbols[start : start + settings.steps] for start in starts])[None]
        before = state if partition == "sequential" else zero
        logits, after = architecture.forward(weights, inputs, before, drop if dropout else None)
        state = [tuple(value.detach() for value in layer) for layer in after]
        losses = [
            -logits[step, 0, row].log_softmax(0)[symbols[start + step + 1]]
            for row, (start, length) in enumerate(zip(starts, lengths, strict=True))
            for step in range(length)
        ]
        gradients = torch.autograd.grad(sum(losses) / len(losses), list(weights.values()))
        with torch.no_grad():
            for value, gradient in zip(weights.values(), gradients, strict=True):
                value -= settings.learning_rate * gradient
        total, count = total + sum(losses).item(), count + len(losses)

    trained(fleet)
    assert fleet.history[0]["train_loss"] == pytest.approx(total / count, rel=1e-5)
    for name, value in weights.items():
        torch.testing.assert_close(fleet.parameters[name], value.detach(), rtol=1e-4, atol=1e-5)


def test_replicas_of_different_seeds_differ():
    first, second = trained(fleet_of([1, 2], epochs=1)).history
    assert first["train_loss"] != second["train_loss"]


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("partition", ["sequential", "random"])
def test_a_text_that_repeats_is_learnt(partition, cell):
    # a a b c a d: half of all symbols are a, the others are equally frequent, and three symbols tell the next one.
    text = np.tile([0, 0, 1, 2, 0, 3], 100)
    unigram_entropy = 0.5 * math.log(2) + 3 / 6 * math.log(6)
    fleet = fleet_of([1, 2], cell, 1, 16, partition=partition, epochs=8, steps=12, learning_rate=0.03)
    train_fleet(fleet, LanguageTask.of(fleet.network, text, [text[:120]]), report=lambda line: None)
    assert [row["valid_loss"] < 0.2 * unigram_entropy for row in fleet.history[-2:]] == [True, True]


def test_a_text_without_structure_is_not_learnt_below_its_entropy():
    fleet = trained(fleet_of([1], epochs=3, learning_rate=0.01))
    assert fleet.history[-1]["valid_loss"] == pytest.approx(math.log(VOCABULARY), rel=0.1)


def test_history_holds_a_row_for_each_epoch_and_seed():
    fleet = trained(fleet_of([4, 9], epochs=3, schedule="constant"))
    assert [(row["epoch"], row["seed"]) for row in fleet.history] == [(1, 4), (1, 9), (2, 4), (2, 9), (3, 4), (3, 9)]
    for row in fleet.history:
        assert row["train_perplexity"] == pytest.approx(math.exp(row["train_loss"]))
        assert row["valid_perplexity"] == pytest.approx(math.exp(row["valid_loss"]))
        assert row["learning_rate"] == pytest.approx(0.02)


def test_validation_loss_is_that_of_scoring():
    fleet = trained(fleet_of([1, 2], epochs=1))
    found = [row["valid_loss"] for row in fleet.history]
    assert found == pytest.approx(validation_loss(fleet, fleet.parameters).tolist(), rel=1e-9)


def test_best_holds_the_weights_with_the_lowest_validation_loss():
    options = {"epochs": 6, "learning_rate": 0.2, "schedule": "constant", "early_stopping": 0}
    fleet = trained(fleet_of([1, 2, 3], **options))
    lowest = [min(fleet.losses(replica)) for replica in range(3)]
    assert validation_loss(fleet, fleet.best).tolist() == pytest.approx(lowest, rel=1e-9)
    last = [fleet.losses(replica)[-1] for replica in range(3)]
    assert last != lowest  # so the last weights would not do


def test_a_text_too_short_for_the_streams_is_refused():
    with pytest.raises(InputError, match=r"has 4 symbols, too few for 4 parallel streams"):
        trained(fleet_of([1]), RANDOM_TEXT[:4])


@pytest.mark.parametrize("cell", CELLS)
def test_no_cell_depends_on_the_fleet(cell):
    alone, fleet = (trained(fleet_of(seeds, cell, epochs=1, dropout=0.3)) for seeds in ([2], [1, 2, 3]))
    rows = zip(untimed(alone.history), untimed(fleet.history[1::3]), strict=True)
    assert all(row == pytest.approx(other, rel=2e-3 if cell == "deltanet" else 1e-5) for row, other in rows)


@pytest.mark.parametrize(("cell", "notes"), [("mingru", 1), ("deltanet", 1), ("mogrifier", 0), ("slstm", 0)])
def test_dropout_that_drops_nothing_is_noted(cell, notes):
    printed = fleet_of([1], cell, recurrent_dropout=0.2).notes
    assert len(printed) == notes and all(
        f"recurrent_dropout is 0.2, but {cell} has no weights" in note for note in printed
    )
    assert fleet_of([1], cell).notes == []


def test_random_steps_do_not_depend_on_the_fleet():
    alone, fleet = (trained(fleet_of(seeds, random_steps=True, dropout=0.3)) for seeds in ([2], [1, 2, 3]))
    for row, other in zip(untimed(alone.history), untimed(fleet.history[1::3]), strict=True):
        assert row == pytest.approx(other, rel=1e-5)


def test_a_shorter_batch_takes_a_smaller_step(monkeypatch):
    def watched(fleet, gradients, rates, active):
        taken.append(rates[0].item())
        step(fleet, gradients, rates, active)

    taken, step = [], Fleet.step
    monkeypatch.setattr(Fleet, "step", watched)
    fleet = trained(fleet_of([1], epochs=1, steps=10, random_steps=True, schedule="constant"))
    shares = [round(rate / fleet.settings.learning_rate * 10, 4) for rate in taken]
    assert set(shares) <= {5, 6, 7, 8, 9, 10} and len(set(shares)) > 2


def test_the_moving_mean_follows_the_weights_of_the_replicas_that_learn():
    fleet = fleet_of([1, 2], optimiser="sgd", averaging=0.5)
    still = fleet.average["W_hq"][1].clone()
    expected = fleet.parameters["W_hq"][0].clone()
    for step in range(1, 15):
        ones = {name: torch.ones_like(value) for name, value in fleet.parameters.items()}
        fleet.step(ones, torch.tensor([0.1, 0.1]), torch.tensor([True, False]))
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * fleet.parameters["W_hq"][0]
    torch.testing.assert_close(fleet.average["W_hq"][0], expected)
    assert torch.equal(fleet.average["W_hq"][1], still)


def test_the_moving_mean_is_what_is_validated_and_kept():
    fleet = trained(fleet_of([1], averaging=0.8, early_stopping=0))
    assert not torch.equal(fleet.average["W_hq"], fleet.parameters["W_hq"])
    best = min(row["valid_loss"] for row in fleet.history)
    assert validation_loss(fleet, fleet.best)[0] == pytest.approx(best, abs=1e-9)
    assert validation_loss(fleet, fleet.average)[0] == pytest.approx(fleet.history[-1]["valid_loss"], abs=1e-9)


def test_products_in_bfloat16_train_to_about_the_same_loss(monkeypatch):
    monkeypatch.setattr("seqlab.fleet.settings.is_bfloat16_fast", lambda: True)
    options = {"hidden": CELLS["lstm"].rounded_from, "learning_rate": 0.002}
    whole, rounded = (
        trained(fleet_of([1, 2], epochs=4, precision=kind, **options)) for kind in ("float32", "bfloat16")
    )
    losses = [[row["train_loss"] for row in fleet.history] for fleet in (whole, rounded)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], abs=0.01)
    assert all(value.dtype == torch.float32 for value in rounded.parameters.values())
    best = min(row["valid_loss"] for row in rounded.history if row["seed"] == 1)
    assert validation_loss(rounded, rounded.best)[0] == pytest.approx(best, abs=1e-9)  # scored in float32
