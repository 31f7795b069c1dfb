"""Schedules by hand, and replicas that stand still; tests/oracle compares the steps with torch.optim."""

import pytest
import torch

from seqlab.fleet.optimisers import Optimiser, clip_gradients, gradient_norms, plateau_factor, schedule_factor
from seqlab.fleet.stack import Parameters

torch.set_num_threads(1)


def made_up(replicas: int, seed: int) -> Parameters:
    random = torch.Generator().manual_seed(seed)
    shapes = {"W": (replicas, 2, 3), "b": (replicas, 1, 3)}
    return {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("kind", "share", "expected"),
    [
        ("constant", 0.0, 1.0),
        ("constant", 1.0, 1.0),
        ("plateau", 0.7, 1.0),
        ("cosine", 0.0, 1.0),
        ("cosine", 1 / 3, 0.75),
        ("cosine", 0.5, 0.5),
        ("cosine", 1.0, 0.0),
    ],
)
def test_schedules_by_hand(kind, share, expected):
    assert schedule_factor(kind, share, warmup=0.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["constant", "cosine", "plateau"])
def test_warmup_rises_linearly(kind):
    found = [schedule_factor(kind, share, 0.2) for share in (0.0, 0.05, 0.1, 0.15)]
    assert found == pytest.approx([0, 0.25, 0.5, 0.75])


def test_cosine_starts_full_where_the_warmup_ends():
    found = [schedule_factor("cosine", share, 0.2) for share in (0.2, 0.6, 1.0)]
    assert found == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([], 1.0),
        ([3, 2, 1], 1.0),
        ([2, 3], 1.0),  # one epoch without a better loss
        ([2, 3, 3], 0.5),  # two
        ([2, 3, 3, 3], 0.5),  # one since the last cut
        ([2, 3, 3, 3, 3], 0.25),
        ([2, 3, 1, 2], 1.0),  # a better loss starts the count again
        ([2, 2, 2], 0.5),  # the same loss is not better
    ],
)
def test_plateau_by_hand(losses, expected):
    assert plateau_factor(losses, patience=2, factor=0.5) == expected


def test_gradient_norms_by_hand():
    gradients = {"W": torch.tensor([[[3.0, 0.0]], [[1.0, 2.0]]]), "b": torch.tensor([[[4.0]], [[2.0]]])}
    assert gradient_norms(gradients).tolist() == [5.0, 3.0]


def test_clipping_shortens_the_long_ones_only():
    gradients = {"W": torch.tensor([[[3.0, 0.0]], [[1.0, 2.0]]]), "b": torch.tensor([[[4.0]], [[2.0]]])}
    assert clip_gradients(gradients, 4.0).tolist() == [5.0, 3.0]
    assert gradient_norms(gradients).tolist() == pytest.approx([4.0, 3.0], rel=1e-5)
    assert (gradients["W"][0] / gradients["b"][0]).flatten().tolist() == pytest.approx([0.75, 0.0])


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_a_replica_that_stands_still_goes_on_as_if_no_step_had_been(kind):
    waiting, alone = made_up(2, 1), {name: value[1:].clone() for name, value in made_up(2, 1).items()}
    optimiser, expected = Optimiser(kind, waiting, 0.1), Optimiser(kind, alone, 0.1)
    rates = torch.tensor([0.1, 0.1])
    for step in range(3):
        optimiser.update(waiting, made_up(2, 10 + step), rates, torch.tensor([True, False]))
    for name, value in alone.items():
        assert torch.equal(waiting[name][1:], value)
        assert not torch.equal(waiting[name][:1], made_up(2, 1)[name][:1])
    for step in range(3):
        gradients = made_up(2, 20 + step)
        optimiser.update(waiting, gradients, rates, torch.tensor([False, True]))
        one = {name: value[1:] for name, value in gradients.items()}
        expected.update(alone, one, rates[1:], torch.tensor([True]))
    for name, value in alone.items():
        torch.testing.assert_close(waiting[name][1:], value, rtol=1e-6, atol=1e-7)
