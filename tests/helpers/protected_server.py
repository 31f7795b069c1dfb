"""An MLflow server that asks for a name and a password, as a program: protected_server.py FOLDER PORT.

MLflow's own `--app-name basic-auth` needs packages that are not in the lock; what a client sees is the same.
"""

import base64
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn

NAME, PASSWORD = "someone", "correct-horse-battery-staple"
EXPECTED = b"Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode())


def protected(application: Any) -> Any:
    """`application` for those who know the password."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or dict(scope["headers"]).get(b"authorization") == EXPECTED:
            await application(scope, receive, send)
            return
        headers = [(b"www-authenticate", b'Basic realm="mlflow"')]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"You are not authenticated."})

    return answer


def main(folder: Path, port: int) -> None:
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/served.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "served"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    from mlflow.server.fastapi_app import app

    uvicorn.run(protected(app), host="127.0.0.1", port=port, lifespan="off")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
