"""Parity, which a state must track: learnt where the state is in the gate or may change its sign, else not.

The words are `a`, which changes nothing, `b`, which flips the parity, and `?`, which the parity follows; so an answer
costs one bit without a state that tracks, or less after a short gap.
"""

import numpy as np
import pytest
import torch
from made_fleets import settings_of

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask

torch.set_num_threads(1)

QUESTION, QUESTIONS = 2, 0.3  # the symbol, and its share
ANSWERS = 3, 4


def draw_words(symbols: int, seed: int) -> np.ndarray:
    random, words, parity = np.random.default_rng(seed), list[int](), 0
    while len(words) < symbols:
        if random.random() < QUESTIONS:
            words += [QUESTION, ANSWERS[parity]]
        else:
            words.append(int(random.integers(2)))
            parity ^= words[-1]
    return np.array(words[:symbols])


@pytest.mark.parametrize(
    ("cell", "beta_max", "low", "high"),
    [
        ("lstm", None, 0, 0.25),
        ("slstm", None, 0, 0.25),
        ("mogrifier", None, 0, 0.25),
        ("deltanet", 2.0, 0, 0.25),
        ("deltanet", 1.0, 0.4, 1),
        ("mingru", None, 0.4, 1),
        ("minlstm", None, 0.4, 1),
    ],
)
def test_bits_of_an_answer(cell, beta_max, low, high):
    train, valid = draw_words(20_000, 1), draw_words(3_000, 2)
    settings = settings_of(epochs=6, steps=20, batch_size=16, learning_rate=0.01, early_stopping=0)
    fleet = Fleet.start(Architecture(cell, 1, 16, 5, beta_max=beta_max), settings, [1, 2], torch.device("cpu"))
    train_fleet(fleet, LanguageTask.of(fleet.network, train, [valid]), report=lambda line: None)
    bits = stream_bits(fleet.network, fleet.best, [valid])[:, valid[:-1] == QUESTION].mean(1)
    assert ((low <= bits) & (bits <= high)).all(), bits
