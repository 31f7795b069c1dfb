"""Estimated times of training: what is measured, what follows from it, and the sentence about it."""

import numpy as np
import pytest
import torch
from made_fleets import settings_of

from seqlab.rnn import cost

TRAIN = np.random.default_rng(1).integers(0, 5, 3_000)
VALID = [TRAIN[:300], TRAIN[300:400]]
CPU = torch.device("cpu")


def run_of(hidden: int, epochs: int = 2, seeds: int = 1, **settings: object) -> dict:
    training = vars(settings_of(epochs=epochs, steps=20, batch_size=4, **settings))
    return {"settings": {"cell": "rnn", "layers": 1, "hidden": hidden} | training, "seeds": list(range(seeds))}


@pytest.mark.parametrize("settings", [{}, {"partition": "random", "batches": 7}, {"random_steps": True}])
def test_the_time_of_a_training_is_that_of_its_epochs(monkeypatch, settings):
    """A clock that goes on by a second with each look: a batch takes one, and so does the validation of a symbol."""
    clock = iter(range(10**6))
    monkeypatch.setattr(cost.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(cost, "MEASURED_SECONDS", 30.0)
    monkeypatch.setattr(cost, "VALID_SYMBOLS", 100)
    seconds = cost.measure_seconds(run_of(4, epochs=3, **settings), TRAIN, VALID, 5, CPU)
    batches = 7 if settings.get("batches") else len(TRAIN) / (4 * 20)
    batches *= 20 / 15 if settings.get("random_steps") else 1  # a batch has 15 steps on average
    validation = 400 / 200
    assert seconds == pytest.approx(3 * (batches + validation), rel=0.1)


def test_networks_beyond_the_measured_ones_follow_from_the_nearest(monkeypatch):
    sizes = []

    def measure(run: dict, *data: object) -> float:
        sizes.append(run["settings"]["hidden"])
        return 10.0

    monkeypatch.setattr(cost, "measure_seconds", measure)
    monkeypatch.setattr(cost, "MOST_MEASURED", 2)
    runs = [run_of(100), run_of(4), run_of(5, epochs=6, seeds=2)]
    seconds = cost.estimate_seconds(runs, TRAIN, VALID, 5, CPU)
    assert sizes == [4, 100]  # the smallest and the largest
    parameters = [5 * hidden + hidden**2 + hidden + hidden * 5 + 5 for hidden in (4, 5)]
    assert seconds == [10.0, 10.0, pytest.approx(10 * 6 * parameters[1] / parameters[0])]


@pytest.mark.parametrize(
    ("seconds", "networks", "jobs", "sentence"),
    [
        ({"a": 59.4}, 1, 2, "the training of a takes about 59 s, or less if it stops early"),
        (
            {"a": 600.0, "b": 60.0},
            2,
            2,
            "the training of 2 networks takes about 10 min, 2 at a time, or less if they "
            "stop early; the longest is a with 10 min",
        ),
        (
            {"a": 600.0, "b": 300.0},
            20,
            2,
            "the training of 20 networks takes about 75 min, 2 at a time, or less if "
            "they stop early; the longest is a with 10 min",
        ),
        (
            {"a": 36000.0, "b": 36000.0},
            2,
            1,
            "the training of 2 networks takes about 20.0 h, 1 at a time, or less if "
            "they stop early; the longest is a with 10.0 h",
        ),
    ],
)
def test_times_in_words(seconds, networks, jobs, sentence):
    assert cost.describe_times(seconds, networks, jobs) == sentence
