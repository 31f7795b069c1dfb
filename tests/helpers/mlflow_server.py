"""An MLflow server that runs, as a program of its own."""

import os
import signal
import subprocess
import sys

from gate import until

from seqlab.dashboard.session import SEARCH_PATH, is_answering, open_socket
from seqlab.tracking.connection import MLFLOW_ENVIRONMENT


class MlflowServer:
    """A server of one database at one address; a group of processes, so that all of it can be killed."""

    def __init__(self, database: str, *options: str) -> None:
        with open_socket(0) as free:
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.options = ["--backend-store-uri", database, "--host", "127.0.0.1", "--port", str(self.port), *options]

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *self.options, "--workers", "1"],
            env=os.environ | MLFLOW_ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(
            "the server answers",
            lambda: is_answering(f"{self.uri}/{SEARCH_PATH}", {}),
            lambda: self.process.poll() is None,
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
