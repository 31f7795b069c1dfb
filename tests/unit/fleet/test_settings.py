"""Settings of a training: every bad value is refused with its key, the value and what is allowed."""

import math

import pytest
import torch

from seqlab.io.errors import InputError
from seqlab.rnn.settings import TrainingSettings, rounding

ABOVE_ZERO = "a number above 0"
AT_LEAST_ZERO = "a number of at least 0"
SHARE = "a share of at least 0 and below 1"
FACTOR = "a share above 0 and at most 1"

BAD = [
    ("epochs", 0, ABOVE_ZERO),
    ("steps", -1, ABOVE_ZERO),
    ("batch_size", 0, ABOVE_ZERO),
    ("learning_rate", 0.0, ABOVE_ZERO),
    ("learning_rate", math.nan, ABOVE_ZERO),
    ("clip", -0.5, ABOVE_ZERO),
    ("plateau_patience", 0, ABOVE_ZERO),
    ("schedule_every", 0, ABOVE_ZERO),
    ("weight_decay", -0.1, AT_LEAST_ZERO),
    ("early_stopping", -1, AT_LEAST_ZERO),
    ("dropout", 1.0, SHARE),
    ("dropout", -0.1, SHARE),
    ("warmup", 1, SHARE),
    ("warmup", -0.2, SHARE),
    ("schedule_factor", 0, FACTOR),
    ("schedule_factor", 1.5, FACTOR),
    ("partition", "shuffled", "one of sequential, random"),
    ("activation_regularisation", -1.0, AT_LEAST_ZERO),
    ("temporal_regularisation", -1.0, AT_LEAST_ZERO),
    ("label_smoothing", 1.0, SHARE),
    ("halving", -1, AT_LEAST_ZERO),
    ("averaging", 1.0, SHARE),
    ("optimiser", "lion", "one of sgd, adam, adamw"),
    ("precision", "float16", "one of float32, tf32, bfloat16"),
    ("schedule", "linear", "one of constant, cosine, step, plateau"),
]


@pytest.mark.parametrize(("key", "value", "allowed"), BAD)
def test_a_bad_value_is_refused(key, value, allowed):
    with pytest.raises(InputError) as caught:
        TrainingSettings.from_card({key: value})
    assert str(caught.value) == f"rnn.training.{key} is {value!r}; it must be {allowed}"


@pytest.mark.parametrize(
    ("key", "value"),
    [("dropout", 0.0), ("warmup", 0.0), ("early_stopping", 0), ("weight_decay", 0.0), ("schedule_factor", 1.0)],
)
def test_the_edge_of_what_is_allowed_is_allowed(key, value):
    assert getattr(TrainingSettings.from_card({key: value}), key) == value


@pytest.mark.parametrize(
    ("precision", "cell", "hidden", "rounded"),
    [
        ("bfloat16", "lstm", 127, False),
        ("bfloat16", "lstm", 128, True),
        ("bfloat16", "rnn", 128, False),
        ("bfloat16", "rnn", 192, True),
        ("bfloat16", "gru", 512, True),
        ("float32", "gru", 512, False),
        ("tf32", "gru", 512, False),
    ],
)
def test_products_are_rounded_where_that_is_asked_for_and_pays(precision, cell, hidden, rounded):
    assert rounding(precision, cell, hidden) == (torch.bfloat16 if rounded else None)


def test_random_steps_are_for_streams():
    with pytest.raises(InputError, match=r"random_steps is True; it must be false where rnn"):
        TrainingSettings.from_card({"random_steps": True, "partition": "random"})


def test_an_unknown_key_is_refused():
    with pytest.raises(InputError, match=r"rnn\.training has no key 'epoch'; allowed are epochs, steps, batch_size"):
        TrainingSettings.from_card({"epoch": 3})


def test_a_key_left_out_keeps_its_default():
    assert TrainingSettings.from_card({"epochs": 3}) == TrainingSettings(epochs=3)
