"""What publishing does with runs that are there already: nothing is lost and nothing is doubled."""

import math
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tracked import SMALL, Tree, grow, keep_only, make_worse

from seqlab.io.errors import InputError
from seqlab.io.files import write_text
from seqlab.ledger.perplexity import read_metrics, write_metrics


def test_a_repeat_creates_nothing(small: Tree) -> None:
    small.track()
    before = {name: (run.info.run_id, small.points(name)) for name, run in small.runs().items()}
    assert small.track() == {
        "experiment": "made", "runs": 5, "created": 0, "unchanged": 5, "superseded": 0, "places": {"toy/char": 5}
    }  # fmt: skip
    assert {name: (run.info.run_id, small.points(name)) for name, run in small.runs().items()} == before


def test_another_training_time_alone_changes_nothing(small: Tree) -> None:
    small.track()
    path = small.run("mkn-1").file("metrics.json")
    write_metrics(path, read_metrics(path) | {"train_seconds": 99.0})
    assert small.track()["unchanged"] == 5


def test_changed_metrics_supersede_that_seed_only(small: Tree) -> None:
    small.track()
    old = small.runs()["lstm-1x8-s2"]
    make_worse(small.run("lstm-1x8"), seed=2)
    report = small.track()
    assert (report["created"], report["unchanged"], report["superseded"]) == (1, 4, 1)
    new = small.runs()["lstm-1x8-s2"]
    assert math.isclose(new.data.metrics["test/perplexity"], old.data.metrics["test/perplexity"] + 1.0)


def test_a_superseded_run_is_kept_deleted_and_names_its_successor(small: Tree) -> None:
    small.track()
    old = small.runs()["mkn-1"].info.run_id
    make_worse(small.run("mkn-1"), seed=None)
    small.track()
    gone = small.runs(deleted=True)["mkn-1"]
    assert (gone.info.run_id, gone.data.tags["superseded_by"]) == (old, small.runs()["mkn-1"].info.run_id)


def test_a_changed_figure_supersedes_the_run_of_the_experiment(small: Tree) -> None:
    small.track()
    write_text(small.place.file("figures/bars.svg"), "<svg><rect/></svg>\n")
    report = small.track()
    assert (report["superseded"], set(small.runs(deleted=True))) == (1, {"experiment made"})


