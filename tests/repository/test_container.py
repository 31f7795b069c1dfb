"""The recipes of the container: whatever they copy is there, and its command finds the workflow."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from project import ROOT

DOCKER, APPTAINER = (ROOT / "Dockerfile").read_text(), (ROOT / "apptainer.def").read_text()
FROM = re.compile(r"^From:? (python:(\d+\.\d+)-slim-\w+)$", re.MULTILINE | re.IGNORECASE)
COPIED = {source for line in re.findall(r"^COPY (.*) \S+$", DOCKER, re.MULTILINE) for source in line.split()}


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sent == COPIED and all((ROOT / path).exists() for path in COPIED)


def test_both_recipes_copy_the_same_to_the_same_place() -> None:
    pairs = re.findall(r"^    (\S+) /opt/seqlab/(\S+)$", APPTAINER, re.MULTILINE)
    assert {source for source, place in pairs if source == place} == COPIED


def test_both_have_one_python_which_the_package_allows() -> None:
    (docker,), (apptainer,) = FROM.findall(DOCKER), FROM.findall(APPTAINER)
    assert docker == apptainer
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert docker[1] in SpecifierSet(allowed)


def test_both_install_with_the_same_commands() -> None:
    docker, apptainer = (re.findall(r"python -m pip install .*", recipe) for recipe in (DOCKER, APPTAINER))
    assert docker == apptainer != []


@pytest.mark.parametrize(
    ("own", "begins"),
    [
        (None, [f"--snakefile {ROOT}/workflow/Snakefile", f"--workflow-profile {ROOT}/profiles/default"]),
        ("Snakefile", []),
        ("workflow/Snakefile", []),
    ],
)
def test_snakemake_finds_the_workflow_of_the_image_unless_the_folder_has_one(
    tmp_path: Path, own: str | None, begins: list[str]
) -> None:
    programs, work = tmp_path / "bin", tmp_path / "a folder"
    programs.mkdir()
    (programs / "snakemake").write_text('#!/bin/sh\necho "$@"\n')
    (programs / "snakemake").chmod(0o755)
    (work / "workflow").mkdir(parents=True)
    if own:
        (work / own).touch()
    command = [ROOT / "tools/entrypoint", "snakemake", "--cores", "2"]
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == " ".join([*begins, "--cores 2"])


def test_another_command_runs_as_it_is() -> None:
    done = subprocess.run([ROOT / "tools/entrypoint", "echo", "a  b"], capture_output=True, text=True, check=True)
    assert done.stdout == "a  b\n"
