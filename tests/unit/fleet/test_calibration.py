"""Implementations of a fleet's layers: measured where there are several, used, recorded, and kept by a checkpoint."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from made_fleets import InterruptionError, fleet_of, stop_after, task_of, trained, untimed

from seqlab.fleet import fleet as fleets
from seqlab.fleet import stack
from seqlab.fleet.accelerated import ways
from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.training import train_fleet


class Decided:
    """Stands for a calibration: computes every candidate, and chooses the one that is asked for."""

    def __init__(self, choice: str) -> None:
        self.choice, self.asked = choice, dict[str, list[str]]()

    def choose(self, question: str, candidates: Mapping[str, Callable[[], object]], usual: str) -> str:
        for candidate in candidates.values():
            candidate()
        self.asked[question] = [*candidates]
        assert usual in candidates
        return self.choice


@pytest.fixture(autouse=True)
def usual_again() -> Iterator[None]:
    yield
    ways.forget_preferences()


def used_ways(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ways in which the layers are computed while `fleet` trains on its batches."""
    used, compute = set(), stack.compute_layer

    def watched(way: str, cell: str, inputs: torch.Tensor, state: Any, *more: Any, **options: Any) -> Any:
        if state[0].requires_grad or torch.is_grad_enabled():
            used.add(way)
        return compute(way, cell, inputs, state, *more, **options)

    monkeypatch.setattr(stack, "compute_layer", watched)
    trained(fleet)
    return used


@pytest.mark.parametrize("embedding", [0, 3])
@pytest.mark.parametrize(
    ("cell", "choice"),
    [("lstm", ways.LOOP), ("lstm", ways.FUSED), ("mingru", ways.LOOP), ("mingru", ways.SCAN), ("deltanet", ways.LOOP)],
)
def test_layers_are_computed_in_the_way_that_was_chosen(cell, choice, embedding, monkeypatch):
    fleet = fleet_of([1, 2], cell, embedding=embedding)
    decided = Decided(choice)
    fleet.ways = choose_ways(fleet, 100, decided)
    assert fleet.ways == {"first layer": choice, "later layers": choice}
    assert len(decided.asked) == 2 and all(len(names) == 2 for names in decided.asked.values())
    assert used_ways(fleet, monkeypatch) == {choice}


@pytest.mark.parametrize("cell", ["rnn", "gru", "slstm", "mogrifier"])
def test_where_there_is_one_way_nothing_is_measured(cell):
    decided = Decided("")
    assert choose_ways(fleet_of([1], cell), 100, decided) == {} == decided.asked


@pytest.mark.parametrize(("epochs", "compiled"), [(9, False), (10, True)])
def test_a_long_training_tries_compiled_loops(epochs, compiled):
    decided = Decided(ways.COMPILED)
    chosen = choose_ways(fleet_of([1, 2], "gru", epochs=epochs), 50_000, decided)
    assert bool(chosen) == compiled
    assert list(decided.asked.values()) == [[ways.LOOP, ways.COMPILED]] * 2 * compiled


def test_the_choice_depends_on_the_shape(monkeypatch):
    first, second = Decided(ways.LOOP), Decided(ways.LOOP)
    choose_ways(fleet_of([1, 2], "lstm"), 100, first)
    choose_ways(fleet_of([1, 2, 3], "lstm"), 100, second)
    assert not {*first.asked} & {*second.asked}


def test_every_way_trains_the_same_network():
    fleets_by_way = {way: fleet_of([1, 2], "lstm") for way in (ways.LOOP, ways.FUSED)}
    for way, fleet in fleets_by_way.items():
        fleet.ways = choose_ways(fleet, 100, Decided(way))
        trained(fleet)
    first, second = fleets_by_way.values()
    for row, other in zip(untimed(first.history), untimed(second.history), strict=True):
        assert other == pytest.approx(row, rel=1e-5)


def test_a_resumed_training_computes_as_it_began(tmp_path):
    checkpoint = tmp_path / "unfinished.safetensors", "this run"
    whole, stopped, resumed = (fleet_of([1, 2], "lstm", epochs=3) for _ in range(3))
    for fleet in (whole, stopped):
        fleet.ways = choose_ways(fleet, 100, Decided(ways.LOOP))
    trained(whole)
    with pytest.raises(InterruptionError):
        train_fleet(stopped, task_of(stopped), stop_after(1), checkpoint)
    resumed.ways = choose_ways(resumed, 100, Decided(ways.FUSED))  # as on a machine whose cache is gone
    train_fleet(resumed, task_of(resumed), lambda line: None, checkpoint)
    assert resumed.ways == whole.ways
    assert untimed(resumed.history) == untimed(whole.history)
    assert all(torch.equal(value, resumed.best[name]) for name, value in whole.best.items())


def test_results_say_how_they_were_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(fleets, "is_bfloat16_fast", lambda: False)
    monkeypatch.setattr("seqlab.fleet.settings.is_bfloat16_fast", lambda: False)
    fleet = fleet_of([1], "lstm", layers=1, hidden=128, epochs=1, precision="bfloat16")
    fleet.ways = choose_ways(fleet, 100, Decided(ways.LOOP))
    trained(fleet).write_results(tmp_path)
    training = json.loads((tmp_path / "training.json").read_text())
    assert training["computed"] == {"precision": "float32", "layers": {"first layer": ways.LOOP}}
    assert [note for note in training["notes"] if "multiplies faster in float32" in note]
