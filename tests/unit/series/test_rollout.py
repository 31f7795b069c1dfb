"""Several steps ahead: what is known for simple models, and independence from what must not matter."""

from pathlib import Path

import numpy as np
import pytest
from made_forecasts import scalar_autoregression

from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.series import rollout
from seqlab.series.autoregression import Autoregression, sufficient_order, try_orders
from seqlab.series.persistence import persistence, seasonal_persistence
from seqlab.series.rollout import draw_trajectories, roll_out

HALVING = scalar_autoregression(0.0, [0.5], 1.0)


def process(coefficients: list[float], length: int, seed: int = 1) -> np.ndarray:
    """An autoregressive process with Gaussian noise of deviation 1."""
    values, noise = [0.0] * len(coefficients), np.random.default_rng(seed).standard_normal(length)
    for shock in noise:
        values.append(float(np.dot(coefficients, values[: -len(coefficients) - 1 : -1]) + shock))
    return np.array(values[len(coefficients) :])[:, None]


def test_a_first_order_roll_out_shrinks_by_its_coefficient() -> None:
    made = roll_out(HALVING, np.array([[9.0], [8.0]]), np.array([0, 1]), 3)
    np.testing.assert_allclose(made[0, :, :, 0], [[4.5, 2.25, 1.125], [4.0, 2.0, 1.0]])


def test_far_ahead_an_autoregression_collapses_to_the_mean_of_the_process() -> None:
    model = scalar_autoregression(1.0, [0.6, 0.2], 1.0)
    made = roll_out(model, np.array([[30.0], [-20.0], [7.0]]), np.array([1, 2]), 300)
    np.testing.assert_allclose(made[0, :, -1], 1.0 / (1 - 0.6 - 0.2))


def test_one_step_ahead_trajectories_are_the_model_itself() -> None:
    sums, means, deviations = draw_trajectories(HALVING, np.array([[4.0]]), np.array([0]), [1], 3)
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
    model = scalar_autoregression(0.0, [0.5], 0.0)
    sums, means, _ = draw_trajectories(model, np.array([[8.0]]), np.array([0]), [1, 3], 2)
    assert sums[0, 0, ..., 0].tolist() == [[0.0, 0.0], [6.0, 6.0]]
    assert means[0, 0, ..., 0].tolist() == [[4.0, 4.0], [1.0, 1.0]]


def test_persistence_repeats_the_last_value() -> None:
    made = persistence(np.array([[1.0], [5.0], [2.0]]), np.array([0, 2]), 2)
    assert made[..., 0].tolist() == [[[1.0, 1.0], [2.0, 2.0]]]


def test_seasonal_persistence_repeats_the_last_period() -> None:
    made = seasonal_persistence(np.arange(1.0, 6.0)[:, None], np.array([4]), 7, 3)
    assert made[..., 0].tolist() == [[[3.0, 4.0, 5.0, 3.0, 4.0, 5.0, 3.0]]]


def test_the_orders_of_a_second_order_process_are_found() -> None:
    values = process([0.5, 0.4], 4000)
    table = try_orders(values, (0, 3000), (3000, 4000), 8)
    assert sufficient_order(table) == 2
    outside = table["partial_autocorrelation"].abs() > table["band"]
    assert outside.tolist()[:2] == [True, True]
    assert outside.sum() <= 3
    np.testing.assert_allclose(Autoregression.fit(values, 2).coefficients.ravel(), [0.5, 0.4], atol=0.05)


def test_forecasts_do_not_look_ahead() -> None:
    values = process([0.5], 40)
    changed = np.concatenate([values[:20], np.full((20, 1), 1e6)])
    model = Autoregression.fit(values, 3)
    np.testing.assert_array_equal(
        roll_out(model, values, np.array([19]), 5), roll_out(model, changed, np.array([19]), 5)
    )


FEEDING = np.array([[[0.5, 0.4], [0.0, 0.8]]])  # the second column feeds the first
VECTOR = Autoregression(np.zeros(2), FEEDING, np.array([1.0, 2.0]), np.array([[1.0, 0.6], [0.6, 1.0]]))


def test_a_roll_out_of_vectors_multiplies_by_the_matrix() -> None:
    made = roll_out(VECTOR, np.array([[4.0, 10.0]]), np.array([0]), 2)
    np.testing.assert_allclose(made[0, 0], [[6.0, 8.0], [6.2, 6.4]])


