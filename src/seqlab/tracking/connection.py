"""Where the runs go, and how to get there: a local database, or a server."""

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
from seqlab.tracking.faults import faults_named, without_password

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # The defaults keep one call waiting four minutes for an absent server; these make it 30 s for a silent one.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "9",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # MLflow prints a traceback of each error that is reported here in one sentence
}
RECEIPT = "tracking.json"  # in the folder of an experiment
LOCAL = "sqlite:///"
DATABASES = (LOCAL, "postgresql", "mysql", "mssql")
SERVERS = ("http://", "https://")


def address(results: Path, given: str = "") -> str:
    """Where the runs in `results` go: `given`, else MLFLOW_TRACKING_URI, else the database among the results."""
    uri = given or os.environ.get("MLFLOW_TRACKING_URI", "")
    check_address(uri, "the tracking address")
    if uri and not uri.startswith((*DATABASES, *SERVERS)):
        raise InputError(
            f"the tracking address {uri!r} is neither a server, such as http://127.0.0.1:5000, nor a database, such as "
            "sqlite:////folder/mlflow.db; correct tracking.uri or MLFLOW_TRACKING_URI, or leave them empty"
        )
    return uri or local_database(results)


def published_to(results: Path) -> str:
    """Where the runs in `results` can be seen: MLFLOW_TRACKING_URI, else the server that they were last published to
    according to the newest receipt of an experiment, else the database among the results.
    """
    receipts = sorted(results.glob(f"*/{RECEIPT}"), key=lambda path: path.stat().st_mtime_ns)
    told = os.environ.get("MLFLOW_TRACKING_URI") or not receipts
    return address(results, "" if told else read_json(receipts[-1]).get("server", ""))


def local_database(results: Path) -> str:
    """The URI of mlflow.db among the results. MLflow stores absolute paths, so a database that came here with a moved
    or copied folder is set aside as mlflow.db.moved: the next call makes a new one from the results.
    """
    database = results.resolve() / "mlflow.db"
    if database.exists():
        try:
            with closing(sqlite3.connect(database)) as connection:
                places = connection.execute(
                    "SELECT artifact_location FROM experiments WHERE name LIKE '%/%'"
                ).fetchall()
        except sqlite3.Error:
            places = []  # not a whole database: publishing says what is wrong with it
        if any(not Path(place).is_relative_to(database.parent) for (place,) in places):
            database.replace(database.with_name("mlflow.db.moved"))
            print("mlflow.db belongs to another folder; kept as mlflow.db.moved and made anew", file=sys.stderr)
    return f"{LOCAL}{database}"


def is_server(uri: str) -> bool:
    """Whether the runs go through a server, which others may use at the same time."""
    return uri.startswith(SERVERS)


def connect(uri: str) -> Any:
    """A client of `uri`; the import takes seconds, so it happens here, and telemetry is off before it."""
    if uri.startswith(LOCAL):  # MLflow would try ten times, for 100 s, to open a file that cannot be opened
        path = Path(uri.removeprefix(LOCAL))
        create_private(path)
        with closing(sqlite3.connect(path, timeout=5)) as database:
            database.execute("BEGIN IMMEDIATE")  # fails unless the file is a database, unlocked and writable
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: Any, name: str, results: Path, uri: str) -> str:
    """The id of an experiment, made if need be and brought back if it was deleted; a server chooses the place of
    artifacts itself.
    """
    artifacts = results.resolve() / "mlflow-artifacts"
    place = None if is_server(uri) else str(artifacts / name)
    if place:
        create_private(artifacts, folder=True)
    found = client.get_experiment_by_name(name)
    if found is None:
        from mlflow.exceptions import MlflowException

        try:
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)  # another program was faster
    if uri.startswith(LOCAL) and found.artifact_location != place:  # a moved tree: its links would lead nowhere
        there = f"{uri} keeps the artifacts of {name} in {found.artifact_location}, not in {place}"
        raise InputError(f"{there}; delete that database, the next run rebuilds it from the results")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextmanager
def sole_writer(results: Path, wait: bool = True) -> Iterator[bool]:
    """Whether this program alone writes the runs of `results` while the block lasts; true at once where file locks are
    not to be had. The follower does not wait for `track_runs`, which waits for one turn of the follower.
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
    """Read from `uri` and write to it as publishing would; returns one sentence. InputError names the cause and the
    remedy where either fails.
    """
    with faults_named(uri):
        client = connect(uri)
        experiments = client.search_experiments(max_results=1000)
        if experiments:  # the answer to a search does not prove that one may write
            client.set_experiment_tag(experiments[0].experiment_id, "seqlab.checked", "true")
        names = ", ".join(sorted(experiment.name for experiment in experiments if "/" in experiment.name))
    return f"{without_password(uri)} can be read and written; experiments: {names or 'none yet'}"
