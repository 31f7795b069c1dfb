"""A Slurm cluster for all tests of this folder."""

from collections.abc import Iterator

import pytest
from login_node import LoginNode
from slurm import Slurm, missing_programs


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """A cluster of three nodes with eight processors and two pretended GPUs each."""
    if missing := missing_programs():
        pytest.skip(f"{', '.join(missing)} not found; install munge, slurmctld, slurmd and slurm-client")
    cluster = Slurm(tmp_path_factory.mktemp("slurm"), cpus=8)
    cluster.start()
    yield cluster
    LoginNode.end_all()
    cluster.stop()
