"""What a cluster must know of every rule, and what must stand in the profile instead."""

import re
from pathlib import Path

import pytest
import yaml
from project import ROOT

FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))
TEXT = "\n".join(path.read_text() for path in FILES)
BODIES = dict(re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
LOCAL = set(re.findall(r"\w+", " ".join(re.findall(r"^localrules:\n((?:    .*\n)+)", TEXT, flags=re.MULTILINE))))
LOCAL |= {name for name, body in BODIES.items() if "template_engine:" in body}  # Snakemake fills templates itself
SUBMITTED = sorted(set(BODIES) - LOCAL)
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())


@pytest.mark.parametrize("name", SUBMITTED)
def test_a_rule_that_is_submitted_says_how_much_memory_and_time_it_needs(name: str) -> None:
    assert {"mem_mb", "runtime"} <= set(re.findall(r"^        (\w+)=", BODIES[name], flags=re.MULTILINE))


def test_local_rules_are_rules() -> None:
    assert (
        {*BODIES, *re.findall(r"^use rule \w+ as (\w+)", TEXT, flags=re.MULTILINE)}
        >= LOCAL
        > {"fetch_corpus", "list_runs", "summarize", "write_report", "track_runs"}
    )


def test_partition_and_account_stand_in_no_rule() -> None:
    assert not re.search(r"slurm_(partition|account)", TEXT)


def test_retries_stand_in_the_profile_and_in_no_rule() -> None:
    assert PROFILE["retries"] >= 1
    assert not re.search(r"^    retries:", TEXT, flags=re.MULTILINE)


def test_the_profile_asks_squeue_and_makes_no_job_arrays() -> None:
    assert PROFILE["slurm-status-command"] == "squeue"
    assert "slurm-array-jobs" not in PROFILE


def test_the_slurm_plugin_is_pinned() -> None:
    assert "snakemake-executor-plugin-slurm==2.8" in Path(ROOT / "requirements.txt").read_text()
