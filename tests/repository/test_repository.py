"""What services and tools read of the repository: continuous integration, checks before a commit, the catalog."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGES = {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()[1:]}


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.fixture(scope="module")
def job() -> dict[str, Any]:
    return read(".github/workflows/ci.yml")["jobs"]["test"]


def test_continuous_integration_runs_the_one_command(job: dict[str, Any]) -> None:
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_continuous_integration_may_only_read(job: dict[str, Any]) -> None:
    assert read(".github/workflows/ci.yml")["permissions"] == {"contents": "read"} and "permissions" not in job
    assert "secrets" not in (ROOT / ".github/workflows/ci.yml").read_text()


def test_continuous_integration_begins_with_the_oldest_python_that_is_allowed(job: dict[str, Any]) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f">={job['strategy']['matrix']['python'][0]}" == wanted


HOOKS = read(".pre-commit-config.yaml")["repos"][0]["hooks"]


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_is_a_tool_of_the_lock_that_make_lint_runs_too(hook: dict[str, Any]) -> None:
    program, *words = shlex.split(hook["entry"])
    assert hook["language"] == "system" and program.startswith(".venv/bin/")
    assert Path(program).name in PACKAGES | {"python"}
    lint = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    command = " ".join(["$(VENV)/bin/" + Path(program).name, *(word for word in words if not word.startswith("-"))])
    assert command in lint


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


def test_every_rule_names_the_environment_that_the_catalog_promises() -> None:
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    with_programs = re.findall(r"^rule \w+:\n(?:(?!^rule ).*\n)*?    shell:", rules, re.MULTILINE)
    assert with_programs and all('conda:\n        "../../environment.yml"' in rule for rule in with_programs)
