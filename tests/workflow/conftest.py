"""A copy of the project in an empty folder, where the smoke experiment has been run once for all tests."""

from pathlib import Path

import pytest
from project import Project, bare_project


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished smoke experiment; tests that change it work on a copy."""
    project = bare_project(tmp_path_factory.mktemp("smoke"))
    done = project.snakemake("--configfile", "config/smoke.yaml")
    assert done.returncode == 0, done.stdout
    return project


@pytest.fixture
def finished(smoke: Project, tmp_path: Path) -> Project:
    """A copy of the finished smoke experiment."""
    return smoke.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def empty_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project before anything was run, for inputs that must be refused."""
    return bare_project(tmp_path_factory.mktemp("refused"))
