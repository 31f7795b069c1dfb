"""Module section 5.4: cross-entropy and perplexity, by the functions that score and train networks."""

import math

import numpy as np
import pytest
import torch
from made_fleets import settings_of
from worked_examples import NOT_PRINTED, agrees

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.ledger.perplexity import perplexity
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask

P = [0.10, 0.05, 0.70, 0.10, 0.05]  # Eq. (19)
Y = 3  # counted from 1, as in the module
NETWORK = Architecture("rnn", layers=1, hidden=2, vocabulary=len(P))


def predict(parameters: dict[str, torch.Tensor]) -> None:
    """Make the network predict P whatever its input."""
    parameters["W_hq"].zero_()
    parameters["b_q"].copy_(torch.tensor(P).log())


def bits(*targets: int) -> np.ndarray:
    """Bits of `targets`, indices counted from 0, after a symbol of context."""
    parameters = NETWORK.initial_parameters([1])
    predict(parameters)
    return stream_bits(NETWORK, parameters, [np.array([0, *targets])])[0]


def test_cross_entropy_of_the_worked_example():
    assert agrees(bits(Y - 1) * math.log(2), "0.357").all()


def test_perplexity_of_the_worked_example():
    assert agrees(perplexity(bits(Y - 1)), "1.43").all()


def test_erratum_equation_20_is_minus_log_p_of_y():
    """To the letter, -y_t log p_t with y_t = 3 would be three times the loss."""
    assert agrees(-Y * math.log(P[Y - 1]), NOT_PRINTED["Eq. (20) to the letter"]).all()
    assert not agrees(bits(Y - 1) * math.log(2), NOT_PRINTED["Eq. (20) to the letter"]).any()


def test_erratum_equation_20_counts_from_1():
    """With indices from 0, as in the library, y_t = 3 would be the symbol of probability 0.10."""
    assert agrees(bits(Y) * math.log(2), NOT_PRINTED["Eq. (20) counted from 0"]).all()


def test_loss_of_a_sequence_is_the_mean_over_time():
    """Eq. (21) and (22)."""
    losses = [-math.log(P[target]) for target in (2, 0, 1)]
    assert perplexity(bits(2, 0, 1)) == pytest.approx(math.exp(sum(losses) / 3), rel=1e-6)


@pytest.mark.parametrize("partition", ["sequential", "random"])
def test_training_reports_the_mean_cross_entropy(partition):
    settings = settings_of(epochs=1, steps=4, batch_size=2, partition=partition, learning_rate=1e-12)
    fleet = Fleet.start(NETWORK, settings, [1], torch.device("cpu"))
    predict(fleet.parameters)
    task = LanguageTask.of(NETWORK, np.full(30, Y - 1), [np.array([0, Y])])
    train_fleet(fleet, task, report=lambda line: None)
    assert fleet.history[0]["train_loss"] == pytest.approx(-math.log(0.70), rel=1e-5)
