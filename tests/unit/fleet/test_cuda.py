"""On a GPU: the same numbers as on the processor, from the same data order and dropout. Skipped where there is none."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from made_fleets import settings_of
from made_layers import draw_layer

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.graphs import record_graph
from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.cells import CELLS
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.stack import run_layer
from seqlab.fleet.training import train_fleet
from seqlab.machine.calibration import Calibration
from seqlab.machine.devices import use_tf32
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")

TEXT = np.random.default_rng(1).integers(0, 5, 2_000)
VALID = [np.random.default_rng(2).integers(0, 5, 200)]
TOLERANCE = {None: 1e-4, torch.bfloat16: 0.05}
DROPOUT = {
    "none": {"dropout": 0.0, "recurrent_dropout": 0.0},
    "outputs": {"recurrent_dropout": 0.0},
    "locked": {"locked_dropout": True, "recurrent_dropout": 0.0},
    "symbols and weights": {"embedding_dropout": 0.2},
    "random steps": {"random_steps": True},
    "embedding": {"embedding": 16, "embedding_dropout": 0.2},
    "tied": {"embedding": 24, "tied": True, "embedding_dropout": 0.2},
    "tied, projection": {"embedding": 16, "tied": True, "locked_dropout": True},
}


@pytest.fixture(autouse=True)
def every_way() -> Iterator[None]:
    """A way that failed in one test is tried again in the next."""
    ways._failed.clear()
    yield
    ways._failed.clear()


def take(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute by Triton's kernels, though these networks are small for them; by cuDNN; or by cuDNN and no graph."""
    if way == "kernels":
        kernels = ways.load_kernels()
        assert kernels is not None, "Triton is missing"
        monkeypatch.setattr(kernels, "MOST_UNITS", dict.fromkeys(CELLS, 0))
    else:
        ways.give_up_way(ways.KERNELS)
    if way == "plain":
        ways.give_up_way(ways.GRAPHS)


def train(fleet: Fleet, *more: object) -> None:
    """Train; a way that fails is a fault here, where a user would go on without it."""
    lines: list[str] = []
    train_fleet(fleet, LanguageTask.of(fleet.network, TEXT, VALID, fleet.parameters["b_q"].device), lines.append, *more)
    assert [line for line in lines if "failed" in line] == []


def fleet_on(device: str, cell: str, embedding: int = 0, tied: bool = False, **settings: object) -> Fleet:
    values = {"epochs": 2, "steps": 20, "batch_size": 8, "dropout": 0.2, "recurrent_dropout": 0.1} | settings
    architecture = Architecture(cell, 2, 24, 5, embedding, tied)
    return Fleet.start(architecture, settings_of(**values), [1, 2, 3], torch.device(device))


@pytest.mark.parametrize("hidden", [24, 160])
@pytest.mark.parametrize("way", ["kernels", "cuDNN"])
@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_gradients_of_a_layer(cell, precision, way, hidden, monkeypatch):
    take(way, monkeypatch)
    use_tf32(False)
    random = torch.Generator().manual_seed(1)
    drawn, before = draw_layer(cell, 5, hidden, 2, 8, random)
    values = [value.float() / 2 for value in (*drawn.values(), *before)]
    inputs = torch.randint(5, (2, 8, 20), generator=random)
    found = []
    for device in ("cpu", "cuda"):
        leaves = [value.to(device).requires_grad_() for value in values]
        weights, state = dict(zip(drawn, leaves, strict=False)), tuple(leaves[len(drawn) :])
        outputs, last = run_layer(cell, inputs.to(device), state, weights, precision)
        aim = outputs.square().sum() + sum(part.sum() for part in last if part.requires_grad)
        found.append([value.cpu() for value in (outputs, *last, *torch.autograd.grad(aim, leaves))])
    for on_processor, on_gpu in zip(*found, strict=True):
        scale = on_processor.abs().max()
        torch.testing.assert_close(on_gpu / scale, on_processor / scale, rtol=0, atol=TOLERANCE[precision])


