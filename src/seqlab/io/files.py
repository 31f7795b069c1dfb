"""Reading and writing files so that a half-written or damaged one is never taken for a whole one.

What seqlab computes from can tell by itself that it was damaged: JSON and cards hold a checksum of their content under
the key `SEAL`, text and tables have one in a hidden file beside them, and arrays and weights carry their own.
"""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, shown
from seqlab.io.provenance import sha256_of
from seqlab.io.schemas import check, read_schema

CONTENTS = "contents.json"  # of a folder that is written as a whole: the checksum of each file
SEAL = "sha256"  # the key of a file of keys that holds the checksum of all others


@contextmanager
def replacing(path: str | Path, checksum: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends, and vanishes if it fails.

    With `checksum` the file can be read through `verified`. Raises InputError where the disk is full or the folder
    can't be written to; what was there before is then still there.
    """
    path = Path(path)
    with _written_beside(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())  # mkstemp makes files private; a result is as readable as any other file
            if checksum:
                _replace_with_checksum(temporary, path)
            else:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _written_beside(path: Path) -> Iterator[None]:
    """The folder of `path` is there in the block; what the system has against writing becomes an InputError."""
    if not path.name:
        raise unwritable(path, ValueError("it names no file"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except FileNotFoundError:  # something that the block reads
        raise
    except OSError as error:
        raise unwritable(path, error) from None


def _replace_with_checksum(temporary: Path, path: Path) -> None:
    """A program killed between two of these steps leaves a file without a checksum, never one with another's."""
    line = f"{sha256_of(temporary)}  {path.name}\n"  # as sha256sum writes it
    _checksum_of(path).unlink(missing_ok=True)
    temporary.replace(path)
    write_text(_checksum_of(path), line)


def _checksum_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def verified(path: str | Path) -> Path:
    """`path`, whose content is what was written, or InputError; a file without a checksum is taken as it is."""
    path = Path(path)
    if not path.is_file():  # whoever reads it says so
        return path
    beside = _checksum_of(path)
    if beside.is_file() and beside.read_text(errors="replace").split()[:1] != [sha256_of(path)]:
        raise damaged(path, "its SHA-256 is not that of what was written")
    return path


def damaged(path: str | Path, why: object) -> InputError:
    """The error to raise for a file among the results that can't be used."""
    return InputError(f"{path} is damaged ({why}); delete it and run the workflow again")


def unwritable(path: str | Path, error: Exception) -> InputError:
    """The error to raise for a file that could not be written."""
    return InputError(
        f"{path} could not be written ({error}); what was there before is still there: make room, or see to the "
        "permissions, and run the same command again"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def create_private(path: Path, folder: bool = False) -> None:
    """Make the empty file, or folder, `path` unless it is there, so that other accounts can't read it.

    They can where the settings of the folder it is made in say so: a default access control list, or the set-group-ID
    bit, with which everything in a folder belongs to its group and gets the permissions that the group has there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = _has_default_list(path.parent)  # the system then sets the permissions, and no umask holds
    try:
        if folder:
            path.mkdir(mode=0o777 if listed else 0o700)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if listed else 0o600))
    except FileExistsError:
        return
    mode = path.parent.stat().st_mode
    if mode & stat.S_ISGID and not listed:
        shared = mode & (0o2070 if folder else 0o060)
        path.chmod((0o700 if folder else 0o600) | shared)


def _has_default_list(folder: Path) -> bool:
    try:
        return "system.posix_acl_default" in os.listxattr(folder)
    except (AttributeError, OSError):  # a system or a file system without them
        return False


def write_text(path: str | Path, text: str, checksum: bool = False) -> None:
    """Write `text` as UTF-8 with the line ends it has; with `checksum` so that it can be read through `verified`."""
    with replacing(path, checksum) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write `content` as strict JSON, sealed: a NaN is an error, an infinity is the caller's to name."""
    write_text(path, json.dumps(sealed(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path, schema: str | None = None) -> dict[str, Any]:
    """The content of `path`; InputError where it is not a JSON object, not the one that was sealed, or not as its
    `schema` says.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise damaged(path, "it is not a JSON object")
    content = unsealed(content, path)
    if schema:
        check_file(path, content, schema)
    return content


def check_file(path: str | Path, content: Any, schema: str) -> None:
    """Raise InputError, naming the file `path`, where its `content` is not as its `schema` says."""
    try:
        check(content, read_schema(schema))
    except InputError as error:
        raise damaged(path, str(error).removesuffix("; add it")) from None


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """`content` with its checksum as the last key."""
    return content | {SEAL: _digest(content)}


def unsealed(content: dict[str, Any], path: str | Path) -> dict[str, Any]:
    """`content` without its seal; InputError, naming `path`, where it is not what was sealed.

    One without a seal, such as a file written by hand, is taken as it is.
    """
    content = dict(content)
    seal = content.pop(SEAL, None)
    try:
        whole = seal is None or seal == _digest(content)
    except (TypeError, ValueError):  # what YAML can hold and JSON can't
        whole = False
    if not whole:
        raise damaged(path, "its content is not what was written; a setting belongs into the configuration")
    return content


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def json_argument(*keys: str) -> Callable[[str], dict[str, Any]]:
    """The type of a command-line argument that is a JSON object with `keys`, for argparse."""

    def parse(text: str) -> dict[str, Any]:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentTypeError(f"{shown(text)} is not JSON ({error})") from None
        if not isinstance(content, dict) or not set(keys) <= set(content):
            raise ArgumentTypeError(f"{shown(text)} is not a JSON object with {', '.join(keys)}")
        return content

    return parse


def count_argument(text: str) -> int:
    """The type of a command-line argument that counts something, for argparse."""
    if not text.isdecimal() or not 1 <= int(text[:19]) == int(text):
        raise ArgumentTypeError(f"{shown(text)} is not a whole number of at least 1")
    return int(text)


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `path` when the block ends without an exception."""
    path = Path(path)
    with _written_beside(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", dir=path.parent))
        try:
            yield temporary
            write_json(temporary / CONTENTS, checksums_in(temporary))
            temporary.chmod(0o777 & ~_umask())  # mkdtemp keeps everyone else out
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def checksums_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in `folder` and below by its path there, but for that of `CONTENTS`."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file != folder / CONTENTS]
    return {file.relative_to(folder).as_posix(): sha256_of(file) for file in files}


def verified_folder(path: str | Path) -> Path:
    """`path`, whose files are what `replacing_folder` made; InputError naming the first that is not."""
    path = Path(path)
    if not (path / CONTENTS).is_file():
        return path
    found = checksums_in(path)
    for name, checksum in read_json(path / CONTENTS).items():
        if found.get(name) != checksum:
            raise InputError(f"{path / name} is not what was written; delete {path} and run the workflow again")
    return path
