"""Finished runs are mirrored into MLflow once, completely, and nowhere near training."""

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from made_results import make_results

from seqlab.errors import InputError
from seqlab.files import write_text
from seqlab.ledger.perplexity import read_metrics, write_metrics
from seqlab.tracking import ENVIRONMENT, local_database, track_runs

SOURCES = Path(__file__).parents[2] / "src"
SMALL = ("mkn-1", "lstm-1x8")  # one run and three runs, which with the summary make five


@dataclass
class Tree:
    """A tree of results and the database its runs go to."""

    results: Path
    folders: list[Path]
    uri: str

    @property
    def receipt(self) -> Path:
        return self.results / "tracking.json"

    def track(self) -> dict[str, Any]:
        track_runs(self.results, self.folders, self.uri, self.receipt)
        return json.loads(self.receipt.read_text())

    def runs(self, deleted: bool = False) -> dict[str, Any]:
        """The runs of the database by name; more than one of a name is a failure."""
        from mlflow.entities import ViewType

        client = self.client()
        experiment = client.get_experiment_by_name("toy/char")
        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        found = client.search_runs([experiment.experiment_id], run_view_type=view)
        by_name = {run.info.run_name: run for run in found}
        assert len(by_name) == len(found), "two runs of one name"
        return by_name

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri)

    def points(self, name: str) -> list[tuple[str, int, int, float]]:
        """Every stored point of a run."""
        run = self.runs()[name]
        history = [
            point for key in run.data.metrics for point in self.client().get_metric_history(run.info.run_id, key)
        ]
        return sorted((point.key, point.step, point.timestamp, point.value) for point in history)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and without runs: making the tables takes seconds, copying the file does not."""
    os.environ.update(ENVIRONMENT)
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


def grow(root: Path, database: Path, models: tuple[str, ...] | None = None) -> Tree:
    folders = [folder for folder in make_results(root) if models is None or folder.name in models]
    base = root / "results" / "toy" / "char"
    write_text(base / "summary.csv", "corpus,unit\n")
    write_text(base / "models.csv", "corpus,unit\n")
    write_text(base / "figures" / "bars.svg", "<svg/>\n")
    shutil.copy(database, root / "results" / "mlflow.db")
    return Tree(root / "results", folders, f"sqlite:///{root}/results/mlflow.db")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Tree:
    """All made results, published once; for tests that only look."""
    tree = grow(tmp_path_factory.mktemp("published"), empty_database)
    tree.track()
    return tree


@pytest.fixture
def small(tmp_path: Path, empty_database: Path) -> Tree:
    """A few results, not yet published; for tests that change something."""
    return grow(tmp_path, empty_database, SMALL)


def make_worse(folder: Path, seed: int | None) -> None:
    """Change the test scores of one seed, as a run with another outcome would."""
    metrics = read_metrics(folder / "metrics.json")
    for row in metrics["scores"]:
        if row["seed"] == seed and row["split"] == "test":
            row["perplexity"] += 1.0
    write_metrics(folder / "metrics.json", metrics)


def artifacts(tree: Tree, name: str, folder: str | None = None) -> set[str]:
    return {
        file.path for file in tree.client().list_artifacts(tree.runs()[name].info.run_id, folder) if not file.is_dir
    }


# what is published


def test_every_model_and_seed_is_a_run_and_the_summary_one_more(published: Tree) -> None:
    lstm = {f"lstm-{layers}x{hidden}-s{seed}" for layers in (1, 2) for hidden in (8, 16) for seed in (1, 2, 3)}
    others = {"true-source", "xz", "mkn-1", "mkn-2", "mkn-3", "mkn-3-counts-1-2", "mle-3", "summary"}
    assert set(published.runs()) == lstm | others


def test_every_run_is_finished_and_lasts_as_long_as_training(published: Tree) -> None:
    runs = [run for name, run in published.runs().items() if name != "summary"]
    assert {(run.info.status, run.info.end_time - run.info.start_time) for run in runs} == {("FINISHED", 1500)}


def test_params_are_the_settings_and_the_names(published: Tree) -> None:
    assert published.runs()["lstm-2x16-s3"].data.params == {
        "layers": "2", "hidden": "16", "cell": "lstm", "seed": "3", "family": "rnn", "model": "lstm-2x16"
    }  # fmt: skip


def test_nested_settings_get_short_names_unless_they_clash(small: Tree) -> None:
    card = small.folders[0] / "card.yaml"
    nested = "settings: {start: {value: 1}, stop: {value: 2, rate: 0.5}, seed: 7, smoothing: mkn"
    write_text(card, card.read_text().replace("settings:\n  smoothing: mkn\n  order: 1", nested + "}"))
    small.track()
    params = small.runs()["mkn-1"].data.params
    assert params == {
        "settings.start.value": "1", "settings.stop.value": "2", "rate": "0.5", "settings.seed": "7",
        "smoothing": "mkn", "family": "ngram", "model": "mkn-1",
    }  # fmt: skip


def test_curves_have_the_epoch_as_step(published: Tree) -> None:
    points = published.points("lstm-1x8-s2")
    curves = ["valid/loss", "valid/perplexity", "train/loss", "train/perplexity", "gradient_norm", "learning_rate"]
    assert {(key, step) for key, step, *_ in points if step} == {(key, step) for key in curves for step in (1, 2, 3, 4)}


def test_curves_belong_to_their_seed(published: Tree) -> None:
    rows = [line.split(",") for line in (published.folders[-1] / "history.csv").read_text().splitlines()]
    ours = [float(row[rows[0].index("valid_loss")]) for row in rows[1:] if row[1] == "2"]
    assert [value for key, *_, value in published.points("lstm-2x16-s2") if key == "valid/loss"] == ours


def test_final_figures_are_those_of_the_ledger(published: Tree) -> None:
    folder = next(folder for folder in published.folders if folder.name == "lstm-1x16")
    valid, test = (row for row in read_metrics(folder / "metrics.json")["scores"] if row["seed"] == 2)
    assert {key: value for key, step, _, value in published.points("lstm-1x16-s2") if step == 0} == {
        "test/perplexity": test["perplexity"],
        "test/bits_per_char": test["bits_per_char"],
        "test/bits_per_symbol": test["bits_per_symbol"],
        "best/valid_perplexity": valid["perplexity"],
        "parameters": 256.0,
        "train_seconds": 1.5,
    }


def test_tags_say_what_and_whence(published: Tree) -> None:
    tags = published.runs()["lstm-1x8-s2"].data.tags
    plain = {name: tags[name] for name in ("kind", "family", "corpus", "unit", "seed", "card", "data")}
    assert plain == {"kind": "model", "family": "rnn", "corpus": "toy", "unit": "char", "seed": "2",
                     "card": "3" * 64, "data": "0" * 64}  # fmt: skip
    assert {"run_key", "content", "commit", "dirty"} <= set(tags)


def test_keys_differ_between_all_runs(published: Tree) -> None:
    keys = [run.data.tags["run_key"] for run in published.runs().values()]
    assert len(set(keys)) == len(keys) == 20


def test_infinite_perplexity_is_left_out_and_named(published: Tree) -> None:
    data = published.runs()["mle-3"].data
    assert set(data.metrics) == {"parameters", "train_seconds"}
    assert data.tags["infinite"] == ("best/valid_perplexity, test/bits_per_char, test/bits_per_symbol, test/perplexity")


def test_finite_runs_carry_no_tag_of_infinity(published: Tree) -> None:
    assert [name for name, run in published.runs().items() if "infinite" in run.data.tags] == ["mle-3"]


def test_a_run_carries_its_card_and_sample_and_nothing_else(published: Tree) -> None:
    assert artifacts(published, "mkn-2") == {"card.yaml", "sample.txt"}


def test_a_model_without_sample_carries_its_card(published: Tree) -> None:
    assert artifacts(published, "xz") == {"card.yaml"}


def test_the_summary_carries_tables_and_figures(published: Tree) -> None:
    found = artifacts(published, "summary") | artifacts(published, "summary", "figures")
    assert found == {"summary.csv", "models.csv", "figures/bars.svg"}


def test_artifacts_lie_beside_the_results(published: Tree) -> None:
    place = published.client().get_experiment_by_name("toy/char").artifact_location
    assert place == str(published.results / "mlflow-artifacts" / "toy" / "char")


def test_the_receipt_counts_what_was_done(published: Tree) -> None:
    assert json.loads(published.receipt.read_text()) == {
        "runs": 20, "created": 20, "unchanged": 0, "superseded": 0, "experiments": {"toy/char": 20}
    }  # fmt: skip


# what a repeat does


def test_a_repeat_creates_nothing(small: Tree) -> None:
    small.track()
    before = {name: (run.info.run_id, small.points(name)) for name, run in small.runs().items()}
    assert small.track() == {"runs": 5, "created": 0, "unchanged": 5, "superseded": 0, "experiments": {"toy/char": 5}}
    assert {name: (run.info.run_id, small.points(name)) for name, run in small.runs().items()} == before


def test_another_training_time_alone_changes_nothing(small: Tree) -> None:
    small.track()
    metrics = read_metrics(small.folders[0] / "metrics.json")
    write_metrics(small.folders[0] / "metrics.json", metrics | {"train_seconds": 99.0})
    assert small.track()["unchanged"] == 5


def test_changed_metrics_supersede_that_seed_only(small: Tree) -> None:
    small.track()
    old = small.runs()["lstm-1x8-s2"]
    make_worse(small.folders[1], seed=2)
    report = small.track()
    assert (report["created"], report["unchanged"], report["superseded"]) == (1, 4, 1)
    new = small.runs()["lstm-1x8-s2"]
    assert math.isclose(new.data.metrics["test/perplexity"], old.data.metrics["test/perplexity"] + 1.0)


def test_a_superseded_run_is_kept_deleted_and_names_its_successor(small: Tree) -> None:
    small.track()
    old = small.runs()["mkn-1"].info.run_id
    make_worse(small.folders[0], seed=None)
    small.track()
    gone = small.runs(deleted=True)["mkn-1"]
    assert (gone.info.run_id, gone.data.tags["superseded_by"]) == (old, small.runs()["mkn-1"].info.run_id)


def test_a_changed_figure_supersedes_the_summary(small: Tree) -> None:
    small.track()
    write_text(small.results / "toy" / "char" / "figures" / "bars.svg", "<svg><rect/></svg>\n")
    report = small.track()
    assert (report["superseded"], set(small.runs(deleted=True))) == (1, {"summary"})


def test_a_half_mirrored_run_is_completed(small: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(MlflowClient, "log_artifact", broken)  # parameters and metrics are written by then
        small.track()
    ((name, half),) = small.runs().items()
    assert half.info.status == "RUNNING"
    assert small.track()["created"] == 5
    whole = small.runs()[name]
    assert (whole.info.run_id, whole.info.status) == (half.info.run_id, "FINISHED")
    assert artifacts(small, name) == {"card.yaml", "sample.txt"}
    assert len({point[:2] for point in small.points(name)}) == len(small.points(name)), "a point was written twice"


def test_a_half_mirrored_run_of_other_content_is_superseded(small: Tree) -> None:
    small.track()
    half = small.runs()["mkn-1"].info.run_id
    small.client().delete_tag(half, "content")
    make_worse(small.folders[0], seed=None)
    assert small.track()["superseded"] == 1
    assert small.runs()["mkn-1"].info.run_id != half


def test_of_duplicates_the_oldest_stays(small: Tree) -> None:
    small.track()
    first = small.runs()["mkn-1"]
    experiment = first.info.experiment_id
    small.client().create_run(experiment, first.info.start_time + 1, first.data.tags, "mkn-1")
    assert small.track()["unchanged"] == 5
    assert small.runs()["mkn-1"].info.run_id == first.info.run_id


def test_runs_of_absent_models_are_left_alone(small: Tree) -> None:
    small.track()
    small.folders = small.folders[:1]
    assert small.track()["runs"] == 2
    assert "lstm-1x8-s1" in small.runs()


def test_a_lost_database_is_rebuilt_with_the_same_points(small: Tree, empty_database: Path) -> None:
    small.track()
    before = small.points("lstm-1x8-s1")
    again = small.results / "again.db"
    shutil.copy(empty_database, again)
    small.uri = f"sqlite:///{again}"
    small.track()
    assert small.points("lstm-1x8-s1") == before


# what fails


def refused(tree: Tree, *words: str) -> str:
    """Tracking fails with one line that has all `words`, and leaves no receipt, not even an old one."""
    write_text(tree.receipt, "{}")
    with pytest.raises(InputError) as caught:
        tree.track()
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []
    assert not tree.receipt.exists()
    return str(caught.value)


def test_a_read_only_database_is_an_input_error(small: Tree) -> None:
    database = small.results / "mlflow.db"
    with database.open("r+b") as file:  # a format that may be read and not written, whoever the user is
        file.seek(18)
        file.write(b"\x03")
    refused(small, small.uri, "cannot be written")


def test_a_folder_in_place_of_the_database_is_an_input_error(small: Tree) -> None:
    small.uri = f"sqlite:///{small.results}"
    refused(small, small.uri, "cannot be written")


def test_a_database_of_another_version_is_an_input_error(small: Tree) -> None:
    import sqlite3

    with sqlite3.connect(small.results / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")
    refused(small, small.uri, "not those of the installed MLflow", "delete")


def test_an_absent_server_is_an_input_error(small: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    small.uri = "http://someone:secret@127.0.0.1:9"
    assert "secret" not in refused(small, "http://127.0.0.1:9", "does not answer")


def test_a_moved_tree_is_an_input_error(small: Tree) -> None:
    small.track()
    moved = small.results.rename(small.results.parent / "moved")
    tree = Tree(moved, [moved / folder.relative_to(small.results) for folder in small.folders], "")
    tree.uri = f"sqlite:///{moved}/mlflow.db"
    refused(tree, str(small.results), "delete that database")


def test_the_local_database_of_a_moved_tree_is_set_aside(small: Tree) -> None:
    small.track()
    moved = small.results.rename(small.results.parent / "moved")
    uri = local_database(moved)
    assert uri == f"sqlite:///{moved}/mlflow.db"
    assert [(moved / name).exists() for name in ("mlflow.db", "mlflow.db.moved")] == [False, True]


def test_the_local_database_stays_where_it_belongs(small: Tree) -> None:
    small.track()
    local_database(small.results)
    assert (small.results / "mlflow.db").exists()


# what training knows of it


def imported_by(modules: list[str]) -> set[str]:
    """The top-level packages loaded after `modules` were imported in a new process."""
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_training_never_imports_mlflow() -> None:
    files = [
        path for package in ("ngram", "rnn", "ledger", "text") for path in (SOURCES / "seqlab" / package).glob("*.py")
    ]
    modules = sorted(".".join(path.relative_to(SOURCES).with_suffix("").parts) for path in files)
    assert "seqlab.ledger.scores" in modules
    assert "mlflow" not in imported_by(modules)


def test_tracking_imports_mlflow_only_when_it_is_used() -> None:
    assert "mlflow" not in imported_by(["seqlab.tracking"])
