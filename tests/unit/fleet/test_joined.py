"""Networks of several runs in one fleet: their numbers are those of a fleet for each run."""

import json
import math

import pandas as pd
import pytest
import torch
from made_fleets import (
    ROUNDING,
    VOCABULARY,
    InterruptionError,
    fleet_of,
    settings_of,
    stop_after,
    task_of,
    trained,
    untimed,
)
from stand_in import pretended_gpu

from seqlab.fleet.cells import CELLS
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.rnn.network import Architecture

__all__ = ["pretended_gpu"]

RUNS = {  # free settings and seeds
    "plain": ({"learning_rate": 0.02}, [1, 2]),
    "slow": ({"learning_rate": 0.005, "embedding_dropout": 0.1}, [1]),
    "dropped": ({"learning_rate": 0.02, "dropout": 0.3, "recurrent_dropout": 0.2}, [2, 3]),
}
COMMON = {"epochs": 3, "steps": 5, "batch_size": 4}


def joined(cell: str = "gru", **more: object) -> tuple[Fleet, dict[str, list[int]]]:
    """The fleet of all runs, and the replicas of each."""
    settings: list[TrainingSettings] = []
    seeds: list[int] = []
    replicas = {}
    for name, (free, of_run) in RUNS.items():
        replicas[name] = list(range(len(seeds), len(seeds) + len(of_run)))
        settings += [settings_of(**(COMMON | free | more))] * len(of_run)
        seeds += of_run
    return Fleet.join(Architecture(cell, 2, 6, VOCABULARY), settings, seeds, torch.device("cpu")), replicas


def assert_alike(part: Fleet, alone: Fleet) -> None:
    """The same numbers, but for rounding in products of other sizes."""
    rounding = ROUNDING.get(alone.network.cell, 1)
    for row, other in zip(untimed(alone.history), untimed(part.history), strict=True):
        assert other == pytest.approx(row, rel=1e-5 * rounding)
    for name, value in alone.best.items():
        torch.testing.assert_close(part.best[name], value, rtol=1e-4 * rounding, atol=1e-5 * rounding)


@pytest.mark.parametrize("more", [{}, {"early_stopping": 1, "epochs": 5}, {"schedule": "plateau", "averaging": 0.9}])
@pytest.mark.parametrize("cell", CELLS)
def test_every_run_has_the_numbers_of_its_own_fleet(cell, more):
    fleet, replicas = joined(cell, **more)
    trained(fleet)
    for name, (free, seeds) in RUNS.items():
        assert_alike(fleet.select(replicas[name]), trained(fleet_of(seeds, cell, **(COMMON | free | more))))


@pytest.mark.parametrize("more", [{}, {"random_steps": True}, {"locked_dropout": True}])
def test_a_gpu_draws_for_each_run_what_it_draws_alone(more, request):
    alone = {name: trained(fleet_of(seeds, "gru", **(COMMON | free | more))) for name, (free, seeds) in RUNS.items()}
    request.getfixturevalue("pretended_gpu")
    fleet, replicas = joined(**more)
    lines: list[str] = []
    trained(fleet, report=lines.append)
    assert all(line.startswith("epoch") for line in lines)  # the recorded steps did not fail
    for name in RUNS:
        assert_alike(fleet.select(replicas[name]), alone[name])


def test_an_interrupted_fleet_goes_on_to_the_same_bits(tmp_path):
    checkpoint = tmp_path / "unfinished.safetensors", "these runs"
    (whole, _), (stopped, _), (resumed, _) = (joined() for _ in range(3))
    trained(whole)
    with pytest.raises(InterruptionError):
        train_fleet(stopped, task_of(stopped), stop_after(1), checkpoint)
    trained(resumed, checkpoint=checkpoint)
    assert untimed(resumed.history) == untimed(whole.history)
    assert all(torch.equal(value, resumed.best[name]) for name, value in whole.best.items())


def test_a_run_that_diverges_stops_alone():
    fleet, replicas = joined()
    fleet.parameters["b_q"][2] = math.nan
    lines: list[str] = []
    trained(fleet, report=lines.append)
    name = "seed 1, learning_rate 0.005, dropout 0, embedding_dropout 0.1, recurrent_dropout 0"
    assert lines[0] == f"the loss of {name} is not finite, so it stops with its best weights"
    parts = {run: fleet.select(replicas[run]) for run in RUNS}
    assert [run for run, part in parts.items() if part.diverged] == ["slow"]
    assert_alike(parts["plain"], trained(fleet_of([1, 2], "gru", **(COMMON | RUNS["plain"][0]))))


def test_the_files_of_a_run_hold_its_share(tmp_path):
    fleet, replicas = joined()
    trained(fleet)
    whole = pd.DataFrame(fleet.history)
    for name, (_, seeds) in RUNS.items():
        fleet.select(replicas[name]).write_results(tmp_path)
        history = pd.read_csv(tmp_path / "history.csv")
        assert list(dict.fromkeys(history["seed"])) == seeds and "replica" not in history
        assert json.loads((tmp_path / "network.json").read_text())["seeds"] == seeds
        share = len(seeds) / len(fleet.seeds)
        assert history["seconds"].iloc[0] == pytest.approx(share * whole["seconds"].iloc[0])


@pytest.mark.parametrize("other", [{"epochs": 4}, {"clip": 2.0}, {"schedule": "constant"}])
def test_runs_that_differ_otherwise_are_not_joined(other):
    settings = [settings_of(**COMMON), settings_of(**(COMMON | other))]
    with pytest.raises(ValueError, match="may differ in learning_rate, dropout"):
        Fleet.join(Architecture("gru", 1, 6, VOCABULARY), settings, [1, 1], torch.device("cpu"))
