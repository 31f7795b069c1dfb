"""The program that serves a dashboard: `python -m seqlab.dashboard.server --socket 3`.

`session.serve` starts it with a socket that listens, and gives it the key on standard input, where no list of
processes shows it. It ends when standard input does, so it never outlives the program that started it.
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
from seqlab.tracking.connection import ENVIRONMENT, local_database

FEATURES = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # fourteen more processes
    "MLFLOW_ENABLE_AI_GATEWAY": "false",  # tells the page not to offer it
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def mlflow_application(results: Path) -> Any:
    """MLflow's ASGI application on the database and the artifacts of `results`; no other setting of MLflow holds."""
    for name in [name for name in os.environ if re.match("_?MLFLOW_", name)]:
        del os.environ[name]
    uri = local_database(results)
    os.environ |= ENVIRONMENT | FEATURES | {"MLFLOW_LOGGING_LEVEL": "INFO", "MLFLOW_TRACKING_URI": uri}
    os.environ |= {  # as `mlflow server` tells them to its workers
        "_MLFLOW_SERVER_FILE_STORE": uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(results / "mlflow-artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    with warnings.catch_warnings(action="ignore"):
        from mlflow.server.fastapi_app import app

    return app


def page(writable: bool) -> str:
    """MLflow's page, with what hides the parts of it that are shut."""
    import mlflow.server

    plain = (Path(mlflow.server.__file__).parent / "js/build/index.html").read_text(encoding="utf-8")
    addition = files("seqlab.dashboard").joinpath("page.html").read_text(encoding="utf-8")
    if writable:
        addition = re.sub(r"/\* read-only \*/.*?/\* end \*/", "", addition, flags=re.DOTALL)
    assert plain.count("<head>") == 1
    return plain.replace("<head>", f"<head>{addition}")


def main() -> None:
    """Serve until standard input ends, SIGTERM, or a request to stop."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=int, required=True, help="the number of an open socket that listens")
    listening = socket.socket(fileno=parser.parse_args().socket)
    settings = json.loads(sys.stdin.readline())
    os.umask(0o077)

    def stop() -> None:
        server.should_exit = True

    def stop_with_parent() -> None:
        sys.stdin.read()
        stop()

    application = mlflow_application(Path(settings["results"]))
    key = Key(settings["token"], settings["base"])
    guard = Guard(application, key, page(settings["writable"]), settings["writable"], stop)
    # Requests are not logged, because that of the link holds the token. What MLflow does when it starts (lifespan)
    # concerns containers of its assistant.
    kept: dict[str, Any] = {
        "access_log": False,
        "lifespan": "off",
        "ws": "none",
        "proxy_headers": False,
        "server_header": False,
    }
    server = uvicorn.Server(uvicorn.Config(guard, **kept, timeout_graceful_shutdown=5))
    threading.Thread(target=stop_with_parent, daemon=True).start()
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
