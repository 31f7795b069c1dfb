"""The ways of a GPU, on stand-ins for one: the same training, nothing that waits, no mixed devices, and a way back."""

from typing import Any

import numpy as np
import pytest
import torch
from made_fleets import RANDOM_TEXT, ROUNDING, VALID, VOCABULARY, fleet_of, task_of, untimed
from stand_in import MixedDevicesError, WaitError, fake_gpu, pretended_gpu, recorded_without_waits

from seqlab.fleet import dropout, training
from seqlab.fleet.accelerated import captured, graphs, ways
from seqlab.fleet.accelerated.captured import CapturedTraining
from seqlab.fleet.batches import EpochPlan
from seqlab.fleet.cells import CELLS
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError
from seqlab.machine.devices import explain_memory_errors
from seqlab.rnn import scoring
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import RecordedScoring, stream_bits

__all__ = ["pretended_gpu"]

EVERY_DROPOUT = {"dropout": 0.3, "embedding_dropout": 0.2, "recurrent_dropout": 0.2}
PENALTIES = {"activation_regularisation": 1.0, "temporal_regularisation": 1.0}
SETTINGS = {
    "plain": {},
    "every dropout": EVERY_DROPOUT,
    "locked dropout": {"dropout": 0.3, "locked_dropout": True},
    "random partition": {"partition": "random", "dropout": 0.3, "batch_size": 3},
    "random steps": {"random_steps": True, "dropout": 0.3},
    "sgd": {"optimiser": "sgd", "learning_rate": 0.3, "weight_decay": 0.01},
    "adamw, averages": {"optimiser": "adamw", "weight_decay": 0.1, "averaging": 0.9, "schedule": "plateau"},
    "penalties": PENALTIES,
    "embedding": {"embedding": 3, **EVERY_DROPOUT},
    "tied": {"embedding": 6, "tied": True, **EVERY_DROPOUT},
    "tied, projection": {"embedding": 3, "tied": True, "dropout": 0.3, "locked_dropout": True},
}


def plainly_trained(*arguments: Any, **options: Any) -> Fleet:
    fleet = fleet_of(*arguments, **options)
    train_fleet(fleet, task_of(fleet, RANDOM_TEXT[:199]), report=lambda line: None)
    return fleet


def assert_same(first: Fleet, second: Fleet) -> None:
    rounding = ROUNDING.get(first.network.cell, 1)
    for row, other in zip(untimed(first.history), untimed(second.history), strict=True):
        assert other == pytest.approx(row, rel=2e-5 * rounding)
    for name, value in first.parameters.items():
        torch.testing.assert_close(second.parameters[name], value, rtol=1e-4 * rounding, atol=1e-5 * rounding)
    assert [order.bit_generator.state for order in first.orders] == [o.bit_generator.state for o in second.orders]
    assert all(torch.equal(a.get_state(), b.get_state()) for a, b in zip(first.masks, second.masks, strict=True))
    assert torch.equal(first.optimiser.steps, second.optimiser.steps)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_recorded_training_is_the_plain_one(cell, settings, request):
    plain = plainly_trained([1, 2, 3], cell, epochs=3, **settings)
    request.getfixturevalue("pretended_gpu")
    lines: list[str] = []
    fleet = fleet_of([1, 2, 3], cell, epochs=3, **settings)
    train_fleet(fleet, task_of(fleet, RANDOM_TEXT[:199]), report=lines.append)
    assert len(lines) == 3 and all(line.startswith("epoch") for line in lines)  # no way has failed
    assert_same(plain, fleet)


