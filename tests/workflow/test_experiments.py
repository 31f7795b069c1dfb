"""Experiments side by side, settings as axes, and corpora that keep apart."""

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
import yaml
from project import Project, jobs_planned

from seqlab.io.files import read_json
from seqlab.io.runs import read_experiment

SMOKE = ("--configfile", "config/smoke.yaml")
AXIS = ("--config", "rnn={training: {dropout: [0.0, 0.3]}}")
SECOND = {
    "corpora": ["even_process"],
    "units": ["char"],
    "ngram": [{"smoothing": "mkn", "orders": [3]}],
    "rnn": {
        "cells": "lstm",
        "layers": 1,
        "hidden": 8,
        "seeds": [1],
        "training": {"epochs": 1, "batch_size": 8, "steps": 20, "dropout": [0.0, 0.3], "learning_rate": [0.008, 0.02]},
    },
    "compressors": [],
    "sample": {"symbols": {"char": 60}},
}
TEXT = "the quick brown fox jumps over the lazy dog and runs away. "


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def both(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two finished experiments on one text; what the first has made is as it was."""
    project = smoke.copy(tmp_path_factory.mktemp("both"))
    results = project.folder / "results"
    before = contents(results / "smoke") | contents(results / "corpora")
    (project.folder / "config/second.yaml").write_text(yaml.safe_dump(SECOND))
    done = project.snakemake("--configfile", "config/second.yaml")
    assert done.returncode == 0, done.stdout
    assert contents(results / "smoke") | contents(results / "corpora") == before
    return project


def test_an_experiment_leaves_another_one_on_the_same_text_alone(both: Project) -> None:
    assert both.planned(*SMOKE) == {}
    assert both.planned("--configfile", "config/second.yaml") == {}


def test_a_setting_with_two_values_gives_twice_the_networks_and_renames_none(finished: Project) -> None:
    printed = finished.snakemake("--dry-run", *SMOKE, *AXIS).stdout
    assert jobs_planned(printed)["train_rnn"] == 2  # beside the two that are there
    assert "Training rnn-1x8-dropout~0.3 on even_process by char" in printed
    assert "Training lstm-1x8-dropout~0.3 on even_process by char" in printed


def test_settings_are_columns_of_the_table(both: Project) -> None:
    models = pd.read_csv(both.folder / "results/second/even_process/char/models.csv")
    networks = models[(models["family"] == "rnn") & (models["split"] == "test")].set_index("model")
    assert sorted(zip(networks["learning_rate"], networks["dropout"], networks.index, strict=True)) == [
        (0.008, 0.0, "lstm-1x8"),
        (0.008, 0.3, "lstm-1x8-dropout~0.3"),
        (0.02, 0.0, "lstm-1x8-learning_rate~0.02"),
        (0.02, 0.3, "lstm-1x8-dropout~0.3-learning_rate~0.02"),
    ]
    assert networks[["cell", "layers", "hidden"]].drop_duplicates().to_numpy().tolist() == [["lstm", 1, 8]]
    (ngram,) = models[(models["family"] == "ngram") & (models["split"] == "test")].to_dict("records")
    assert (ngram["smoothing"], ngram["order"]) == ("mkn", 3)


def test_the_same_settings_on_the_same_text_cost_the_same_bits(both: Project) -> None:
    """The name of an experiment decides no result."""
    paths = [both.folder / f"results/{name}/even_process/char/ngram/mkn-3" for name in ("smoke", "second")]
    scores = [read_json(path / "metrics.json")["scores"] for path in paths]
    assert scores[0] == scores[1]


def test_runs_of_both_experiments_stand_side_by_side_in_the_database(both: Project) -> None:
    with sqlite3.connect(both.folder / "results/mlflow.db") as database:
        rows = database.execute(
            "SELECT tags.value, runs.name FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid "
            "WHERE tags.key = 'experiment' AND runs.lifecycle_stage = 'active' AND runs.name LIKE 'mkn-3'"
        ).fetchall()
    assert sorted(rows) == [("second", "mkn-3"), ("smoke", "mkn-3")]


def test_another_configuration_of_the_same_name_is_refused(finished: Project, tmp_path: Path) -> None:
    before = contents(finished.folder / "results")
    other = tmp_path / "smoke.yaml"
    other.write_text(yaml.safe_dump(SECOND))
    done = finished.snakemake("--configfile", str(other))
    assert done.returncode != 0
    assert "results/smoke holds the results of config/smoke.yaml" in done.stdout
    assert "give it another name with `experiment: NAME`, or remove results/smoke" in done.stdout
    assert contents(finished.folder / "results") == before
    assert "train_rnn" in finished.planned("--configfile", str(other), "--config", "experiment=other")


def test_an_experiment_that_cuts_a_text_otherwise_keeps_its_own_ids(finished: Project) -> None:
    other = finished.planned(*SMOKE, "--config", "experiment=other", "split={train: 0.8, valid: 0.1, test: 0.1}")
    assert (other["encode_corpus"], other.get("clean_corpus")) == (1, None)
    same = finished.planned(*SMOKE, "--config", "experiment=other", "vocab={merges: 9}")  # which characters do not need
    assert "encode_corpus" not in same


def test_texts_of_one_name_keep_apart_and_keep_their_names(empty_project: Project) -> None:
    texts = ["a/input.txt", "b/input.txt", "данные.txt"]
    for number, text in enumerate(texts):
        path = empty_project.folder / text
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number} {TEXT}" * 20)
    folders = {}
    for text in [*texts, "./a/input.txt"]:
        config = (f"corpus={text}", f"experiment=of_{len(folders)}", "units=[char]")
        done = empty_project.snakemake("--until", "fetch_corpus", "list_runs", "--config", *config)
        assert done.returncode == 0, done.stdout
        (folder,) = read_experiment(empty_project.folder / f"results/of_{len(folders)}/runs.json").prepared.values()
        folders[text] = Path(folder).parent
    assert folders["./a/input.txt"] == folders["a/input.txt"]
    assert [folders[text].name for text in texts] == ["input", "b_input", "данные"]
    sources = [json.loads((folder / "source.json").read_text())["source"] for folder in folders.values()]
    assert sources[:3] == texts


def test_results_of_an_earlier_version_are_named(finished: Project) -> None:
    old = finished.folder / "results/even_process"
    old.mkdir()
    (old / "clean.txt").write_text("01")
    done = finished.snakemake(*SMOKE, "--forcerun", "summarize", "--", "results/smoke/even_process/char/models.csv")
    assert done.returncode == 0, done.stdout
    assert "results/even_process was written by an earlier version of seqlab" in done.stdout
    assert (old / "clean.txt").exists()
