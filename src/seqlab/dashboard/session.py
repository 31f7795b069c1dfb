"""Starting and stopping a dashboard: the socket, the token and the note beside the database.

The other modules, in the order in which to read them: `routes`, the list of what is open; `guard`, who may ask;
`server`, the program that serves, with `page.html`, which hides what is shut; and `guide`, the links that are printed.
"""

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

from seqlab.dashboard.guard import STOP, Key
from seqlab.dashboard.guide import guide
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.tracking.connection import local_database

HOST = "127.0.0.1"
PATIENCE = 120  # seconds; a loaded machine of two cores takes about 30
SESSION_FILE = ".dashboard.json"  # beside the database while it is served
LOG = "dashboard.log"
SEARCH = "api/2.0/mlflow/experiments/search?max_results=1"  # after "" or "ajax-", which the page uses


def listen(wanted_port: int) -> socket.socket:
    """A socket that listens on the loopback interface: at `wanted_port` where that is free, else at another port."""
    for port in (wanted_port, 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server just stopped is no obstacle
        try:
            listening.bind((HOST, port))
            listening.listen(100)
            return listening
        except OSError:
            listening.close()
    raise InputError(f"no port of {HOST} is free; close other servers and try again")


def ask(address: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    """The answer of a server on this machine, which no proxy can reach; OSError where there is none."""
    request = urllib.request.Request(address, headers=dict(headers), method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return bytes(answer.read())


def answers(address: str, headers: Mapping[str, str]) -> bool:
    """Ask MLflow a real question, the address of a search: its page /health says yes before others do."""
    try:
        return "experiments" in json.loads(ask(address, headers))
    except (OSError, ValueError):
        return False


def serve(results: Path, wanted_port: int, writable: bool = False) -> None:
    """Serve the database of `results` until Ctrl-C, SIGTERM or `stop`, and print the links when the server answers.

    Another port is taken where `wanted_port` is in use. With `writable` the page edits runs. Raises InputError where
    there is no database yet, a dashboard runs already, or the server fails.
    """
    results = results.resolve()
    if not (results / "mlflow.db").exists():
        raise InputError(f"{results / 'mlflow.db'} does not exist; run the workflow first, its last step makes it")
    if note := _running(results):
        raise InputError(
            f"a dashboard of {results} runs already at port {note['port']} of this machine; open the link that it "
            "printed, or stop it with make dashboard-stop"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C and leaves no server behind
    print("starting the dashboard; this takes some seconds", file=sys.stderr)
    key = Key()
    with listen(wanted_port) as listening, _server(results, key, writable, listening) as server:
        port = listening.getsockname()[1]
        listening.close()  # the server has it
        address = f"http://{HOST}:{port}"
        try:
            with _private():
                place = {"results": str(results), "machine": socket.gethostname(), "port": port}
                write_json(results / SESSION_FILE, place | {"base": key.base, "token": key.token}, checksum=False)
            lines = guide(local_database(results), address + key.base)
            _wait_until_ready(server, f"{address}{key.base}ajax-{SEARCH}", {"Cookie": key.cookie}, results / LOG)
            print(
                *_head(address, key),
                *lines,
                "",
                "Ctrl-C or `make dashboard-stop` stops the dashboard",
                sep="\n",
                flush=True,
            )
            if server.wait():
                raise _ended(server, results / LOG)
        except KeyboardInterrupt:
            pass
        finally:
            if _noted(results).get("token") == key.token:
                (results / SESSION_FILE).unlink()
    print("the dashboard is stopped", file=sys.stderr)


def stop(results: Path) -> None:
    """Stop the dashboard of `results`; InputError where none runs on this machine."""
    results = results.resolve()
    note = _running(results)
    if note is None:
        raise InputError(f"no dashboard of {results} runs on this machine; make dashboard starts one")
    method, path = STOP.split()
    ask(f"http://{HOST}:{note['port']}{note['base'].rstrip('/')}{path}", _cookie(note), method)
    deadline = time.monotonic() + PATIENCE
    while (results / SESSION_FILE).exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _head(address: str, key: Key) -> Iterator[str]:
    """The lines on top, of which one holds the token."""
    port = address.rpartition(":")[2]
    if {"SSH_CONNECTION", "SLURM_JOB_ID"} & set(os.environ):
        yield "on your own machine, which the links then open on:"
        yield f"  ssh -N -L {port}:{HOST}:{port} {getpass.getuser()}@{socket.getfqdn()}"
        yield ""
    yield "open this first: the browser then opens the other links too, until the dashboard ends"
    yield f"  {address}/?token={key.token}#/experiments"


@contextmanager
def _server(results: Path, key: Key, writable: bool, listening: socket.socket) -> Iterator["subprocess.Popen[bytes]"]:
    """The program that serves, while the block lasts; its log goes to a file beside the database."""
    program = [sys.executable, "-m", "seqlab.dashboard.server", "--socket", str(listening.fileno())]
    settings = {"results": str(results), "token": key.token, "base": key.base, "writable": writable}
    (results / LOG).unlink(missing_ok=True)
    with _private(), (results / LOG).open("xb") as log:
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
        server.stdin.close()  # which ends it
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: "subprocess.Popen[bytes]", address: str, headers: dict[str, str], log: Path) -> None:
    """Return as soon as the server answers a real call; InputError where it ends or stays silent."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise _ended(server, log)
        if answers(address, headers):
            return
        time.sleep(0.1)
    raise InputError(f"the MLflow server gave no answer in {PATIENCE} s; see {log}, or try on a less busy machine")


def _ended(server: "subprocess.Popen[bytes]", log: Path) -> InputError:
    return InputError(f"the MLflow server ended with code {server.returncode}; {log} says why")


def _running(results: Path) -> dict[str, Any] | None:
    """The note of the dashboard of `results` that runs on this machine; InputError where it runs on another."""
    note = _noted(results)
    if not note:
        return None
    if note.get("results") != str(results):  # it came with a copy of those results, whose dashboard this is not
        (results / SESSION_FILE).unlink()
        return None
    if note["machine"] != socket.gethostname():
        raise InputError(
            f"the dashboard of {results} runs on {note['machine']}; stop it there with make dashboard-stop, or delete "
            f"{results / SESSION_FILE} if that machine was restarted"
        )
    if answers(f"http://{HOST}:{note['port']}{note['base']}ajax-{SEARCH}", _cookie(note)):
        return note
    (results / SESSION_FILE).unlink()  # it was killed
    return None


def _noted(results: Path) -> dict[str, Any]:
    """The content of the note; nothing where there is none, or another account has written it."""
    note = results / SESSION_FILE
    try:
        if note.lstat().st_uid != os.getuid():
            raise InputError(f"{note} is not yours; delete it")
        return read_json(note)
    except FileNotFoundError:
        return {}


def _cookie(note: dict[str, Any]) -> dict[str, str]:
    return {"Cookie": Key(note["token"], note["base"]).cookie}


@contextmanager
def _private() -> Iterator[None]:
    """Files that are made in the block can't be read by other accounts."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
