"""The package as it is installed: its names, its lock, and the environment for conda users."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from project import ROOT

import seqlab

SNAKEFILES = [*(ROOT / "workflow").rglob("*.smk"), *ROOT.glob("Snakefile"), *ROOT.glob("workflow/Snakefile")]


def pins(lines: list[str]) -> dict[str, str]:
    """Package and version of every `name==version`, names as the package index compares them."""
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def loaded_with(modules: str) -> set[str]:
    """The packages, but for those of Python itself, that a new process loads to import `modules`."""
    code = f"import sys; before = set(sys.modules); import {modules}"
    code += "; print(*{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    return {*subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()}


@pytest.fixture(scope="module")
def lock() -> dict[str, str]:
    return pins((ROOT / "requirements.txt").read_text().splitlines())


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_users_get_the_same_pins(lock):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pins(pip) == lock


def test_no_version_of_the_lock_names_a_build(lock):
    """A version such as 2.13.0+cpu is on no package index."""
    assert [name for name, version in lock.items() if "+" in version] == []


def test_every_dependency_is_locked(lock, project):
    wanted = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = [re.match(r"[A-Za-z0-9_.-]+", line)[0].lower().replace("_", "-") for line in wanted]
    assert [name for name in names if name not in lock] == []


def test_the_citation_and_the_package_have_one_version(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"] == seqlab.__version__


@pytest.mark.parametrize("name", seqlab.__all__)
def test_every_name_of_the_package_is_there(name):
    assert getattr(seqlab, name).__module__.startswith("seqlab.")


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match=r"no attribute 'vocab'; it has .*Vocab"):
        _ = seqlab.vocab


def test_what_the_snakefile_imports_loads_the_standard_library_and_yaml_alone():
    found = [re.findall(r"^from (seqlab\S*) import (.+)$", path.read_text(), re.MULTILINE) for path in SNAKEFILES]
    names = {module for module, _ in itertools.chain(*found)}
    for module, given in itertools.chain(*found):  # which may be modules too
        parts = [f"{module}.{name}" for name in given.split(", ")]
        names |= {part for part in parts if (ROOT / "src" / f"{part.replace('.', '/')}.py").exists()}
    assert "seqlab.configuration" in names
    loaded = loaded_with(", ".join(names))
    assert {name for name in loaded if "cython" not in name} == {"seqlab", "yaml"}  # PyYAML is made with Cython


def test_publishing_and_following_load_mlflow_only_when_they_use_it():
    assert "mlflow" not in loaded_with("seqlab.tracking.publish, seqlab.tracking.follower")


def test_importing_the_package_loads_nothing_else():
    assert loaded_with("seqlab") == {"seqlab"}


def test_subpackages_hold_a_docstring_at_most():
    """`__init__.py` is not counted as code of a rule, so nothing that decides a result may stand in one."""
    trees = {path: ast.parse(path.read_text()) for path in (ROOT / "src/seqlab").glob("*/**/__init__.py")}
    assert [path for path, tree in trees.items() if len(tree.body) > bool(ast.get_docstring(tree))] == []
