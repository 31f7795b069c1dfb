"""Start and stop of a dashboard: the socket, the token and the session file beside the database."""

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqlab.dashboard.guard import STOP_REQUEST, Key
from seqlab.dashboard.guide import list_links
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.tracking.connection import local_database

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 120  # a loaded machine with two cores takes about 30
SESSION_FILE = ".dashboard.json"  # beside the database while it is served
LOG_FILE = "dashboard.log"
SEARCH_PATH = "api/2.0/mlflow/experiments/search?max_results=1"  # of the API; the page puts "ajax-" before it


def open_socket(preferred_port: int) -> socket.socket:
    """Return a listening socket on the loopback interface, at `preferred_port` or, if in use, at another port."""
    for port in (preferred_port, 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # reuses the port of a server that just stopped
        try:
            listening.bind((HOST, port))
            listening.listen(100)
            return listening
        except OSError:
            listening.close()
    raise InputError(f"no port of {HOST} is free; close other servers and try again")


def send_request(address: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    """Return the answer of a server on this machine, without proxies; OSError where there is none."""
    request = urllib.request.Request(address, headers=dict(headers), method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return bytes(answer.read())


def is_answering(address: str, headers: Mapping[str, str]) -> bool:
    """Return whether the search at `address` works; MLflow's page /health answers earlier than other pages."""
    try:
        return "experiments" in json.loads(send_request(address, headers))
    except (OSError, ValueError):
        return False


def serve_dashboard(results: Path, preferred_port: int, writable: bool = False) -> None:
    """Serve the database of `results` until Ctrl-C, SIGTERM or `stop_dashboard`, and print the links.

    Use another port where `preferred_port` is in use. With `writable` the page edits runs. Raise InputError where the
    database is missing, a dashboard already runs, or the server fails.
    """
    results = results.resolve()
    if not (results / "mlflow.db").exists():
        raise InputError(f"{results / 'mlflow.db'} does not exist; run the workflow first, whose last step writes it")
    if note := _running(results):
        raise InputError(
            f"a dashboard of {results} already runs at port {note['port']} of this machine; open its link, or stop "
            "it with make dashboard-stop"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the server as Ctrl-C does
    print("starting the dashboard; this takes some seconds", file=sys.stderr)
    key = Key()
    with open_socket(preferred_port) as listening, _server(results, key, writable, listening) as server:
        port = listening.getsockname()[1]
        listening.close()  # the server keeps it open
        address = f"http://{HOST}:{port}"
        try:
            with _private():
                place = {"results": str(results), "machine": socket.gethostname(), "port": port}
                write_json(results / SESSION_FILE, place | {"base": key.base, "token": key.token}, checksum=False)
            lines = list_links(local_database(results), address + key.base)
            _wait_until_ready(
                server, f"{address}{key.base}ajax-{SEARCH_PATH}", {"Cookie": key.cookie}, results / LOG_FILE
            )
            print(
                *_head(address, key),
                *lines,
                "",
                "Ctrl-C or `make dashboard-stop` stops the dashboard",
                sep="\n",
                flush=True,
            )
            if server.wait():
                raise _ended(server, results / LOG_FILE)
        except KeyboardInterrupt:
            pass
        finally:
            if _noted(results).get("token") == key.token:
                (results / SESSION_FILE).unlink()
    print("the dashboard is stopped", file=sys.stderr)


def stop_dashboard(results: Path) -> None:
    """Stop the dashboard of `results`; InputError where none runs on this machine."""
    results = results.resolve()
    note = _running(results)
    if note is None:
        raise InputError(f"no dashboard of {results} runs on this machine; make dashboard starts one")
    method, path = STOP_REQUEST.split()
    send_request(f"http://{HOST}:{note['port']}{note['base'].rstrip('/')}{path}", _cookie(note), method)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (results / SESSION_FILE).exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _head(address: str, key: Key) -> Iterator[str]:
    """Yield the first lines, one of which holds the token."""
    port = address.rpartition(":")[2]
    if {"SSH_CONNECTION", "SLURM_JOB_ID"} & set(os.environ):
        yield "to open the links on your own machine, run there:"
        yield f"  ssh -N -L {port}:{HOST}:{port} {getpass.getuser()}@{socket.getfqdn()}"
        yield ""
    yield "open this link first; it unlocks the other links in this browser until the dashboard stops"
    yield f"  {address}/?token={key.token}#/experiments"


@contextmanager
def _server(results: Path, key: Key, writable: bool, listening: socket.socket) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the server program during the block; its log goes to a file beside the database."""
    program = [sys.executable, "-m", "seqlab.dashboard.server", "--socket", str(listening.fileno())]
    settings = {"results": str(results), "token": key.token, "base": key.base, "writable": writable}
    (results / LOG_FILE).unlink(missing_ok=True)
    with _private(), (results / LOG_FILE).open("xb") as log:
        server = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )
    assert server.stdin is not None
    try:
        server.stdin.write(json.dumps(settings).encode() + b"\n")
        server.stdin.flush()
        yield server
    finally:
        server.stdin.close()  # ends the server
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: "subprocess.Popen[bytes]", address: str, headers: dict[str, str], log: Path) -> None:
    """Return as soon as the server answers; InputError where it ends or does not answer in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise _ended(server, log)
        if is_answering(address, headers):
            return
        time.sleep(0.1)
    raise InputError(
        f"the MLflow server did not answer within {TIMEOUT_SECONDS} s; see {log}, or use a less busy machine"
    )


def _ended(server: "subprocess.Popen[bytes]", log: Path) -> InputError:
    return InputError(f"the MLflow server ended with code {server.returncode}; see {log}")


def _running(results: Path) -> dict[str, Any] | None:
    """Return the note of a running dashboard of `results` on this machine; InputError where it runs on another."""
    note = _noted(results)
    if not note:
        return None
    if note.get("results") != str(results):  # copied with other results
        (results / SESSION_FILE).unlink()
        return None
    if note["machine"] != socket.gethostname():
        raise InputError(
            f"the dashboard of {results} runs on {note['machine']}; stop it there with make dashboard-stop, or delete "
            f"{results / SESSION_FILE} if that machine was restarted"
        )
    if is_answering(f"http://{HOST}:{note['port']}{note['base']}ajax-{SEARCH_PATH}", _cookie(note)):
        return note
    (results / SESSION_FILE).unlink()  # it was killed
    return None


def _noted(results: Path) -> dict[str, Any]:
    """Return the content of the session file; empty without one, InputError for that of another account."""
    note = results / SESSION_FILE
    try:
        if note.lstat().st_uid != os.getuid():
            raise InputError(f"{note} belongs to another account; delete it")
        return read_json(note)
    except FileNotFoundError:
        return {}


def _cookie(note: dict[str, Any]) -> dict[str, str]:
    return {"Cookie": Key(note["token"], note["base"]).cookie}


@contextmanager
def _private() -> Iterator[None]:
    """Create files that other accounts can't read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
