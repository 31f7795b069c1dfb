"""Training and MLflow: the one knows nothing of the other."""

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


def imported_by(modules: list[str]) -> set[str]:
    """The top-level packages loaded after `modules` were imported in a new process."""
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_training_never_imports_mlflow() -> None:
    files = [
        path for package in ("ngram", "rnn", "ledger", "text") for path in (SOURCES / "seqlab" / package).glob("*.py")
    ]
    files = [path for path in files if path.stem not in ("kernels", "stepwise")]  # they need Triton, for a GPU
    modules = sorted(".".join(path.relative_to(SOURCES).with_suffix("").parts) for path in files)
    assert "seqlab.ledger.scores" in modules
    assert "mlflow" not in imported_by(modules)


def test_tracking_imports_mlflow_only_when_it_is_used() -> None:
    assert "mlflow" not in imported_by(["seqlab.tracking.publish", "seqlab.tracking.live.follower"])
