"""The routes that MLflow's application registers, as JSON: a program, because MLflow's server can't be imported twice
with different settings.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from seqlab.dashboard.server import load_mlflow_application


def mlflow_routes() -> list[str]:
    """Every route of MLflow's application as "METHOD path", in Flask's notation."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, __file__, folder], check=True, stdout=subprocess.PIPE)
    return list(json.loads(done.stdout))


def main(results: Path) -> None:
    application = load_mlflow_application(results)
    from mlflow.server import app as flask

    routes = set()
    for path, methods in application.openapi()["paths"].items():
        flasks = path.replace("_path}", "_path:path}").replace("{", "<").replace("}", ">")
        routes |= {f"{method.upper()} {flasks}" for method in methods}
    for rule in flask.url_map.iter_rules():
        routes |= {f"{method} {rule.rule}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    json.dump(sorted(routes), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
