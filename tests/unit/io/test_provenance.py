"""Checksums and versions."""

import hashlib
import subprocess

from seqlab.io.provenance import PACKAGES, fingerprint_files, list_versions, read_commit, sha256_of


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
