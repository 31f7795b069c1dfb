"""Files are written whole or not at all."""

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.files import (
    create_private,
    read_digest,
    read_json,
    remove_file,
    replacing,
    replacing_folder,
    verified,
    write_json,
    write_text,
)
from seqlab.io.provenance import sha256_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def fail_halfway(path, error: BaseException) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error


def test_a_block_that_ends_replaces_the_file(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old", encoding="utf-8")
    with replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
    assert sorted(file.name for file in tmp_path.iterdir()) == [".result.txt.sha256", "result.txt"]
    assert verified(path).read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(1)])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "result.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(type(error)):
        fail_halfway(path, error)
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == {"result.txt": "old"}


def test_a_block_that_fails_leaves_no_new_file(tmp_path):
    with pytest.raises(ValueError, match="broken"):
        fail_halfway(tmp_path / "result.txt", ValueError("broken"))
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stands_until_the_block_ends(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old", encoding="utf-8")
    with replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"


def test_the_temporary_file_has_the_same_folder_and_ending(tmp_path):
    """The same folder, since files can only be renamed within a file system; the ending, since numpy appends one."""
    with replacing(tmp_path / "scores.npz") as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".npz")


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "result.txt", "text")
    assert (tmp_path / "a" / "b" / "result.txt").read_text(encoding="utf-8") == "text"


def test_a_file_is_as_readable_as_others(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "result.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "result.txt").stat().st_mode & 0o777 == 0o640


def test_a_long_name_can_be_written(tmp_path):
    name = "n" * 250 + ".txt"
    write_text(tmp_path / name, "text", checksum=False)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_that_was_changed_is_refused_and_one_written_by_hand_is_taken(tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "text")
    assert read_digest(path) == sha256_of(path)
    path.write_text("texts")
    with pytest.raises(InputError, match=r"result\.txt is damaged \(its SHA-256 .*\); delete it and run"):
        verified(path)
    remove_file(path)
    assert list(tmp_path.iterdir()) == []
    path.write_text("by hand")
    assert verified(path) == path and read_digest(path) == sha256_of(path)


@pytest.mark.parametrize(("renamed", "content"), [(0, "old"), (1, "new")])
def test_a_program_that_is_killed_leaves_no_file_with_the_checksum_of_another(tmp_path, monkeypatch, renamed, content):
    path, targets = tmp_path / "result.txt", []
    write_text(path, "old")

    def replace(source: Path, target: Path) -> None:
        if len(targets) == renamed:
            raise KeyboardInterrupt
        targets.append(target)
        source.rename(target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", replace)
        write_text(path, "new")
    assert verified(path).read_text() == content


def test_files_of_a_folder_have_their_checksums(tmp_path):
    with replacing_folder(tmp_path / "counts") as folder:
        (folder / "part").mkdir()
        (folder / "part/key.npy").write_bytes(b"key")
    (tmp_path / "counts/part/key.npy").write_bytes(b"kez")
    with pytest.raises(InputError, match=r"key\.npy is damaged"):
        verified(tmp_path / "counts/part/key.npy")


def test_text_keeps_its_line_ends(tmp_path):
    write_text(tmp_path / "result.txt", "one\r\ntwo\nthree\r")
    assert (tmp_path / "result.txt").read_bytes() == b"one\r\ntwo\nthree\r"


@given(st.dictionaries(st.text(), values, max_size=4))
def test_json_survives_the_round_trip(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_knows_no_infinity_and_no_nan(tmp_path, value):
    path = tmp_path / "value.json"
    write_json(path, {"old": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"new": value})
    assert read_json(path) == {"old": 1}


@pytest.mark.parametrize("content", [b"", b'{"half": ', b"\xff\xfe"])
def test_what_is_not_json_is_named(tmp_path, content):
    path = tmp_path / "value.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"value\.json is damaged \(it is not valid JSON"):
        read_json(path)


@pytest.fixture
def masked() -> Iterator[None]:
    """The usual umask, whatever that of this account is."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def made_in(folder: Path) -> tuple[int, int]:
    """The permissions of a private file and of a private folder that are made in `folder`."""
    create_private(folder / "file")
    create_private(folder / "inner", folder=True)
    return tuple(stat.S_IMODE((folder / name).stat().st_mode) for name in ("file", "inner"))  # type: ignore[return-value]


@pytest.mark.usefixtures("masked")
def test_other_accounts_cannot_read_what_is_made_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert made_in(tmp_path) == (0o600, 0o700)


@pytest.mark.usefixtures("masked")
def test_a_folder_that_is_shared_with_a_group_shares_what_is_made_in_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o2775)
    assert made_in(tmp_path) == (0o660, 0o2770)


@pytest.mark.usefixtures("masked")
def test_a_folder_with_a_default_access_list_says_who_may_read(tmp_path: Path) -> None:
    entry = "<HHI"  # tag, permissions, number: the owner, a group with a number of its own, the mask and all others
    entries = [(1, 7, 2**32 - 1), (4, 0, 2**32 - 1), (8, 5, 65534), (16, 5, 2**32 - 1), (32, 0, 2**32 - 1)]
    listed = struct.pack("<I", 2) + b"".join(struct.pack(entry, *one) for one in entries)
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", listed)
    except (AttributeError, OSError):
        pytest.skip("the file system has no access lists")
    assert made_in(tmp_path)[0] == 0o640


@pytest.mark.usefixtures("masked")
def test_what_is_there_keeps_its_permissions_and_its_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o644)
    assert made_in(tmp_path)[0] == 0o644 and (tmp_path / "file").read_text() == "x"