@pytest.mark.parametrize("batches", [0, 3, 14])
@pytest.mark.parametrize("settings", [EVERY_DROPOUT, {"random_steps": True, "averaging": 0.9, "dropout": 0.2}])
def test_a_recorded_training_that_is_stopped_goes_on_to_the_same_bits(tmp_path, pretended_gpu, settings, batches):
    checkpoint = tmp_path / "unfinished.safetensors", "this run"
    whole, stopped, resumed = (fleet_of([1, 2], epochs=3, **settings) for _ in range(3))
    calls = iter([False] * batches)
    train_fleet(whole, task_of(whole), lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        train_fleet(stopped, task_of(stopped), lambda line: None, checkpoint, lambda: next(calls, True))
    train_fleet(resumed, task_of(resumed), lambda line: None, checkpoint)
    assert untimed(resumed.history) == untimed(whole.history)
    assert all(torch.equal(value, resumed.best[name]) for name, value in whole.best.items())


def test_a_checkpoint_of_a_gpu_serves_a_processor(tmp_path, request):
    checkpoint = tmp_path / "unfinished.safetensors", "this run"
    plain = plainly_trained([1, 2], epochs=3, **EVERY_DROPOUT)
    calls = iter([False] * 15)
    with pytest.MonkeyPatch.context():
        request.getfixturevalue("pretended_gpu")
        with pytest.raises(KeyboardInterrupt):
            fleet = fleet_of([1, 2], epochs=3, **EVERY_DROPOUT)
            train_fleet(
                fleet, task_of(fleet, RANDOM_TEXT[:199]), lambda line: None, checkpoint, lambda: next(calls, True)
            )
    ways.give_up_way(ways.GRAPHS)
    resumed = fleet_of([1, 2], epochs=3, **EVERY_DROPOUT)
    train_fleet(resumed, task_of(resumed, RANDOM_TEXT[:199]), lambda line: None, checkpoint)
    assert_same(plain, resumed)


@pytest.mark.parametrize("cell", CELLS)
def test_recorded_scores_are_those_of_the_stream(cell, monkeypatch):
    architecture = Architecture(cell, 2, 6, VOCABULARY)
    parameters = {name: value.double() for name, value in architecture.initial_parameters([1, 2]).items()}
    plain = stream_bits(architecture, parameters, VALID)
    monkeypatch.setattr(scoring, "CHUNK_STEPS", 7)
    monkeypatch.setattr(scoring, "record_graph", recorded_without_waits)
    told: list[int] = []
    recorded = RecordedScoring(architecture, parameters, VALID)
    for _ in range(2):  # the state of the first must not reach the second
        np.testing.assert_allclose(recorded.bits(told.append), plain, rtol=1e-12)
    assert sum(told) == 2 * plain.shape[1]


@pytest.mark.parametrize("way", [ways.KERNELS, ways.GRAPHS])
def test_a_way_that_fails_is_left_with_one_line(way, monkeypatch, request):
    plain = plainly_trained([1, 2], epochs=2, dropout=0.2)
    request.getfixturevalue("pretended_gpu")

    def broken(work: Any, device: torch.device) -> Any:
        if way == ways.GRAPHS or ways.is_usable(ways.KERNELS):
            work()
            raise RuntimeError("operation not permitted when stream is capturing\nmore lines")
        return recorded_without_waits(work, device)

    monkeypatch.setattr(captured, "record_graph", broken)
    monkeypatch.setattr(ways, "load_kernels", lambda: ways if way == ways.KERNELS and ways.is_usable(way) else None)
    fleet, lines = fleet_of([1, 2], epochs=2, dropout=0.2), []
    train_fleet(fleet, task_of(fleet, RANDOM_TEXT[:199]), report=lines.append)
    expected = f"{way} failed at the first use, so training continues without: operation not permitted when stream is"
    assert [line.startswith(expected) for line in lines] == [True, False, False]
    assert_same(plain, fleet)


def test_the_stand_in_finds_a_forgotten_item(pretended_gpu, monkeypatch):
    def forgetful(gradients: Any, limit: float) -> torch.Tensor:
        norms = captured_clip(gradients, limit)
        assert norms[0].item() >= 0
        return norms

    captured_clip = captured.clip_gradients
    monkeypatch.setattr(captured, "clip_gradients", forgetful)
    fleet = fleet_of([1])
    with pytest.raises(WaitError, match="waits for the GPU"):
        _prepared(fleet)


def _prepared(fleet: Fleet) -> tuple[CapturedTraining, EpochPlan]:
    steps = CapturedTraining(fleet, task_of(fleet))
    fleet.progress = training.begin_epoch(fleet)
    plan = EpochPlan.of(fleet, fleet.progress, len(RANDOM_TEXT), fleet.running())
    steps.prepare(plan)
    return steps, plan


def fake_training(monkeypatch: pytest.MonkeyPatch, cell: str, **settings: Any) -> None:
    """An epoch on a device that computes nothing but refuses what a GPU refuses."""
    monkeypatch.setattr(ways, "load_kernels", lambda: None)
    with fake_gpu(monkeypatch) as device:
        fleet = fleet_of([1, 2], cell, device=device, **settings)
        steps, plan = _prepared(fleet)
        assert fleet.progress is not None
        if steps.stream:
            monkeypatch.setattr(steps, "stream", None)  # its threads draw real bits
        assert steps.train_epoch(fleet.progress, plan, lambda: False)
        assert all(value.is_meta for value in fleet.parameters.values())


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_recorded_step_mixes_no_devices(cell, settings, monkeypatch):
    fake_training(monkeypatch, cell, **settings)


def test_the_stand_in_finds_mixed_devices(monkeypatch):
    on_device = dropout.drop_outputs

    def on_host(settings: Any, generators: Any, present: Any, outputs: torch.Tensor) -> torch.Tensor:
        return on_device(settings, generators, present, outputs) * torch.ones(outputs.shape[-1])

    monkeypatch.setattr("seqlab.fleet.objective.drop_outputs", on_host)
    with pytest.raises(MixedDevicesError, match="mul has arguments on cpu and meta"):
        fake_training(monkeypatch, "gru", dropout=0.2)


def test_a_full_gpu_is_told_with_what_to_lower(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**30)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**29, 2**32))
    told = r"needs more than the 3\.0 GiB that it holds, and 0\.5 of 4\.0 GiB are free; lower rnn\.training\.batch_size"
    with pytest.raises(InputError, match=told), explain_memory_errors(torch.device("cuda"), "rnn"):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_on_a_processor_work_is_not_recorded():
    work = [lambda: 1, lambda: 2]
    assert graphs.record_graph(work[0], torch.device("cpu")) is work[0]
    assert graphs.run_side_by_side(work, torch.device("cpu")) == [1, 2]
