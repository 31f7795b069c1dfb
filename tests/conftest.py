"""What all tests share."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from gate import Gate
from hypothesis import settings
from project import Project, bare_project, without_mlflow

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; what tests start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("any machine", deadline=None)  # no test fails for being slow
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side, those of a file stay together, since they share what took long to make, and those
    on a cluster too, since there is one.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "cluster" if "/cluster/" in file else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of public texts that SEQLAB_MIRROR names; without it the tests that need a text are skipped."""
    folder = os.environ.get("SEQLAB_MIRROR")
    if not folder:
        pytest.skip("SEQLAB_MIRROR is not set: it names the folder that holds the public texts")
    path = (ROOT / folder).resolve()
    if not path.is_dir():
        pytest.skip(f"SEQLAB_MIRROR is {folder}, which is not a folder")
    return path


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A closed gate for the trainings of a test, which is opened at its end."""
    with Gate(tmp_path / "gate") as closed:
        yield closed


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished smoke experiment, one for all processes that run tests; tests that change it, or run Snakemake on
    it, work on a copy. It ran where only publishing could import mlflow.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    project, finished = Project(shared / "smoke"), shared / "smoke.finished"
    with FileLock(shared / "smoke.lock"):
        if not finished.exists():
            shutil.rmtree(project.folder, ignore_errors=True)
            blocked = without_mlflow(shared / "blocked")
            done = bare_project(project.folder).snakemake("--configfile", "config/smoke.yaml", PYTHONPATH=blocked)
            assert done.returncode == 0, done.stdout
            finished.touch()
    return project
