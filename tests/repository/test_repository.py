"""Files of the repository that services read: continuous integration and the catalog of workflows."""

import tomllib
from typing import Any

import pytest
import yaml
from project import ROOT


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    return read(".github/workflows/ci.yml")["jobs"]["test"]


def test_continuous_integration_may_only_read(job: dict[str, Any]) -> None:
    assert read(".github/workflows/ci.yml")["permissions"] == {"contents": "read"} and "permissions" not in job
    assert "secrets" not in (ROOT / ".github/workflows/ci.yml").read_text()


def test_continuous_integration_begins_with_the_oldest_python_that_is_allowed(job: dict[str, Any]) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f">={job['strategy']['matrix']['python'][0]}" == wanted


def test_the_catalog_finds_what_it_asks_for() -> None:
    """Its rules: https://github.com/snakemake/snakemake-workflow-catalog"""
    usage = read(".snakemake-workflow-catalog.yml")["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    deployment = usage["software-stack-deployment"]
    assert set(deployment) <= {"conda", "singularity", "singularity+conda"} and any(deployment.values())
    for path in ("workflow/Snakefile", "config/README.md", "config/config.yaml"):
        assert (ROOT / path).is_file()
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
