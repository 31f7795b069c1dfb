"""The workflow as a module of somebody else's Snakefile, in a folder with a configuration and texts of its own."""

import csv
import subprocess
from pathlib import Path

import pytest
from project import ROOT, Project, bare_project

SNAKEFILE = """configfile: "config/config.yaml"

module seqlab:
    snakefile: {place}
    config: config

use rule * from seqlab
"""
CONFIG = """corpora: [coins]
ngram:
  - {smoothing: mkn, orders: [2]}
rnn: {cells: []}
compressors: []
"""
CORPORA = """coins:
  {title: C, licence: none, cleaning: none, units: [char], kind: builtin, builtin: even_process, length: 2000, seed: 1}
"""
SUMMARY = "results/default/coins/char/summary.csv"


@pytest.fixture
def stranger(tmp_path: Path) -> Project:
    """A folder that knows of seqlab by its Snakefile alone, which is still to be written."""
    folder = tmp_path / "stranger"
    for name in ("config", "workflow"):
        (folder / name).mkdir(parents=True)
    (folder / "config/config.yaml").write_text(CONFIG)
    (folder / "config/corpora.yaml").write_text(CORPORA)
    return Project(folder)


def use(stranger: Project, place: str) -> None:
    (stranger.folder / "workflow/Snakefile").write_text(SNAKEFILE.format(place=place))


def git(folder: Path, *arguments: str) -> None:
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    subprocess.run(["git", "-C", str(folder), *me, *arguments], check=True, capture_output=True)


def test_from_a_folder_a_partial_configuration_stands_over_the_default_one(stranger: Project) -> None:
    use(stranger, repr(str(ROOT / "workflow/Snakefile")))
    planned = stranger.planned()
    assert (planned["train_ngram"], planned["score_source"], planned["write_report"]) == (1, 1, 1)
    assert "train_rnn" not in planned and "score_compressor" not in planned


def test_what_a_module_is_given_is_checked_as_everywhere(stranger: Project) -> None:
    use(stranger, repr(str(ROOT / "workflow/Snakefile")))
    assert "key 'corpuses' is unknown" in stranger.snakemake("--dry-run", "--config", "corpuses=coins").stdout


def test_from_a_tag_on_github_a_table_is_made(stranger: Project, tmp_path: Path) -> None:
    """As `snakedeploy` writes it; git is told that the address is a folder here."""
    repository = bare_project(tmp_path / "repository").folder
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "All")
    git(repository, "tag", "v0")
    use(stranger, 'github("somebody/seqlab", path="workflow/Snakefile", tag="v0")')
    here = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf"}
    here |= {"GIT_CONFIG_VALUE_0": "https://github.com/somebody/seqlab", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = stranger.snakemake(SUMMARY, **here)
    assert done.returncode == 0, done.stdout
    with (stranger.folder / SUMMARY).open(newline="") as file:
        rows = [(row["corpus"], row["model"], row["split"]) for row in csv.DictReader(file)]
    assert rows == [("coins", model, split) for model in ("mkn-2", "true-source") for split in ("valid", "test")]
    assert "Nothing to be done" in stranger.snakemake(SUMMARY, **here).stdout
