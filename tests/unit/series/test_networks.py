"""Networks that forecast: the recurrence is the one of torch.nn, replicas are alone, and they learn."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seqlab.forecast.forecasters import LatentForecaster, PerceptronForecaster, load_forecaster
from seqlab.forecast.networks import Latent, Network, Perceptron, gaussian_loss, initial_parameters, load_network
from seqlab.forecast.rollout import roll_out
from seqlab.forecast.series import logistic_map
from seqlab.forecast.settings import TrainingSettings
from seqlab.forecast.training import Fleet, train_fleet
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json

SMALL = TrainingSettings(epochs=3, batches=4, batch_size=4, steps=6)
NETWORKS = [Perceptron(3, 2, 5), Latent("rnn", 2, 5), Latent("gru", 1, 5), Latent("lstm", 2, 5)]
VALUES = np.random.default_rng(1).standard_normal(60)
TORCH = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they save on networks so small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trained(
    network: Network, seeds: list[int], settings: TrainingSettings = SMALL, values: np.ndarray = VALUES
) -> Fleet:
    fleet = Fleet.start(network, settings, seeds)
    length = len(values)
    train_fleet(fleet, values, (0, length // 2), (length // 2, length), report=lambda line: None)
    return fleet


@pytest.mark.parametrize("cell", TORCH)
def test_a_latent_autoregression_is_the_cell_of_torch(cell: str) -> None:
    """h_t from x_{t-1} and h_{t-1}, module Eq. (3), with the weights of a network of torch.nn."""
    network = Latent(cell, 1, 4)
    other = TORCH[cell](1, 4).double()
    weights = {name: value.detach().clone() for name, value in other.named_parameters()}
    with torch.no_grad():
        other.bias_hh_l0.zero_()
    parameters = {
        "W_xh_1": weights["weight_ih_l0"].T[None],
        "W_hh_1": weights["weight_hh_l0"].T[None],
        "b_h_1": weights["bias_ih_l0"][None, None],
        "W_hq": torch.ones(1, 4, 2).double(),
        "b_q": torch.zeros(1, 1, 2).double(),
    }
    inputs = torch.randn(7, 1, 3, generator=torch.Generator().manual_seed(1)).double()
    ours, _ = network.forward(parameters, inputs, network.zero_state(parameters, 3))
    theirs, _ = other(inputs.permute(0, 2, 1))
    torch.testing.assert_close(ours[:, 0], theirs.detach())


def test_the_loss_is_that_of_a_normal_distribution() -> None:
    mean, logarithm, values = torch.randn(3, 5, generator=torch.Generator().manual_seed(1)).unbind()
    exact = -torch.distributions.Normal(mean, logarithm.exp()).log_prob(values)
    torch.testing.assert_close(gaussian_loss(mean, logarithm, values), exact)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_replica_does_not_depend_on_its_fleet(network: Network) -> None:
    alone, together = trained(network, [2]), trained(network, [1, 2, 3])
    for name, value in alone.best.items():
        torch.testing.assert_close(together.best[name][1:2], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_training_repeats_to_the_bit(network: Network) -> None:
    first, second = trained(network, [1, 2]), trained(network, [1, 2])
    assert all(torch.equal(first.best[name], second.best[name]) for name in first.best)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_forecasts_do_not_look_ahead_and_come_back_from_disk(network: Network, tmp_path: Path) -> None:
    trained(network, [1, 2]).write_results(tmp_path, 1.0)
    model = load_forecaster(tmp_path)
    changed = np.concatenate([VALUES[:40], np.full(20, 1e6)])
    origins = np.array([30, 39])
    np.testing.assert_array_equal(roll_out(model, VALUES, origins, 4), roll_out(model, changed, origins, 4))
    assert roll_out(model, VALUES, origins, 4).shape == (2, 2, 4)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_advancing_by_what_happened_is_starting_later(network: Network) -> None:
    parameters = {name: value.double() for name, value in initial_parameters(network, [1, 2]).items()}
    kind = LatentForecaster if isinstance(network, Latent) else PerceptronForecaster
    model = kind(network, parameters, [1, 2])
    state = model.start(VALUES, np.array([20]))
    moved = model.advance(state, np.full((2, 1), VALUES[21]))
    for one, other in zip(model.predict(moved), model.predict(model.start(VALUES, np.array([21]))), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_a_perceptron_learns_a_chaotic_map_that_no_line_fits() -> None:
    values = logistic_map(400, 0.3, 0.0, 1).values * 2 - 1
    settings = TrainingSettings(epochs=15, batches=20, batch_size=8, steps=16, learning_rate=0.02, early_stopping=0)
    fleet = trained(Perceptron(1, 1, 16), [1], settings, values)
    model = PerceptronForecaster(fleet.network, {n: v.double() for n, v in fleet.best.items()}, [1])
    errors = roll_out(model, values, np.arange(200, 399), 1)[0, :, 0] - values[201:]
    assert errors.std() < 0.2 * values.std()


def test_the_best_weights_are_those_of_the_lowest_validation_loss() -> None:
    fleet = trained(Latent("gru", 1, 5), [1, 2], TrainingSettings(epochs=12, batches=10, batch_size=4, steps=6,
                    learning_rate=0.1, early_stopping=2))  # fmt: skip
    from seqlab.forecast.training import valid_loss

    found = valid_loss(fleet.network, fleet.best, torch.as_tensor(VALUES).float(), (0, 30), (30, 60))
    assert found.tolist() == pytest.approx([min(fleet.losses_of(seed)) for seed in (1, 2)], rel=1e-5)
    assert len(fleet.losses_of(1)) < 12  # it stopped early


def test_a_seed_whose_loss_is_not_finite_stops_alone() -> None:
    fleet = Fleet.start(Perceptron(3, 1, 5), SMALL, [1, 2])
    fleet.parameters["b_q"][0] = torch.nan
    train_fleet(fleet, VALUES, (0, 30), (30, 60), report=lambda line: None)
    assert list(fleet.diverged) == [1]
    assert fleet.notes[0].startswith("seed 1: the loss was not finite in epoch 1")
    assert {row["seed"] for row in fleet.history} == {2}


def test_a_fleet_without_any_finite_loss_is_refused() -> None:
    with pytest.raises(InputError, match=r"lower forecast\.training\.learning_rate"):
        trained(Perceptron(3, 1, 5), [1], values=np.full(60, np.nan))


def test_a_train_split_shorter_than_a_subsequence_is_refused() -> None:
    with pytest.raises(InputError, match="has 30 values to learn from, fewer than one subsequence of 40"):
        trained(Latent("rnn", 1, 5), [1], TrainingSettings(steps=40))


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    trained(Perceptron(3, 1, 5), [1]).write_results(tmp_path, 1.0)
    content = read_json(tmp_path / "network.json")
    write_json(tmp_path / "network.json", content | {"window": 4})
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged \(or it does not fit network\.json"):
        load_network(tmp_path)
