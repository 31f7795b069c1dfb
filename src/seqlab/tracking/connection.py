"""Addresses of MLflow databases and servers, and connections to them."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from seqlab.io.errors import InputError
from seqlab.io.files import create_private, read_json
from seqlab.io.names import check_address
from seqlab.tracking.faults import explain_faults, hide_password

MLFLOW_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",  # an advertisement on stderr for programs that write code
    # With the defaults a call waits four minutes for a missing server; with these 30 s for a silent one.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "9",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # hides tracebacks of errors that are reported in one sentence
}
RECEIPT_FILE = "tracking.json"  # in the folder of an experiment
LOCAL_PREFIX = "sqlite:///"
DATABASE_PREFIXES = (LOCAL_PREFIX, "postgresql", "mysql", "mssql")
SERVER_PREFIXES = ("http://", "https://")


def resolve_address(results: Path, address: str = "") -> str:
    """Return the address for the runs in `results`: `address`, else MLFLOW_TRACKING_URI, else the local database."""
    uri = address or os.environ.get("MLFLOW_TRACKING_URI", "")
    check_address(uri, "the tracking address")
    if uri and not uri.startswith((*DATABASE_PREFIXES, *SERVER_PREFIXES)):
        raise InputError(
            f"the tracking address {uri!r} is neither a server, such as http://127.0.0.1:5000, nor a database, such as "
            "sqlite:////folder/mlflow.db; correct or empty tracking.uri and MLFLOW_TRACKING_URI"
        )
    return uri or local_database(results)


def find_published_address(results: Path) -> str:
    """Return the address at which the runs in `results` are published: MLFLOW_TRACKING_URI, else the server in the
    newest receipt of an experiment, else the local database.
    """
    receipts = sorted(results.glob(f"*/{RECEIPT_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    is_local = os.environ.get("MLFLOW_TRACKING_URI") or not receipts
    return resolve_address(results, "" if is_local else read_json(receipts[-1]).get("server", ""))


def local_database(results: Path) -> str:
    """Return the URI of mlflow.db in `results`. MLflow stores absolute paths, so the database of a moved or copied
    folder is renamed to mlflow.db.moved, and the next call rebuilds it from the results.
    """
    database = results.resolve() / "mlflow.db"
    if database.exists():
        try:
            with closing(sqlite3.connect(database)) as connection:
                places = connection.execute(
                    "SELECT artifact_location FROM experiments WHERE name LIKE '%/%'"
                ).fetchall()
        except sqlite3.Error:
            places = []  # publishing reports the damage
        if any(not Path(place).is_relative_to(database.parent) for (place,) in places):
            database.replace(database.with_name("mlflow.db.moved"))
            print("mlflow.db belongs to another folder; it is kept as mlflow.db.moved and rebuilt", file=sys.stderr)
    return f"{LOCAL_PREFIX}{database}"


def is_server(uri: str) -> bool:
    """Return whether `uri` is a server, which several programs may use in parallel."""
    return uri.startswith(SERVER_PREFIXES)


def connect(uri: str) -> Any:
    """Return a client of `uri`; MLflow is imported here, since that takes seconds, and with telemetry off."""
    if uri.startswith(LOCAL_PREFIX):  # MLflow would try to open an unusable file ten times, for 100 s
        path = Path(uri.removeprefix(LOCAL_PREFIX))
        create_private(path)
        with closing(sqlite3.connect(path, timeout=5)) as database:
            database.execute("BEGIN IMMEDIATE")  # fails unless the file is a database, unlocked and writable
    for name, value in MLFLOW_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def ensure_experiment(client: Any, name: str, results: Path, uri: str) -> str:
    """Return the id of an MLflow experiment, created if missing and restored if deleted; servers choose the location of
    artifacts themselves.
    """
    artifacts = results.resolve() / "mlflow-artifacts"
    place = None if is_server(uri) else str(artifacts / name)
    if place:
        create_private(artifacts, folder=True)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        from mlflow.exceptions import MlflowException

        try:
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            experiment = client.get_experiment_by_name(name)  # another program was faster
    if uri.startswith(LOCAL_PREFIX) and experiment.artifact_location != place:  # of a moved folder
        location = f"{uri} keeps the artifacts of {name} in {experiment.artifact_location}, not in {place}"
        raise InputError(f"{location}; delete that database, which the next run rebuilds from the results")
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


@contextmanager
def sole_writer(results: Path, wait: bool = True) -> Iterator[bool]:
    """Lock the writing of the runs of `results` and yield whether that succeeded; true on file systems without locks.

    The follower does not wait for `track_runs`, which waits for one turn of the follower.
    """
    results.mkdir(parents=True, exist_ok=True)
    alone = True
    with ExitStack() as locks:
        try:
            locks.enter_context(FileLock(results / ".tracking.lock", blocking=wait, fallback_to_soft=False))
        except Timeout:
            alone = False
        except OSError:
            pass  # a file system without locks
        yield alone


def check_store(uri: str) -> str:
    """Read from `uri` and write to it, as publishing does, and return a sentence; InputError where either fails."""
    with explain_faults(uri):
        client = connect(uri)
        experiments = client.search_experiments(max_results=1000)
        if experiments:  # a search does not need write permission
            client.set_experiment_tag(experiments[0].experiment_id, "seqlab.checked", "true")
        names = ", ".join(sorted(experiment.name for experiment in experiments if "/" in experiment.name))
    return f"{hide_password(uri)} can be read and written; experiments: {names or 'none yet'}"
