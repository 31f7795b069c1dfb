"""MLflow's pages about the tracked runs, served on this machine only."""

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from seqlab.errors import InputError
from seqlab.files import read_json, write_json
from seqlab.tracking.connection import connect
from seqlab.tracking.faults import faults_named
from seqlab.tracking.view_format import run_link
from seqlab.tracking.views import install_views, views_of

HOST = "127.0.0.1"  # there are no passwords, so nobody else may reach the server
PATIENCE = 120  # seconds; a loaded machine of two cores takes about 30
RUNNING = ".dashboard.json"  # beside the database while it is served
# Jobs serve features that are not used here and would take fourteen more processes.
ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port(wanted: int) -> int:
    """`wanted` where it is free on the loopback interface, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server just stopped is no obstacle
            try:
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
            except OSError:
                continue
    raise InputError(f"no port of {HOST} is free; close other servers and try again")


def answers(port: int) -> bool:
    """Whether the server answers a real call: its page /health says yes before others do."""
    request = urllib.request.Request(
        f"http://{HOST}:{port}/api/2.0/mlflow/experiments/search",
        data=b'{"max_results": 1}',
        headers={"Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach this machine
    try:
        with direct.open(request, timeout=10) as answer:
            return "experiments" in json.load(answer)
    except (OSError, ValueError):
        return False


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    """Return as soon as the server answers a real call; InputError where it ends or stays silent."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise InputError(f"the MLflow server ended with code {server.returncode}; its last words are above")
        if answers(port):
            return
        time.sleep(0.3)
    raise InputError(
        f"the MLflow server gave no answer in {PATIENCE} s; see above, or try again on a less busy machine"
    )


def serve(results: Path, wanted_port: int) -> None:
    """Serve the database of `results` (their absolute path) until Ctrl-C, SIGTERM or `stop`, and print the links when
    the server answers. Another port is taken where `wanted_port` is in use. Raises InputError where there is no
    database yet or the server fails.
    """
    if not (results / "mlflow.db").exists():
        raise InputError(f"{results / 'mlflow.db'} does not exist; run the workflow first, its last step makes it")
    port = free_port(wanted_port)
    place = ["--backend-store-uri", f"sqlite:///{results / 'mlflow.db'}"]
    place += ["--artifacts-destination", str(results / "mlflow-artifacts"), "--host", HOST, "--port", str(port)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C and leaves no server behind
    print("starting the MLflow server; this takes about ten seconds", file=sys.stderr)
    # Its log goes to stderr, so that stdout holds the links and nothing else.
    starting = [sys.executable, "-m", "mlflow", "server", *place, "--workers", "1"]
    server = subprocess.Popen(starting, env=os.environ | ENVIRONMENT, stdout=sys.stderr)
    write_json(results / RUNNING, {"process": os.getpid(), "port": port})
    try:
        wait_until_ready(server, port)
        print_links(f"http://{HOST}:{port}")
        if {"SSH_CONNECTION", "SLURM_JOB_ID"} & set(os.environ):
            print(f"from your own machine first: ssh -N -L {port}:{HOST}:{port} {getpass.getuser()}@{socket.getfqdn()}")
        print("Ctrl-C or `make dashboard-stop` stops the server", flush=True)
        server.wait()
        raise InputError(f"the MLflow server ended with code {server.returncode}; its last words are above")
    except KeyboardInterrupt:
        print("the dashboard is stopped", file=sys.stderr)
    finally:
        server.terminate()
        server.wait(timeout=30)
        (results / RUNNING).unlink(missing_ok=True)


def stop(results: Path) -> None:
    """Stop the dashboard of `results`; InputError where none runs."""
    note = results / RUNNING
    process = read_json(note)["process"] if note.exists() else None
    if process is None or not _is_dashboard(process):
        note.unlink(missing_ok=True)
        raise InputError(f"no dashboard of {results} runs on this machine; make dashboard starts one")
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while note.exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def print_links(server: str) -> None:
    """Install the views of every experiment that was published to `server`, and print what there is to see, and where.
    Raises InputError where the server cannot be read.
    """
    with faults_named(server):
        client = connect(server)
        found = [experiment for experiment in client.search_experiments() if "/" in experiment.name]
        for experiment in sorted(found, key=lambda experiment: experiment.name):
            views = views_of(experiment.name)
            install_views(client, experiment.experiment_id, experiment.tags, views)
            answer = experiment.tags.get("mlflow.note.content", "").partition(": ")[2]
            print(f"\n{experiment.name}\n  {answer}" if answer else f"\n{experiment.name}")
            for view in views:
                print(f"  {view.title:<18} {view.answers}\n  {'':<18} {server}{view.address(experiment.experiment_id)}")
            for page in client.search_runs([experiment.experiment_id], "tags.kind = 'sweep'"):
                link = server + run_link(experiment.experiment_id, page.info.run_id)
                print(f"  {page.info.run_name:<18} verdicts, figures, and the command that does it again")
                print(f"  {'':<18} {link}")
        print(f"\nall experiments      {server}/#/experiments", flush=True)


def _is_dashboard(process: int) -> bool:
    """Whether the process is a dashboard, and not another that has got its number since."""
    try:
        os.kill(process, 0)
        return b"serve_dashboard" in Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:  # no /proc on this system
        return True
    except OSError:
        return False
