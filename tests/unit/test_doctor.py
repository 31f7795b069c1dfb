"""What seqlab doctor finds on a machine."""

from pathlib import Path

from seqlab import doctor


def test_doctor_tells_of_versions_that_are_not_locked(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==0.0.1\n")
    found = {each.what: each for each in doctor.examine(tmp_path)}
    assert found["lock"].state == doctor.NOTE and "instead of 0.0.1" in found["lock"].seen
