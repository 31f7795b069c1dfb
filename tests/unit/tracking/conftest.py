"""Trees of made results that several tests of tracking share."""

from pathlib import Path

import pytest
from tracked import SMALL, Tree, grow, make_database


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Tree:
    """All made results, published once; for tests that only look."""
    tree = grow(tmp_path_factory.mktemp("published"), empty_database)
    tree.track()
    return tree


@pytest.fixture
def small(tmp_path: Path, empty_database: Path) -> Tree:
    """A few results, not yet published; for tests that change something."""
    return grow(tmp_path, empty_database, SMALL)