def test_a_half_mirrored_run_is_completed(small: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    log_artifact = MlflowClient.log_artifact

    def broken(client: MlflowClient, run: str, path: str, folder: str | None = None) -> None:
        if path.endswith("card.yaml"):
            raise KeyboardInterrupt
        log_artifact(client, run, path, folder)

    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(MlflowClient, "log_artifact", broken)  # parameters and metrics are written by then
        small.track()
    name = "lstm-1x8-s1"  # the first after that of the experiment
    half = small.runs()[name]
    assert half.info.status == "RUNNING"
    assert small.track()["created"] == 4
    whole = small.runs()[name]
    assert (whole.info.run_id, whole.info.status) == (half.info.run_id, "FINISHED")
    assert small.artifacts(name) == {"card.yaml", "sample.txt"}
    assert len({point[:2] for point in small.points(name)}) == len(small.points(name)), "a point was written twice"


def test_a_half_mirrored_run_of_other_content_is_superseded(small: Tree) -> None:
    small.track()
    half = small.runs()["mkn-1"].info.run_id
    small.client().delete_tag(half, "content")
    make_worse(small.run("mkn-1"), seed=None)
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
    keep_only(small, ("mkn-1",))
    assert small.track()["runs"] == 2
    assert "lstm-1x8-s1" in small.runs()


def test_the_same_settings_in_two_experiments_are_two_runs(small: Tree) -> None:
    small.track()
    before = {name: (run.info.run_id, run.data.tags) for name, run in small.runs().items()}
    other = grow(small.results.parent, None, SMALL, experiment="other")
    make_worse(other.run("mkn-1"), seed=None)
    assert other.track()["created"] == 5
    assert {name: (run.info.run_id, run.data.tags) for name, run in small.runs().items()} == before
    assert not {run.info.run_id for run in other.runs().values()} & {run_id for run_id, _ in before.values()}


def test_a_repeat_in_one_experiment_writes_nothing_beside_another(small: Tree) -> None:
    other = grow(small.results.parent, None, SMALL, experiment="other")
    small.track(), other.track()
    with sqlite3.connect(small.results / "mlflow.db") as database:
        before = "\n".join(database.iterdump())
    small.track(), other.track()
    with sqlite3.connect(small.results / "mlflow.db") as database:
        assert "\n".join(database.iterdump()) == before


def test_the_description_of_a_text_has_the_answer_of_every_experiment(small: Tree) -> None:
    small.track()
    grow(small.results.parent, None, ("mkn-1",), experiment="other").track()
    description = small.client().get_experiment_by_name("toy/char").tags["mlflow.note.content"]
    first, second = description.split("; other: ")
    assert first.startswith("toy by char: made: lstm-1x8 is best, test perplexity 2.676; ")
    assert second.startswith("mkn-1 is best")


def test_a_lost_database_is_rebuilt_with_the_same_points(small: Tree, empty_database: Path) -> None:
    small.track()
    before = small.points("lstm-1x8-s1")
    again = small.results / "again.db"
    shutil.copy(empty_database, again)
    small.uri = f"sqlite:///{again}"
    small.track()
    assert small.points("lstm-1x8-s1") == before


def test_children_follow_a_parent_that_was_superseded(small: Tree) -> None:
    small.track()
    write_text(small.place.file("figures/bars.svg"), "<svg><rect/></svg>\n")
    small.track()
    runs = small.runs()
    assert runs["mkn-1"].data.tags["mlflow.parentRunId"] == runs["experiment made"].info.run_id


def test_a_run_deleted_by_hand_comes_back_as_it_was(small: Tree) -> None:
    small.track()
    run = small.runs()["mkn-1"].info.run_id
    small.client().delete_run(run)
    assert small.track()["unchanged"] == 5
    assert small.runs()["mkn-1"].info.run_id == run


def test_results_that_are_as_they_once_were_bring_the_old_run_back(small: Tree) -> None:
    small.track()
    path = Path(small.run("mkn-1").file("metrics.json"))
    first, metrics = small.runs()["mkn-1"].info.run_id, path.read_text()
    make_worse(small.run("mkn-1"), seed=None)
    small.track()
    write_text(path, metrics)
    small.track()
    run = small.runs()["mkn-1"]
    assert (run.info.run_id, "superseded_by" in run.data.tags) == (first, False)


def test_a_deleted_experiment_comes_back_without_what_was_superseded(small: Tree) -> None:
    small.track()
    make_worse(small.run("mkn-1"), seed=None)
    small.track()
    before = {name: run.info.run_id for name, run in small.runs().items()}
    client = small.client()
    client.delete_experiment(client.get_experiment_by_name("toy/char").experiment_id)
    assert small.track()["unchanged"] == 5
    assert {name: run.info.run_id for name, run in small.runs().items()} == before


def test_a_repeat_writes_nothing_at_all(small: Tree) -> None:
    small.track()
    with sqlite3.connect(small.results / "mlflow.db") as database:
        before = "\n".join(database.iterdump())
    small.track()
    with sqlite3.connect(small.results / "mlflow.db") as database:
        assert "\n".join(database.iterdump()) == before


def test_a_creation_whose_answer_was_lost_leaves_one_run(small: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's client asks again, and the server makes a run each time; only the last is heard of."""
    from mlflow import MlflowClient

    create_run = MlflowClient.create_run

    def twice(*arguments: Any, **named: Any) -> Any:
        create_run(*arguments, **named)
        return create_run(*arguments, **named)

    with monkeypatch.context() as lossy:
        lossy.setattr(MlflowClient, "create_run", twice)
        assert small.track()["created"] == 5
    assert {run.info.status for run in small.runs().values()} == {"FINISHED"}
    assert small.track()["unchanged"] == 5


def test_a_disk_that_is_full_loses_nothing(small: Tree) -> None:
    """The database may not grow beyond what it has, until there is room again."""
    import sqlalchemy
    from sqlalchemy import event

    def no_room(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # that is: as many as there are

    event.listen(sqlalchemy.engine.Engine, "connect", no_room)
    try:
        with pytest.raises(InputError, match="the disk is full; free disk space"):
            small.track()
    finally:
        event.remove(sqlalchemy.engine.Engine, "connect", no_room)
    assert not small.receipt.exists()
    small.uri += "?again=1"  # MLflow keeps connections by address; these have no limit
    assert small.track()["runs"] == len(small.runs()) == 5
