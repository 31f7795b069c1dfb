"""What happens when the database or the server does not do its part: one sentence, no receipt, nothing half done."""

import http.server
import re
import sqlite3
import threading
from pathlib import Path

import pytest
from tracked import Tree

from seqlab.io.errors import InputError
from seqlab.io.files import write_text
from seqlab.tracking.connection import MLFLOW_ENVIRONMENT, check_store, local_database, resolve_address
from seqlab.tracking.faults import explain_faults


def refused(tree: Tree, *words: str) -> str:
    """Tracking fails with one line that has all `words`, and leaves no receipt, not even an old one."""
    write_text(tree.receipt, "{}")
    with pytest.raises(InputError) as caught:
        tree.track()
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []
    assert not tree.receipt.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("module", "package"), [("psycopg2", "psycopg2-binary"), ("MySQLdb", "mysqlclient"), ("pyodbc",) * 2]
)
def test_the_package_of_a_database_that_is_not_installed_is_named(module: str, package: str) -> None:
    with (
        pytest.raises(InputError, match=f"needs the Python package {package}; install it"),
        explain_faults("postgresql://me:secret@there/db"),
    ):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)


@pytest.mark.parametrize(
    ("module", "uri"), [("mlflow.store", "postgresql://there/db"), ("psycopg2", "sqlite:///my.db")]
)
def test_a_package_that_is_missing_for_another_reason_is_a_fault_of_the_program(module: str, uri: str) -> None:
    with pytest.raises(ModuleNotFoundError), explain_faults(uri):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def test_a_read_only_database_is_an_input_error(small: Tree) -> None:
    database = small.results / "mlflow.db"
    with database.open("r+b") as file:  # a format that may be read and not written, whoever the user is
        file.seek(18)
        file.write(b"\x03")
    refused(small, small.uri, "is not writable")


def test_a_folder_in_place_of_the_database_is_an_input_error(small: Tree) -> None:
    small.uri = f"sqlite:///{small.results}"
    refused(small, small.uri, "is not writable")


@pytest.mark.parametrize("revision", ["older", "newer"])
def test_a_database_of_another_version_is_an_input_error(small: Tree, revision: str) -> None:
    """The version before the installed one, and one that the installed MLflow has never heard of."""
    with sqlite3.connect(small.results / "mlflow.db") as database:
        ((now,),) = database.execute("SELECT version_num FROM alembic_version")
        other = "f" * 12 if revision == "newer" else version_before(now)
        database.execute("UPDATE alembic_version SET version_num = ?", (other,))
    refused(small, small.uri, "do not fit the installed MLflow", "delete")


def version_before(revision: str) -> str:
    import mlflow.store.db_migrations

    folder = Path(mlflow.store.db_migrations.__path__[0]) / "versions"
    (file,) = (path for path in folder.glob("*.py") if path.name.startswith(revision))
    return re.search(r'^down_revision\b.*"(\w+)"', file.read_text(), flags=re.MULTILINE)[1]


def test_a_locked_database_is_an_input_error(small: Tree) -> None:
    with sqlite3.connect(small.results / "mlflow.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused(small, small.uri, "another program writes to it")


def test_a_file_that_is_no_database_is_an_input_error(small: Tree) -> None:
    write_text(small.results / "mlflow.db", "no database" * 100)
    refused(small, small.uri, "delete a local database")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("(sqlite3.OperationalError) database or disk is full", "the disk is full"),
        ("[Errno 28] No space left on device", "the disk is full"),
        ("Read timed out. (read timeout=9)", "does not answer in time"),
        (
            "RemoteDisconnected('Remote end closed connection without response')",
            "same command again to complete the runs",
        ),
    ],
)
def test_a_cause_has_its_remedy(message: str, told: str) -> None:
    with pytest.raises(InputError, match=told), explain_faults("sqlite:////tmp/mlflow.db"):
        raise OSError(message)


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), explain_faults("sqlite:////tmp/mlflow.db"):
        _ = 1 / 0


class Server(http.server.ThreadingHTTPServer):
    """A server that gives every call the same answer, or none."""

    daemon_threads = True

    def __init__(self, code: int | None, text: bytes = b"") -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if code is None:
                    released.wait(60)
                    return
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.released = released = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        (500, b"Internal Server Error", "the server failed; see its log"),
        (403, b"Invalid Host header - possible DNS rebinding attack detected", "use its IP address"),
        (403, b"Permission denied", "write access is denied"),
        (None, b"", "does not answer in time"),
    ],
)
def test_a_server_that_does_not_serve_is_an_input_error(
    small: Tree, monkeypatch: pytest.MonkeyPatch, code: int | None, text: bytes, told: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    if code is None:  # the others may take the time that they need
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with Server(code, text) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        small.uri = f"http://127.0.0.1:{server.server_port}"
        refused(small, small.uri, told)
        with pytest.raises(InputError, match=told):
            check_store(small.uri)
        server.released.set()
        server.shutdown()


def test_a_silent_server_holds_a_call_for_thirty_seconds_at_most() -> None:
    patience, retries = (int(MLFLOW_ENVIRONMENT[f"MLFLOW_HTTP_REQUEST_{name}"]) for name in ("TIMEOUT", "MAX_RETRIES"))
    pauses = sum(int(MLFLOW_ENVIRONMENT["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"]) * 2**n for n in range(1, retries))
    assert (retries + 1) * patience + pauses <= 30


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a server"):
        resolve_address(tmp_path, "mlruns")


def test_the_environment_names_a_server_unless_the_configuration_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there:5000")
    assert (resolve_address(tmp_path), resolve_address(tmp_path, "http://here:5000")) == (
        "http://there:5000",
        "http://here:5000",
    )
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert resolve_address(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_check_says_what_can_be_done(small: Tree) -> None:
    small.track()
    assert check_store(small.uri) == f"{small.uri} can be read and written; experiments: toy/char"


def test_an_absent_server_is_an_input_error(small: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    small.uri = "http://someone:secret@127.0.0.1:9"
    assert "secret" not in refused(small, "http://127.0.0.1:9", "no server listens there")


def test_a_moved_tree_is_an_input_error(small: Tree) -> None:
    small.track()
    moved = small.results.rename(small.results.parent / "moved")
    tree = Tree(moved, f"sqlite:///{moved}/mlflow.db")
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
