"""Several steps ahead: what is known for simple models, and independence from what must not matter."""

import numpy as np
import pytest

from seqlab.series import rollout
from seqlab.series.autoregression import Autoregression, sufficient_order, try_orders
from seqlab.series.persistence import persistence, seasonal_persistence
from seqlab.series.rollout import draw_trajectories, roll_out

HALVING = Autoregression(0.0, [0.5], 1.0)


def process(coefficients: list[float], length: int, seed: int = 1) -> np.ndarray:
    """An autoregressive process with Gaussian noise of deviation 1."""
    values, noise = [0.0] * len(coefficients), np.random.default_rng(seed).standard_normal(length)
    for shock in noise:
        values.append(float(np.dot(coefficients, values[: -len(coefficients) - 1 : -1]) + shock))
    return np.array(values[len(coefficients) :])


def test_a_first_order_roll_out_shrinks_by_its_coefficient() -> None:
    made = roll_out(HALVING, np.array([9.0, 8.0]), np.array([0, 1]), 3)
    np.testing.assert_allclose(made[0], [[4.5, 2.25, 1.125], [4.0, 2.0, 1.0]])


def test_far_ahead_an_autoregression_collapses_to_the_mean_of_the_process() -> None:
    model = Autoregression(1.0, [0.6, 0.2], 1.0)
    made = roll_out(model, np.array([30.0, -20.0, 7.0]), np.array([1, 2]), 300)
    np.testing.assert_allclose(made[0, :, -1], 1.0 / (1 - 0.6 - 0.2))


def test_one_step_ahead_trajectories_are_the_model_itself() -> None:
    sums, means, deviations = draw_trajectories(HALVING, np.array([4.0]), np.array([0]), [1], 3)
    assert (sums == 0).all()
    assert (means == 2.0).all()
    assert (deviations == 1.0).all()


def test_trajectories_do_not_depend_on_the_other_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    values = process([0.5], 40)
    whole = draw_trajectories(HALVING, values, np.arange(10, 30), [1, 4], 5)
    monkeypatch.setattr(rollout, "ORIGINS_AT_ONCE", 3)
    for one, other in zip(whole, draw_trajectories(HALVING, values, np.arange(15, 30), [1, 4], 5), strict=True):
        np.testing.assert_array_equal(one[:, 5:], other)


def test_sums_are_those_of_the_values_drawn() -> None:
    """With no noise a trajectory is the roll-out."""
    model = Autoregression(0.0, [0.5], 0.0)
    sums, means, _ = draw_trajectories(model, np.array([8.0]), np.array([0]), [1, 3], 2)
    assert sums[0, 0].tolist() == [[0.0, 0.0], [6.0, 6.0]]
    assert means[0, 0].tolist() == [[4.0, 4.0], [1.0, 1.0]]


def test_persistence_repeats_the_last_value() -> None:
    made = persistence(np.array([1.0, 5.0, 2.0]), np.array([0, 2]), 2)
    assert made.tolist() == [[[1.0, 1.0], [2.0, 2.0]]]


def test_seasonal_persistence_repeats_the_last_period() -> None:
    made = seasonal_persistence(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([4]), 7, 3)
    assert made.tolist() == [[[3.0, 4.0, 5.0, 3.0, 4.0, 5.0, 3.0]]]


def test_the_orders_of_a_second_order_process_are_found() -> None:
    values = process([0.5, 0.4], 4000)
    table = try_orders(values, (0, 3000), (3000, 4000), 8)
    assert sufficient_order(table) == 2
    outside = table["partial_autocorrelation"].abs() > table["band"]
    assert outside.tolist()[:2] == [True, True]
    assert outside.sum() <= 3
    np.testing.assert_allclose(Autoregression.fit(values, 2).coefficients, [0.5, 0.4], atol=0.05)


def test_forecasts_do_not_look_ahead() -> None:
    values = process([0.5], 40)
    changed = np.concatenate([values[:20], np.full(20, 1e6)])
    model = Autoregression.fit(values, 3)
    np.testing.assert_array_equal(
        roll_out(model, values, np.array([19]), 5), roll_out(model, changed, np.array([19]), 5)
    )
