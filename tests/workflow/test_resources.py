"""The needs of a job that a cluster must know."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Project
from snakemake.api import SnakemakeApi
from snakemake.rules import Rule
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings


@pytest.fixture
def rules(empty_project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Rule]]:
    """Every rule that is submitted to a cluster."""
    monkeypatch.chdir(empty_project.folder)
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
        yield [rule for rule in workflow.rules if rule.shellcmd and rule.name not in workflow._localrules]


def test_every_rule_that_is_submitted_says_how_much_memory_and_time_it_needs(rules: list[Rule]) -> None:
    assert "train_rnn" in {rule.name for rule in rules}
    assert [rule.name for rule in rules if not {"mem_mb", "runtime"} <= set(rule.resources)] == []
