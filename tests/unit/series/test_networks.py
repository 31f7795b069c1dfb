"""Networks that forecast: the recurrence is the one of torch.nn, replicas are alone, and they learn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_fleets import InterruptionError, settings_of, stop_after, untimed
from stand_in import pretended_gpu

from seqlab.fleet.cells import CELLS
from seqlab.fleet.checkpoint import load_stack
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.series.forecaster import NetworkForecaster
from seqlab.series.network import ForecastNetwork, gaussian_loss
from seqlab.series.rollout import roll_out
from seqlab.series.series import logistic_map
from seqlab.series.task import ForecastTask

__all__ = ["pretended_gpu"]

SMALL = {"epochs": 3, "batches": 4, "batch_size": 4, "steps": 6}
NETWORKS = [
    ForecastNetwork(cell, layers, 5, window)
    for cell, layers, window in [("mlp", 2, 3), ("rnn", 2, 1), ("gru", 1, 1), ("lstm", 2, 1), ("gru", 1, 3)]
]
NETWORKS += [ForecastNetwork(cell, 1, 5, window, columns=3) for cell, window in [("mlp", 2), ("gru", 1), ("lstm", 1)]]
VALUES = np.random.default_rng(1).standard_normal((60, 3))
TORCH = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
OTHER_CELLS = [ForecastNetwork(cell, 2, 5, 1, columns=2) for cell in CELLS if cell not in TORCH]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they save on networks so small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def fleet_of(network: ForecastNetwork, seeds: list[int], **settings: Any) -> Fleet:
    return Fleet.start(network, settings_of("forecast", **SMALL | settings), seeds, torch.device("cpu"))


def task_of(network: ForecastNetwork, values: np.ndarray = VALUES) -> ForecastTask:
    """The task on the first columns of `values`, as many as the network has; one of three is exogenous."""
    half, columns = len(values) // 2, network.columns
    scored = max(1, columns - 1)
    return ForecastTask.of(network, values[:, :columns], (0, half), (half, len(values)), scored=scored)


def trained(network: ForecastNetwork, seeds: list[int], values: np.ndarray = VALUES, **settings: Any) -> Fleet:
    fleet = fleet_of(network, seeds, **settings)
    train_fleet(fleet, task_of(network, values), report=lambda line: None)
    return fleet


@pytest.mark.parametrize("cell", TORCH)
def test_a_latent_autoregression_is_the_cell_of_torch(cell: str) -> None:
    """h_t from x_{t-1} and h_{t-1}, module Eq. (3), with the weights of a network of torch.nn."""
    network = ForecastNetwork(cell, 1, 4, window=1)
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
    inputs = torch.randn(7, 1, 3, 1, generator=torch.Generator().manual_seed(1)).double()
    ours, _ = network.run_layers(parameters, inputs, network.zero_state(parameters, 3))
    theirs, _ = other(inputs[:, 0])
    torch.testing.assert_close(ours[:, 0], theirs.detach())


def test_a_perceptron_is_that_of_torch() -> None:
    network = ForecastNetwork("mlp", 2, 5, window=3)
    parameters = network.initial_parameters([1])
    rows = torch.randn(4, 1, 6, 3, generator=torch.Generator().manual_seed(1))
    values = rows
    for layer in ("h_1", "h_2", "q"):
        weight, bias = parameters[f"W_x{layer}" if layer != "q" else "W_hq"][0], parameters[f"b_{layer}"][0]
        values = torch.nn.functional.linear(values, weight.T, bias[0])
        values = values if layer == "q" else values.tanh()
    ours, _ = network.forward(parameters, rows, network.zero_state(parameters, 6))
    torch.testing.assert_close(ours, values)


def test_the_loss_is_that_of_a_normal_distribution() -> None:
    mean, logarithm, values = torch.randn(3, 5, generator=torch.Generator().manual_seed(1)).unbind()
    exact = -torch.distributions.Normal(mean, logarithm.exp()).log_prob(values)
    torch.testing.assert_close(gaussian_loss(mean, logarithm, values), exact)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_replica_does_not_depend_on_its_fleet(network: ForecastNetwork) -> None:
    alone, together = trained(network, [2], dropout=0.2), trained(network, [1, 2, 3], dropout=0.2)
    for name, value in alone.best.items():
        torch.testing.assert_close(together.best[name][1:2], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_an_interrupted_training_ends_with_the_same_bits(network: ForecastNetwork, tmp_path: Path) -> None:
    options = {"dropout": 0.2, "optimiser": "adamw", "weight_decay": 0.1}
    whole, checkpoint = trained(network, [1, 2], **options), (tmp_path / "unfinished.safetensors", "this run")
    with pytest.raises(InterruptionError):
        train_fleet(fleet_of(network, [1, 2], **options), task_of(network), stop_after(1), checkpoint)
    resumed = fleet_of(network, [1, 2], **options)
    train_fleet(resumed, task_of(network), lambda line: None, checkpoint)
    assert all(torch.equal(whole.best[name], resumed.best[name]) for name in whole.best)
    assert untimed(whole.history) == untimed(resumed.history)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_recorded_training_is_the_plain_one(network: ForecastNetwork, request: pytest.FixtureRequest) -> None:
    plain, lines = trained(network, [1, 2], dropout=0.2), list[str]()
    request.getfixturevalue("pretended_gpu")
    recorded = fleet_of(network, [1, 2], dropout=0.2)
    train_fleet(recorded, task_of(network), report=lines.append)
    assert [line for line in lines if "failed" in line] == []
    for name, value in plain.best.items():
        torch.testing.assert_close(recorded.best[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_forecasts_do_not_look_ahead_and_come_back_from_disk(network: ForecastNetwork, tmp_path: Path) -> None:
    trained(network, [1, 2]).write_results(tmp_path)
    model = NetworkForecaster.load(tmp_path)
    values = VALUES[:, : network.columns]
    changed = np.concatenate([values[:40], np.full((20, network.columns), 1e6)])
    origins = np.array([30, 39])
    np.testing.assert_array_equal(roll_out(model, values, origins, 4), roll_out(model, changed, origins, 4))
    assert roll_out(model, values, origins, 4).shape == (2, 2, 4, network.columns)


@pytest.mark.parametrize("network", NETWORKS + OTHER_CELLS, ids=str)
def test_advancing_by_what_happened_is_starting_later(network: ForecastNetwork) -> None:
    model = NetworkForecaster(network, network.initial_parameters([1, 2]), [1, 2])
    values = VALUES[:, : network.columns]
    state = model.start(values, np.array([20]))
    moved = model.advance(state, np.broadcast_to(values[21], (2, 1, network.columns)))
    for figure, other in zip(model.predict(moved), model.predict(model.start(values, np.array([21]))), strict=True):
        np.testing.assert_allclose(figure, other, rtol=1e-10)


@pytest.mark.parametrize("network", NETWORKS + OTHER_CELLS, ids=str)
def test_rows_of_a_state_are_alone(network: ForecastNetwork) -> None:
    model = NetworkForecaster(network, network.initial_parameters([1, 2]), [1, 2])
    origins, values, columns = np.array([10, 11, 30]), VALUES[:, : network.columns], network.columns
    repeated = model.repeat(model.start(values, origins), 2)
    together = model.predict(model.advance(repeated, np.full((2, 6, columns), 0.5)))[0]
    alone = [
        model.predict(model.advance(model.start(values, origins[[k]]), np.full((2, 1, columns), 0.5)))[0]
        for k in range(3)
    ]
    np.testing.assert_allclose(together, np.repeat(np.concatenate(alone, axis=1), 2, axis=1), rtol=1e-10)


def test_a_perceptron_learns_a_chaotic_map_that_no_line_fits() -> None:
    values = logistic_map(400, 0.3, 0.0, 1).values * 2 - 1
    options = {"epochs": 15, "batches": 20, "batch_size": 8, "steps": 16, "learning_rate": 0.02, "early_stopping": 0}
    fleet = trained(ForecastNetwork("mlp", 1, 16, window=1), [1], values, **options)
    model = NetworkForecaster(fleet.network, fleet.best, [1])
    errors = roll_out(model, values, np.arange(200, 399), 1)[0, :, 0] - values[201:]
    assert errors.std() < 0.2 * values.std()


@pytest.mark.parametrize("cell", TORCH)
def test_the_cost_of_a_vector_is_the_mean_over_its_columns(cell: str) -> None:
    """A network with d inputs and d Gaussians, computed by torch.nn and torch.distributions."""
    network = ForecastNetwork(cell, 1, 4, window=1, columns=3)
    task, parameters = task_of(network), network.initial_parameters([1])
    other = TORCH[cell](3, 4)
    weights = dict(other.named_parameters())
    with torch.no_grad():
        for name, value in (("weight_ih_l0", "W_xh_1"), ("weight_hh_l0", "W_hh_1"), ("bias_ih_l0", "b_h_1")):
            weights[name].copy_(parameters[value][0].T if value[0] == "W" else parameters[value][0, 0])
        weights["bias_hh_l0"].zero_()
        values = torch.as_tensor(VALUES, dtype=torch.float32)
        hidden, _ = other(values[:9])
        outputs = hidden @ parameters["W_hq"][0] + parameters["b_q"][0]
        exact = -torch.distributions.Normal(outputs[:, :3], outputs[:, 3:].exp()).log_prob(values[1:10])
        costs, _ = task.costs(parameters, torch.arange(9)[None, None], network.zero_state(parameters, 1))
    torch.testing.assert_close(costs[:, 0, 0], exact.mean(1))


def test_exogenous_columns_do_not_count_in_validation() -> None:
    network = ForecastNetwork("mlp", 1, 5, window=1, columns=3)
    parameters = network.initial_parameters([1])
    changed = VALUES.copy()
    changed[1:, 2] = 7.0  # targets of the last column in valid, and inputs that the zeroed weights ignore
    parameters["W_xh_1"][:, 2] = 0.0
    losses = [task_of(network, values).valid_loss(parameters) for values in (VALUES, changed)]
    np.testing.assert_array_equal(*losses)
    half = len(VALUES) // 2
    loss = ForecastTask.of(network, VALUES, (0, half), (half, 60), scored=3).valid_loss(parameters)
    assert loss != losses[0]


def test_the_files_of_a_network_name_its_columns_where_there_are_several(tmp_path: Path) -> None:
    for network in (NETWORKS[2], NETWORKS[-1]):
        trained(network, [1]).write_results(tmp_path)
        assert ("columns" in read_json(tmp_path / "network.json")) == (network.columns > 1)
        assert load_stack(tmp_path, ForecastNetwork)[0] == network


def test_the_best_weights_are_those_of_the_lowest_validation_loss() -> None:
    network = ForecastNetwork("gru", 1, 5, window=1)
    fleet = trained(network, [1, 2], epochs=12, batches=10, learning_rate=0.1, early_stopping=2)
    lowest = [min(fleet.losses(replica)) for replica in (0, 1)]
    assert task_of(network).valid_loss(fleet.best).tolist() == pytest.approx(lowest, rel=1e-5)
    assert len(fleet.losses(0)) < 12  # it stopped early


def test_a_seed_whose_loss_is_not_finite_stops_alone() -> None:
    fleet = fleet_of(ForecastNetwork("mlp", 1, 5, window=3), [1, 2])
    fleet.parameters["b_q"][0] = torch.nan
    train_fleet(fleet, task_of(fleet.network), report=lambda line: None)
    assert list(fleet.diverged) == [0]
    assert {row["seed"] for row in fleet.history} == {2}


def test_a_train_split_shorter_than_a_subsequence_is_refused() -> None:
    with pytest.raises(InputError, match=r"there are 30 values to train on, fewer than one subsequence of 40"):
        trained(ForecastNetwork("rnn", 1, 5, window=1), [1], steps=40)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    trained(ForecastNetwork("mlp", 1, 5, window=3), [1]).write_results(tmp_path)
    content = read_json(tmp_path / "network.json")
    write_json(tmp_path / "network.json", content | {"window": 4})
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged \(or it does not fit network\.json"):
        load_stack(tmp_path, ForecastNetwork)
