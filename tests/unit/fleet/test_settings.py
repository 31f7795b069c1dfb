"""Settings of a training: those of a card, or of a configuration file."""

import re

import pytest
import torch
from made_fleets import settings_of

from seqlab.fleet import settings
from seqlab.fleet.settings import rounding_type
from seqlab.io.errors import InputError


@pytest.mark.parametrize(
    ("precision", "cell", "hidden", "rounded"),
    [
        ("bfloat16", "lstm", 127, False),
        ("bfloat16", "lstm", 128, True),
        ("bfloat16", "rnn", 128, False),
        ("bfloat16", "rnn", 192, True),
        ("bfloat16", "gru", 512, True),
        ("bfloat16", "mlp", 512, False),
        ("float32", "gru", 512, False),
        ("tf32", "gru", 512, False),
    ],
)
def test_products_are_rounded_where_that_is_asked_for_and_pays(precision, cell, hidden, rounded, monkeypatch):
    monkeypatch.setattr(settings, "is_bfloat16_fast", lambda: True)
    assert rounding_type(precision, cell, hidden) == (torch.bfloat16 if rounded else None)
    monkeypatch.setattr(settings, "is_bfloat16_fast", lambda: False)
    assert rounding_type(precision, cell, hidden) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"random_steps": True, "partition": "random"}, "random_steps is true; it must be false where partition is"),
        ({"batches": 3, "partition": "sequential"}, "batches is 3; it must be 0 where partition is sequential"),
        ({"epoch": 3}, "the card has an unknown setting 'epoch'; delete it and run the workflow again"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        settings_of(**changes)


@pytest.mark.parametrize("section", ["rnn", "forecast"])
def test_the_default_configuration_has_every_setting(section):
    assert settings_of(section, epochs=3).epochs == 3
