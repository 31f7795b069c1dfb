"""Bits of a network: against a loop of single steps, and independent of how the text is cut."""

import math

import numpy as np
import pytest
import torch

from seqlab.fleet.cells import CELLS
from seqlab.fleet.stack import Parameters
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.sampling import drawn

torch.set_num_threads(1)

VOCABULARY = 5


def network(cell: str = "lstm", layers: int = 2, seeds: tuple[int, ...] = (1, 2)) -> tuple[Architecture, Parameters]:
    """A network in double precision whose weights are large enough that the past matters."""
    architecture = Architecture(cell, layers, 6, VOCABULARY)
    parameters = architecture.initial_parameters(list(seeds))
    return architecture, {name: 3 * value.double() for name, value in parameters.items()}


def text(symbols: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOCABULARY, symbols).astype(np.uint8)


def step_by_step(architecture: Architecture, parameters: Parameters, segment: np.ndarray) -> np.ndarray:
    """-log2 of the softmax, one symbol after the other."""
    replicas = len(parameters["W_hq"])
    state = architecture.zero_state(parameters, 1)
    bits = []
    for symbol, following in zip(segment[:-1].tolist(), segment[1:].tolist(), strict=True):
        logits, state = architecture.forward(parameters, torch.full((replicas, 1, 1), symbol), state)
        weights = logits[0, :, 0].exp()
        bits.append(-(weights[:, following] / weights.sum(1)).log2())
    return torch.stack(bits, 1).numpy()


@pytest.mark.parametrize("cell", CELLS)
def test_bits_are_those_of_single_steps(cell):
    architecture, parameters = network(cell)
    segment = text(40)
    found = stream_bits(architecture, parameters, [segment], chunk=16)
    assert found.shape == (2, 39)
    np.testing.assert_allclose(found, step_by_step(architecture, parameters, segment), rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("chunk", [1, 7, 512])
def test_the_chunk_does_not_matter(cell, chunk):
    architecture, parameters = network(cell)
    segments = [text(61), text(8, seed=2), text(2, seed=3)]
    whole = stream_bits(architecture, parameters, segments, chunk=60)
    np.testing.assert_allclose(stream_bits(architecture, parameters, segments, chunk), whole, rtol=0, atol=1e-6)


def test_each_segment_is_scored_as_if_it_were_alone():
    architecture, parameters = network()
    segments = [text(30), text(20, seed=2), text(1, seed=3), text(12, seed=4)]
    alone = [stream_bits(architecture, parameters, [segment]) for segment in segments if len(segment) > 1]
    found = stream_bits(architecture, parameters, segments)
    assert found.shape == (2, 29 + 19 + 0 + 11)
    np.testing.assert_allclose(found, np.concatenate(alone, axis=1), rtol=0, atol=1e-6)


def test_the_bits_of_all_symbols_stand_for_probabilities_that_sum_to_one():
    architecture, parameters = network()
    prefix = text(10)
    last = [stream_bits(architecture, parameters, [np.append(prefix, symbol)])[:, -1] for symbol in range(VOCABULARY)]
    np.testing.assert_allclose(np.exp2(-np.array(last)).sum(0), 1, rtol=1e-12)


def test_a_network_without_weights_is_uniform():
    architecture, parameters = network()
    nothing = {name: torch.zeros_like(value) for name, value in parameters.items()}
    np.testing.assert_allclose(stream_bits(architecture, nothing, [text(9)]), math.log2(VOCABULARY), rtol=1e-12)


def test_scoring_one_replica_does_not_depend_on_the_others():
    architecture, parameters = network()
    second = {name: value[1:] for name, value in parameters.items()}
    both, one = (stream_bits(architecture, weights, [text(30)]) for weights in (parameters, second))
    np.testing.assert_allclose(both[1:], one, rtol=0, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_a_reading_goes_on_from_its_state(cell):
    architecture, parameters = network(cell)
    model = NetworkModel(architecture, parameters, [1, 2])
    both = model.read([1, 2, 0], replica=1).followed([0, 0], [3, 4])
    whole = [model.read([1, 2, 0, symbol], replica=1).probability[0] for symbol in (3, 4)]
    np.testing.assert_allclose(both.probability, whole, rtol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_stretches_and_symbols_one_step_ahead_are_those_of_the_stream(cell):
    architecture, parameters = network(cell)
    model = NetworkModel(architecture, parameters, [1, 2])
    segments = [text(30), text(20, seed=2)]
    alone = [stream_bits(architecture, parameters, [segment]) for segment in segments]
    for stretch, bits in zip(model.score_stretches(segments), alone, strict=True):
        np.testing.assert_allclose(stretch, bits, rtol=1e-8)
    (ahead,) = model.look_ahead(segments, [(0, 7), (0, 19), (1, 4)], [1], samples=1)
    np.testing.assert_allclose(ahead.bits, np.stack([alone[0][:, 6], alone[0][:, 18], alone[1][:, 3]], 1), rtol=1e-8)


def sample_of(architecture, parameters, prompt, symbols, seed=1, temperature=1.0):
    model = NetworkModel(architecture, parameters, [None])
    return list(drawn(model.read(prompt), symbols, np.random.default_rng(seed), temperature))


def test_the_seed_decides_the_text():
    architecture, parameters = network()
    texts = [sample_of(architecture, parameters, [1, 2], 50, seed=seed) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 50


def test_temperature_zero_takes_the_likeliest_each_time():
    architecture, parameters = network()
    text_drawn = sample_of(architecture, parameters, [1, 2], 20, temperature=0)
    so_far = [1, 2]
    for symbol in text_drawn:
        cost = [
            stream_bits(architecture, parameters, [np.array([*so_far, other])])[0, -1] for other in range(VOCABULARY)
        ]
        assert symbol == int(np.argmin(cost))
        so_far.append(symbol)


def test_text_is_drawn_from_the_first_replica():
    architecture, parameters = network()
    first = {name: value[:1] for name, value in parameters.items()}
    both, one = (sample_of(architecture, weights, [1], 30, temperature=0) for weights in (parameters, first))
    assert both == one