def test_draws_of_vectors_have_the_correlation_of_the_errors() -> None:
    """The sums of one value drawn are the errors themselves, around a roll-out from zero."""
    sums, _, _ = draw_trajectories(VECTOR, np.zeros((1, 2)), np.array([0]), [2], 100_000)
    np.testing.assert_allclose(np.cov(sums[0, 0, 0].T), [[1.0, 1.2], [1.2, 4.0]], rtol=0.03)


def test_columns_whose_errors_are_equal_are_drawn_equal() -> None:
    """Their correlation has no inverse."""
    equal = Autoregression(np.zeros(2), FEEDING, np.ones(2), np.ones((2, 2)))
    noise = equal.correlate(np.random.default_rng(1).standard_normal((1, 50, 2)))
    np.testing.assert_allclose(noise[..., 0], noise[..., 1], atol=1e-12)


def test_a_vector_autoregression_comes_back_from_disk(tmp_path: Path) -> None:
    VECTOR.save(tmp_path / "model.json")
    same = Autoregression.load(tmp_path / "model.json")
    for name in ("intercept", "coefficients", "deviation", "correlation"):
        np.testing.assert_array_equal(getattr(same, name), getattr(VECTOR, name))
    assert (same.order, same.parameters) == (1, 2 + 4 + 3)


@pytest.mark.parametrize("change", [{"intercept": [0.0]}, {"coefficients": [1.0, 2.0, 3.0]}, {"deviation": "much"}])
def test_a_damaged_autoregression_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    VECTOR.save(tmp_path / "model.json")
    write_json(tmp_path / "model.json", read_json(tmp_path / "model.json") | change)
    with pytest.raises(InputError, match=r"model\.json is damaged"):
        Autoregression.load(tmp_path / "model.json")


def test_orders_are_chosen_by_the_columns_to_forecast() -> None:
    """The first column remembers one value, the second, which nobody scores, seven."""
    shocks = np.random.default_rng(1).standard_normal((3000, 2))
    values = shocks.copy()
    for time in range(7, 3000):
        values[time] += [0.5 * values[time - 1, 0], 0.9 * values[time - 7, 1]]
    orders = [
        sufficient_order(try_orders(values[:, places], (0, 2000), (2000, 3000), 8)) for places in ([0, 1], [1, 0])
    ]
    assert orders == [1, 7]


def test_the_vector_correlation_leaves_its_band_up_to_the_order() -> None:
    shocks = np.random.default_rng(1).standard_normal((2000, 2))
    values = shocks.copy()
    for time in range(2, 2000):
        values[time] += 0.3 * values[time - 1] + 0.3 * values[time - 2, ::-1]
    table = try_orders(values, (0, 1500), (1500, 2000), 8, scored=2)
    outside = table["partial_autocorrelation"] > table["band"]
    assert outside.tolist()[:2] == [True, True]
    assert outside.sum() <= 3


def test_persistence_of_vectors_is_that_of_each_column() -> None:
    values, origins = np.random.default_rng(1).standard_normal((20, 2)), np.array([8, 12])
    for place in (0, 1):
        alone = values[:, [place]]
        np.testing.assert_array_equal(persistence(values, origins, 3)[..., [place]], persistence(alone, origins, 3))
        np.testing.assert_array_equal(
            seasonal_persistence(values, origins, 6, 4)[..., [place]], seasonal_persistence(alone, origins, 6, 4)
        )


class Holding(Autoregression):
    """The same model with its last column held at the value of the origin."""

    def advance(self, state, values):
        values = values.copy()
        values[..., -1] = state[..., 0, -1]
        return super().advance(state, values)


def test_forecasting_an_exogenous_column_is_better_than_holding_it() -> None:
    shocks = np.random.default_rng(1).standard_normal((1000, 2))
    values = shocks.copy()
    for time in range(1, 1000):
        values[time] += FEEDING[0] @ values[time - 1]
    model = Autoregression.fit(values[:500], 1)
    held = Holding(model.intercept, model.coefficients, model.deviation, model.correlation)
    origins = np.arange(499, 990)
    ahead = [roll_out(way, values, origins, 8)[0, :, 7, 0] for way in (model, held)]
    forecast, holding = (np.sqrt(((made - values[origins + 8, 0]) ** 2).mean()) for made in ahead)
    assert forecast < 0.9 * holding
