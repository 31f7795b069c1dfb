"""Copies of the project, with the smoke experiment finished or with nothing done."""

from pathlib import Path

import pytest
from project import Project, bare_project


@pytest.fixture
def finished(smoke: Project, tmp_path: Path) -> Project:
    """A copy of the finished smoke experiment."""
    return smoke.copy(tmp_path / "project")


@pytest.fixture
def empty_project(tmp_path: Path) -> Project:
    """The project before anything was run, for inputs that must be refused."""
    return bare_project(tmp_path / "empty")
