"""What seqlab doctor finds on a machine."""

import os
from pathlib import Path

import pytest

from seqlab import doctor
from seqlab.machine import calibration
from seqlab.machine.calibration import is_bfloat16_fast


def test_doctor_tells_of_versions_that_are_not_locked(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==0.0.1\n")
    found = {each.what: each for each in doctor.examine(tmp_path)}
    assert found["lock"].state == doctor.NOTE and "instead of 0.0.1" in found["lock"].seen


def sharing(folder: Path) -> doctor.Diagnosis:
    return {each.what: each for each in doctor.examine(folder)}["sharing"]


def test_doctor_finds_nothing_wrong_with_results_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o755)
    assert sharing(tmp_path).state == doctor.GOOD


@pytest.mark.parametrize("name", ["results", "results/mlflow.db", "results/mlflow-artifacts"])
def test_doctor_warns_of_results_that_others_may_write_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "results/mlflow-artifacts").mkdir(parents=True)
    (tmp_path / "results/mlflow.db").touch()
    (tmp_path / name).chmod(0o777)
    found = sharing(tmp_path)
    assert found.state == doctor.NOTE and name in found.seen and "chmod -R go-w" in found.remedy


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize(("owner", "group", "mode"), [(65534, 0, 0o755), (0, 65534, 0o775)])
def test_doctor_warns_of_another_owner_and_of_a_group(tmp_path: Path, owner: int, group: int, mode: int) -> None:
    (tmp_path / "results").mkdir()
    os.chown(tmp_path / "results", owner, group)
    (tmp_path / "results").chmod(mode)
    assert sharing(tmp_path).state == doctor.NOTE


@pytest.mark.parametrize(("rounded", "plain", "said"), [(1, 3, "is faster than float32"), (9, 3, "float32 is used")])
def test_doctor_prints_what_was_measured(tmp_path, monkeypatch, rounded, plain, said):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    choice = "bfloat16" if rounded < plain else "float32"
    monkeypatch.setattr(calibration, "time_candidates", lambda *more: {"bfloat16": rounded, "float32": plain})
    is_bfloat16_fast.cache_clear()
    diagnosis = {each.what: each for each in doctor.examine(tmp_path)}["speed"]
    is_bfloat16_fast.cache_clear()
    assert said in diagnosis.seen and "no layer measured yet" in diagnosis.seen
    assert f'"choice": "{choice}"' in next(tmp_path.glob("seqlab/calibration-*.json")).read_text()