@pytest.mark.parametrize("dropout", DROPOUT.values(), ids=DROPOUT)
@pytest.mark.parametrize("way", ["kernels", "cuDNN", "plain"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_training_sees_the_same_data_and_dropout(cell, way, dropout, monkeypatch):
    take(way, monkeypatch)
    fleets = [fleet_on(device, cell, **dropout) for device in ("cpu", "cuda")]
    for fleet in fleets:
        train(fleet)
    first, second = fleets
    assert [order.bit_generator.state for order in first.orders] == [o.bit_generator.state for o in second.orders]
    assert all(torch.equal(a.get_state(), b.get_state()) for a, b in zip(first.masks, second.masks, strict=True))
    for row, other in zip(first.history, second.history, strict=True):
        for figure in ("train_loss", "valid_loss"):
            assert other[figure] == pytest.approx(row[figure], rel=1e-3)


@pytest.mark.parametrize("way", ["kernels", "cuDNN", "plain"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru"])
def test_runs_of_one_shape_in_one_fleet(cell, way, monkeypatch):
    take(way, monkeypatch)
    free = [{"learning_rate": 0.01, "dropout": 0.0}, {"learning_rate": 0.003, "embedding_dropout": 0.2}]
    alone = [fleet_on("cuda", cell, **settings) for settings in free]
    settings = [fleet.settings for fleet in alone for _ in fleet.seeds]
    joined = Fleet.join(alone[0].network, settings, [1, 2, 3] * 2, torch.device("cuda"))
    for fleet in (*alone, joined):
        train(fleet)
    for number, fleet in enumerate(alone):
        part = joined.select(range(3 * number, 3 * number + 3))
        for row, other in zip(fleet.history, part.history, strict=True):
            assert other["valid_loss"] == pytest.approx(row["valid_loss"], rel=1e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_the_fastest_implementation_is_measured(cell, tmp_path):
    lines: list[str] = []
    fleet = fleet_on("cuda", cell)
    fleet.ways = choose_ways(fleet, len(TEXT), Calibration(tmp_path / "times.json", lines.append))
    train(fleet)
    ways.forget_preferences()
    assert lines == [] and ways.LOOP not in fleet.ways.values()


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_a_training_with_less_precision_comes_to_about_the_same_loss(precision):
    losses = []
    for kind in ("float32", precision):
        fleet = fleet_on("cuda", "lstm", precision=kind)
        train(fleet)
        losses.append([row["valid_loss"] for row in fleet.history])
    assert losses[1] == pytest.approx(losses[0], abs=0.02)


@pytest.mark.parametrize("way", ["kernels", "cuDNN", "plain"])
def test_a_stopped_training_goes_on_to_about_the_same_loss(tmp_path, way, monkeypatch):
    take(way, monkeypatch)
    checkpoint = tmp_path / "unfinished.safetensors", "this run"
    whole, stopped, resumed = (fleet_on("cuda", "gru") for _ in range(3))
    train(whole)
    calls = iter([False] * 7)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, checkpoint, lambda: next(calls, True))
    train(resumed, checkpoint)
    losses = [[row["valid_loss"] for row in fleet.history] for fleet in (whole, resumed)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize("way", ["kernels", "cuDNN", "plain"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_long_text_is_scored_as_on_a_processor(cell, way, monkeypatch):
    take(way, monkeypatch)
    use_tf32(False)
    architecture = Architecture(cell, 2, 24, 5)
    parameters = architecture.initial_parameters([1, 2])
    there = {name: value.cuda() for name, value in parameters.items()}
    segments = [np.random.default_rng(3).integers(0, 5, size) for size in (2_500, 300)]
    expected = stream_bits(architecture, parameters, segments)
    np.testing.assert_allclose(stream_bits(architecture, there, segments), expected, atol=1e-3)
    assert ways.is_usable(ways.GRAPHS) == (way != "plain")


def test_a_recording_keeps_what_it_reads():
    def recorded() -> tuple[Callable[[], object], torch.Tensor]:
        read, found = torch.full((1_000,), 7.0, device="cuda"), torch.zeros(1_000, device="cuda")
        return record_graph(lambda: found.copy_(read), found.device), found

    replay, found = recorded()
    others = [torch.zeros(1_000, device="cuda") for _ in range(100)]  # they take the place of what was given back
    replay()
    assert (found == 7).all() and not any(other.any() for other in others)


@pytest.mark.parametrize("cell", CELLS)
def test_scores_in_double_precision(cell):
    architecture = Architecture(cell, 2, 24, 5)
    parameters = {name: value.double() for name, value in architecture.initial_parameters([1, 2]).items()}
    there = {name: value.cuda() for name, value in parameters.items()}
    bits = stream_bits(architecture, parameters, VALID)
    np.testing.assert_allclose(stream_bits(architecture, there, VALID), bits, rtol=1e-9)
    assert bits.mean() == pytest.approx(math.log2(5), rel=0.2)
