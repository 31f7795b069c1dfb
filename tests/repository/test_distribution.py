"""The archives others install: the sources are the whole project, and the wheel built from them the whole library."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from project import ROOT

MADE = (".git", ".venv", ".snakemake", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "build", "dist", "site")
BUILD = "import sys, setuptools.build_meta as backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"


def build(kind: str, project: Path, folder: Path) -> Path:
    """The archive of one kind, made as pip makes it, with the setuptools that is installed."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{kind}", str(folder)],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the archive of sources, unpacked."""
    project, folder = tmp_path_factory.mktemp("copy") / "project", tmp_path_factory.mktemp("sources")
    made = shutil.ignore_patterns(*MADE)

    def left_out(where: str, names: list[str]) -> set[str]:
        return made(where, names) | ({"results", "resources"} if Path(where) == ROOT else set())  # not those of others

    shutil.copytree(ROOT, project, ignore=left_out)
    for name in ("results", "resources"):
        (project / name).mkdir()
        shutil.copy(ROOT / name / "README.md", project / name)
    with tarfile.open(build("sdist", project, folder)) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", sources, tmp_path_factory.mktemp("wheel"))


def files_of(folder: Path) -> set[str]:
    """Every file that is no trace of having been used."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {
        path.as_posix() for path in paths if not any(Path(part).match(made) for part in path.parts for made in MADE)
    }


def test_the_sources_hold_every_file_of_the_repository(sources: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not listed:
        pytest.skip("there is no git repository here to compare with")
    assert [name for name in listed.splitlines() if not (sources / name).exists()] == []


def test_the_wheel_holds_the_whole_library(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("seqlab/")}
    assert packed == {f"seqlab/{name}" for name in files_of(ROOT / "src/seqlab")}


def test_its_metadata_are_what_an_index_takes(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Metadata.from_email(archive.read(name), validate=True)
    assert metadata.license_expression == "MIT" and metadata.license_files == ["LICENSE"]
    assert metadata.description_content_type == "text/markdown" and metadata.description


def test_installed_from_the_wheel_the_command_works_elsewhere(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own; what seqlab depends on is borrowed from this one."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")}
    code = "import seqlab; print(seqlab.__file__)"
    place = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert Path(place.stdout).is_relative_to(tmp_path / "venv")
    command = [tmp_path / "venv/bin/seqlab", "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "export" in done.stdout, done.stderr
