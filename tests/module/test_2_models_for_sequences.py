"""Module section 2: autoregression, latent autoregression, the Markov condition, k steps ahead."""

from itertools import pairwise

import numpy as np
import torch
from made_forecasts import scalar_autoregression
from scipy.stats import multivariate_normal, norm

from seqlab.series.autoregression import Autoregression
from seqlab.series.network import ForecastNetwork, gaussian_of
from seqlab.series.rollout import draw_trajectories, roll_out

MODEL = scalar_autoregression(intercept=0.0, coefficients=[0.5], deviation=1.0)  # x_t = 0.5 x_{t-1} + e_t
KNOWN = np.array([[3.0], [-1.0], [8.0]])  # x_1 .. x_{t-1}, so t is 4
LAST = np.array([len(KNOWN) - 1])  # where x_{t-1} stands, counted from 0


def test_equation_2_is_the_mean_of_equation_1():
    mean, deviation = MODEL.predict(MODEL.start(KNOWN, LAST))
    drawn = mean + deviation * np.random.default_rng(1).standard_normal(100_000)
    assert mean.item() == 0.5 * 8.0
    assert abs(drawn.mean() - mean.item()) < 0.02


def test_equation_2_holds_for_vectors_of_d_components():
    """x_t = A x_{t-1} + e_t: each component depends on all components before, and their errors are correlated."""
    matrix = np.array([[0.5, 1.0], [0.0, 0.25]])
    model = Autoregression(np.zeros(2), matrix[None], np.ones(2), np.array([[1.0, -0.8], [-0.8, 1.0]]))
    mean, deviation = model.predict(model.start(np.array([[8.0, 4.0]]), np.array([0])))
    np.testing.assert_array_equal(mean[0, 0], [0.5 * 8.0 + 1.0 * 4.0, 0.25 * 4.0])
    noise = np.random.default_rng(1).standard_normal((1, 100_000, 2))
    drawn = mean + deviation * model.correlate(noise)
    np.testing.assert_allclose(drawn[0].mean(0), mean[0, 0], atol=0.02)
    np.testing.assert_allclose(np.cov(drawn[0].T), model.correlation, atol=0.02)


def test_equation_7_is_one_step_further_ahead_than_its_k_says():
    """The condition of Eq. (7) ends at x_{t-1}, as that of Eq. (2) does, so its x_{t+k} lies k + 1 steps ahead."""
    ahead = roll_out(MODEL, KNOWN, LAST, 3)[0, 0, :, 0]  # 1, 2 and 3 steps after x_{t-1}
    assert ahead[0] == 0.5 * KNOWN[-1, 0]  # x_t: Eq. (2), which is one step ahead, is Eq. (7) with k = 0
    for k in (1, 2):
        to_the_letter = 0.5 ** (k + 1) * KNOWN[-1, 0]  # the mean of x_{t+k} given x_{t-1}
        assert ahead[k] == to_the_letter
        assert ahead[k - 1] != to_the_letter  # what seqlab calls k steps ahead is x_{t-1+k}


def test_fed_back_predictions_are_the_marginal_of_equation_7_for_a_linear_model():
    """Eq. (7) does not say which is meant; the means of both agree where the model is linear."""
    points = roll_out(MODEL, KNOWN, LAST, 4)[0, 0, 3, 0]
    _, means, _ = draw_trajectories(MODEL, KNOWN, LAST, [4], 50_000)
    assert abs(means.mean() - points) < 4 * means.std() / np.sqrt(50_000)


def test_equations_3_and_4_are_a_state_of_the_past_and_a_distribution_from_it():
    """h_t = g(x_{t-1}, h_{t-1}): feeding value by value gives the states of feeding all."""
    network = ForecastNetwork("gru", 1, 3, window=1)
    parameters = network.initial_parameters([1])
    values = torch.as_tensor(KNOWN, dtype=torch.float32)[:, None, None]
    whole, _ = network.forward(parameters, values, network.zero_state(parameters, 1))
    state = network.zero_state(parameters, 1)
    for place in range(len(KNOWN)):
        one, state = network.forward(parameters, values[place : place + 1], state)
        torch.testing.assert_close(one[0], whole[place])
    mean, logarithm = gaussian_of(whole[-1])
    assert mean.shape == logarithm.shape == (1, 1, 1)


def test_equation_6_multiplies_conditionals_of_tau_values_to_the_joint_density():
    """For a first-order process the product of Eq. (6) is the density of all values at once."""
    values, variance = [0.4, -1.2, 0.3, 2.0], 1 / (1 - 0.5**2)
    steps = np.abs(np.subtract.outer(range(4), range(4)))
    joint = multivariate_normal(np.zeros(4), variance * 0.5**steps).logpdf(values)
    product = norm.logpdf(values[0], 0, np.sqrt(variance))
    for before, value in pairwise(values):
        mean, deviation = MODEL.predict(np.array([[[[before]]]]))
        product += norm.logpdf(value, mean.item(), deviation.item())
    np.testing.assert_allclose(product, joint)
