"""What happens when the database or the server does not do its part: one sentence, no receipt, nothing half done."""

import pytest
from tracked import Tree

from seqlab.errors import InputError
from seqlab.files import write_text
from seqlab.tracking.connection import local_database


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
    assert "secret" not in refused(small, "http://127.0.0.1:9", "no server listens there")


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
