"""Server program of the dashboard: `python -m seqlab.dashboard.server --socket 3`.

`session.serve_dashboard` starts it with a listening socket and passes the key on standard input, which process lists do
not show. It ends with standard input, so it never outlives the program that started it.
"""

import argparse
import json
import os
import re
import socket
import sys
import threading
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

from seqlab.dashboard.guard import Guard, Key
from seqlab.tracking.connection import MLFLOW_ENVIRONMENT, local_database

MLFLOW_FEATURES = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # saves fourteen processes
    "MLFLOW_ENABLE_AI_GATEWAY": "false",  # hides it in the page
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def load_mlflow_application(results: Path) -> Any:
    """Return MLflow's ASGI application on the database and artifacts of `results`, without other settings of MLflow."""
    for name in [name for name in os.environ if re.match("_?MLFLOW_", name)]:
        del os.environ[name]
    uri = local_database(results)
    os.environ |= MLFLOW_ENVIRONMENT | MLFLOW_FEATURES | {"MLFLOW_LOGGING_LEVEL": "INFO", "MLFLOW_TRACKING_URI": uri}
    os.environ |= {  # as `mlflow server` passes them to its workers
        "_MLFLOW_SERVER_FILE_STORE": uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(results / "mlflow-artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    with warnings.catch_warnings(action="ignore"):
        from mlflow.server.fastapi_app import app

    return app


def compose_page(writable: bool) -> str:
    """Return MLflow's page with a style that hides disabled parts."""
    import mlflow.server

    plain = (Path(mlflow.server.__file__).parent / "js/build/index.html").read_text(encoding="utf-8")
    addition = files("seqlab.dashboard").joinpath("page.html").read_text(encoding="utf-8")
    if writable:
        addition = re.sub(r"/\* read-only \*/.*?/\* end \*/", "", addition, flags=re.DOTALL)
    assert plain.count("<head>") == 1
    return plain.replace("<head>", f"<head>{addition}")


def main() -> None:
    """Serve until standard input ends, or until SIGTERM or a stop request."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=int, required=True, help="number of an open, listening socket")
    listening = socket.socket(fileno=parser.parse_args().socket)
    settings = json.loads(sys.stdin.readline())
    os.umask(0o077)

    def stop() -> None:
        server.should_exit = True

    def stop_with_parent() -> None:
        sys.stdin.read()
        stop()

    application = load_mlflow_application(Path(settings["results"]))
    key = Key(settings["token"], settings["base"])
    guard = Guard(application, key, compose_page(settings["writable"]), settings["writable"], stop)
    # No access log, because the link holds the token. The start code of MLflow (lifespan) concerns only containers of
    # its assistant.
    options: dict[str, Any] = {
        "access_log": False,
        "lifespan": "off",
        "ws": "none",
        "proxy_headers": False,
        "server_header": False,
    }
    server = uvicorn.Server(uvicorn.Config(guard, **options, timeout_graceful_shutdown=5))
    threading.Thread(target=stop_with_parent, daemon=True).start()
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
