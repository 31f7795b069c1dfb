"""Checksums and versions."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from seqlab.io import provenance
from seqlab.io.provenance import (
    PACKAGES,
    compose_provenance,
    fingerprint_files,
    list_versions,
    read_changes,
    read_commit,
    sha256_of,
)
from seqlab.io.schemas import check, read_schema


def test_sha256_is_that_of_the_content(tmp_path):
    (tmp_path / "text").write_bytes(b"abc")
    assert sha256_of(tmp_path / "text") == hashlib.sha256(b"abc").hexdigest()


def test_a_fingerprint_changes_with_any_content_and_not_with_names_or_order(tmp_path):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for path, content in ((one, "1"), (two, "2"), (three, "2")):
        path.write_text(content)
    assert fingerprint_files([one, two]) == fingerprint_files([three, one])
    assert fingerprint_files([one, two]) != fingerprint_files([one, one])


def test_outside_a_repository_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_commit() == ("unknown", False)


def test_a_changed_file_makes_the_commit_dirty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("1")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "file"], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", *command], check=True)
    clean = read_commit()
    (tmp_path / "file").write_text("2")
    assert (clean[1], read_commit()) == (False, (clean[0], True))


def test_every_package_has_a_version():
    assert {"python", *PACKAGES} == set(list_versions())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of git with one committed file, as the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("1\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "file"], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def test_a_clean_tree_has_no_changes(repository):
    assert read_changes() == (b"", [], "")


def test_the_patch_takes_the_commit_to_the_present_files(repository, tmp_path_factory):
    (repository / "file").write_bytes(b"2\n\0\xff")
    (repository / "folder").mkdir()
    (repository / "folder" / "new").write_text("not committed\n")
    changes = read_changes()
    assert changes.untracked == ["folder/"] and changes.note == ""
    assert b"not committed" not in changes.patch
    clone = tmp_path_factory.mktemp("other") / "clone"
    subprocess.run(["git", "clone", "-q", str(repository), str(clone)], check=True)
    subprocess.run(["git", "apply", "-"], input=changes.patch, cwd=clone, check=True)
    assert (clone / "file").read_bytes() == b"2\n\0\xff"


def test_the_patch_is_the_same_from_a_subfolder_and_under_other_settings(repository, monkeypatch):
    (repository / "file").write_text("2\n")
    (repository / "new").write_text("")
    (repository / "below").mkdir()
    changes = read_changes()
    for setting in ("diff.noprefix=true", "diff.external=false", "diff.relative=true", "color.ui=always"):
        subprocess.run(["git", "config", *setting.split("=")], check=True)
    monkeypatch.chdir(repository / "below")
    assert read_changes() == changes
    assert str(repository).encode() not in changes.patch


def test_a_large_patch_is_left_out_with_a_sentence(repository, monkeypatch):
    (repository / "file").write_text("2\n" * 100)
    size = len(read_changes().patch)
    monkeypatch.setattr(provenance, "MAX_PATCH_BYTES", size - 1)
    monkeypatch.setattr(provenance, "MAX_UNTRACKED_NAMES", 1)
    for name in ("a", "b", "c"):
        (repository / name).write_text("")
    changes = read_changes()
    assert (changes.patch, changes.untracked) == (b"", ["a"])
    assert changes.note.startswith(
        f"the patch is left out, because it has {size} bytes, more than {size - 1} (SHA-256 "
    )
    assert changes.note.endswith("; commit the changes to record them; 2 more untracked names are left out")


def test_provenance_names_the_day_of_the_commit_in_utc(repository, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-01T01:00:00+0200")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "two"], check=True)
    content = compose_provenance(read_changes())
    check(content, read_schema("provenance"))
    assert (content["date"], content["dirty"]) == ("2025-12-31", False)


def test_outside_a_repository_there_are_no_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_changes() == (b"", [], "")
    assert compose_provenance(read_changes())["date"] == ""
