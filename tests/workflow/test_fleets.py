"""Runs of one shape, trained as one fleet: the same results, files and plan as with a job for each run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from project import Project, bare_project, jobs_planned

from seqlab.io.arrays import read_arrays

SWEEP = {
    "corpora": ["even_process"],
    "units": ["char"],
    "ngram": [],
    "rnn": {
        "cells": "gru",
        "layers": 1,
        "hidden": 8,
        "seeds": [1, 2],
        "training": {"epochs": 2, "batch_size": 8, "steps": 20, "dropout": [0.0, 0.3], "learning_rate": [0.008, 0.02]},
    },
    "compressors": [],
    "mixtures": {},
    "sample": {"symbols": {"char": 60}},
}
PLACE = "results/{}/even_process/char/rnn"
SHAPES = ("--config", "experiment=shapes", "rnn={fleet: shapes}")
SEEDS = ("--config", "experiment=seeds", "rnn={fleet: seeds}")
MODELS = [f"gru-1x8{dropout}{rate}" for dropout in ("", "-dropout~0.3") for rate in ("", "-learning_rate~0.02")]


def requested(kind: str) -> list[str]:
    return [f"{PLACE.format(kind)}/{model}/metrics.json" for model in MODELS]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sweep, trained as one fleet, and run by run."""
    project = bare_project(tmp_path_factory.mktemp("fleets") / "project")
    (project.folder / "config/sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    for kind, options in {"shapes": SHAPES, "seeds": SEEDS}.items():
        done = project.snakemake("--configfile", "config/sweep.yaml", *options, "--", *requested(kind))
        assert done.returncode == 0, done.stdout
    return project


@pytest.mark.parametrize("model", MODELS)
def test_a_run_has_the_files_and_the_bits_of_a_job_of_its_own(both: Project, model: str) -> None:
    joined, alone = (both.folder / PLACE.format(kind) / model for kind in ("shapes", "seeds"))
    names = [sorted(path.name for path in folder.iterdir()) for folder in (joined, alone)]
    assert names[0] == names[1]
    assert (joined / "card.yaml").read_text() == (alone / "card.yaml").read_text()
    for name, bits in read_arrays(alone / "scores.npz").items():
        np.testing.assert_allclose(read_arrays(joined / "scores.npz")[name], bits, rtol=1e-4)
    seeds = [pd.read_csv(folder / "history.csv")["seed"].tolist() for folder in (joined, alone)]
    assert seeds[0] == seeds[1] == [1, 2, 1, 2]


def test_one_job_trains_and_nothing_is_left_to_do(both: Project) -> None:
    sweep = ("--configfile", "config/sweep.yaml", *SHAPES)
    assert (
        len([path for path in (both.folder / "results/shapes/even_process/char/fleets").iterdir() if path.is_dir()])
        == 1
    )
    assert not [*both.folder.glob("results/shapes/**/*unfinished*")]
    assert both.planned(*sweep, "--", *requested("shapes")) == {}


def test_a_value_added_to_an_axis_trains_the_fleet_again(both: Project) -> None:
    more = ("--configfile", "config/sweep.yaml", "--config", "experiment=shapes")
    axes = "rnn={fleet: shapes, training: {learning_rate: [0.008, 0.02, 0.1]}}"
    new = [Path(PLACE.format("shapes")) / "gru-1x8-learning_rate~0.1/metrics.json"]
    planned = jobs_planned(both.snakemake("--dry-run", *more, axes, "--", *map(str, new)).stdout)
    assert (planned["train_fleet"], planned["train_rnn"]) == (1, 1)
