"""MLflow's pages about the tracked runs, served on this machine only."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from seqlab.errors import InputError

HOST = "127.0.0.1"  # there are no passwords, so nobody else may reach the server
PATIENCE = 120  # seconds; a loaded machine of two cores takes about 30
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


def experiments(port: int) -> list[dict[str, Any]]:
    """The experiments the server knows, by name; OSError or ValueError while it is not ready."""
    request = urllib.request.Request(
        f"http://{HOST}:{port}/api/2.0/mlflow/experiments/search",
        data=json.dumps({"max_results": 1000}).encode(),
        headers={"Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # a proxy cannot reach this machine's loopback
    with direct.open(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer).get("experiments", [])
    return sorted(found, key=lambda experiment: experiment["name"])


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> list[dict[str, Any]]:
    """The experiments, as soon as the server answers a real call; InputError where it ends or stays silent."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise InputError(f"the MLflow server ended with code {server.returncode}; its last words are above")
        try:
            return experiments(port)
        except (OSError, ValueError):
            time.sleep(0.3)
    raise InputError(
        f"the MLflow server gave no answer in {PATIENCE} s; see above, or try again on a less busy machine"
    )


def serve(results: Path, wanted_port: int) -> None:
    """Serve the database of `results` (their absolute path) until Ctrl-C or SIGTERM, and print the links when the
    server answers. Another port is taken where `wanted_port` is in use. Raises InputError where there is no database
    yet or the server fails.
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
    try:
        for experiment in wait_until_ready(server, port):
            if experiment["name"] != "Default":
                runs = f"#/experiments/{experiment['experiment_id']}/runs?workflowType=machine_learning"
                print(f"{experiment['name']:<24} http://{HOST}:{port}/{runs}", flush=True)
        print(f"{'all experiments':<24} http://{HOST}:{port}/#/experiments\nCtrl-C stops the server", flush=True)
        server.wait()
        raise InputError(f"the MLflow server ended with code {server.returncode}; its last words are above")
    except KeyboardInterrupt:
        print("the dashboard is stopped", file=sys.stderr)
    finally:
        server.terminate()
        server.wait(timeout=30)
