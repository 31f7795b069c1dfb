"""Reading and writing files so that a half-written or damaged one is never taken for a whole one.

A file that is read again has its SHA-256 in a hidden file beside it, such as .models.csv.sha256, in the form of
sha256sum; `replacing` writes it and `verified` compares it. A file without one, written by hand, is taken as it is.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError
from seqlab.io.provenance import sha256_of
from seqlab.io.schemas import check, read_schema


@contextmanager
def replacing(path: str | Path, checksum: bool = True) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends, and vanishes if it fails.

    `checksum` is False for what no program reads again. Raises InputError where the disk is full or the folder can't be
    written to; what was there before is then still there.
    """
    path = Path(path)
    with _written_beside(path), _temporary(path) as temporary:
        yield temporary
        if not checksum:
            temporary.replace(path)
            return
        beside = _checksum_of(path)
        with _temporary(beside) as line:
            _write_checksum(temporary, line, path.name)
            beside.unlink(missing_ok=True)  # a program killed here leaves a file without a checksum, never a wrong one
            temporary.replace(path)
            line.replace(beside)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, gone after the block unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
    os.fchmod(handle, 0o666 & ~_umask())  # mkstemp makes files private; a result is as readable as any other file
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


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


def _checksum_of(path: Path) -> Path:
    return path.parent / f".{path.name}.sha256"


def _write_checksum(file: Path, beside: Path, name: str) -> None:
    beside.write_text(f"{sha256_of(file)}  {name}\n", encoding="utf-8")


def read_digest(path: str | Path) -> str:
    """The SHA-256 of a file as it was written, in hexadecimal; computed only where it has no checksum."""
    with suppress(FileNotFoundError):
        if Path(path).is_file():
            return _checksum_of(Path(path)).read_text(errors="replace").partition(" ")[0]
    return sha256_of(path)


def verified(path: str | Path) -> Path:
    """`path`, whose content is what was written, or InputError; a file without a checksum is taken as it is."""
    path = Path(path)
    if not (path.is_file() and _checksum_of(path).is_file()):  # whoever reads it says that there is none
        return path
    if all(read_digest(path) != sha256_of(path) for _ in range(2)):  # between the first two it may be replaced
        raise damaged(path, "its SHA-256 is not that of what was written")
    return path


def remove(path: str | Path) -> None:
    """Delete a file, if it is there, and its checksum."""
    Path(path).unlink(missing_ok=True)
    _checksum_of(Path(path)).unlink(missing_ok=True)


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


def write_text(path: str | Path, text: str, checksum: bool = True) -> None:
    """Write `text` as UTF-8 with the line ends it has; `checksum` as in `replacing`."""
    with replacing(path, checksum) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | Path, content: dict[str, Any], checksum: bool = True) -> None:
    """Write `content` as strict JSON: a NaN is an error, an infinity is the caller's to name."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", checksum)


def read_json(path: str | Path, schema: str | None = None) -> dict[str, Any]:
    """The content of `path`; InputError where it is damaged, no JSON object, or not as its `schema` says."""
    try:
        content = json.loads(verified(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise damaged(path, "it is not a JSON object")
    if schema:
        check_file(path, content, schema)
    return content


def check_file(path: str | Path, content: Any, schema: str) -> None:
    """Raise InputError, naming the file `path`, where its `content` is not as its `schema` says."""
    try:
        check(content, read_schema(schema))
    except InputError as error:
        raise damaged(path, str(error).removesuffix("; add it")) from None


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `path` when the block ends without an exception.

    Every file in it gets its checksum.
    """
    path = Path(path)
    with _written_beside(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", dir=path.parent))
        try:
            yield temporary
            for file in [file for file in temporary.rglob("*") if file.is_file()]:
                _write_checksum(file, _checksum_of(file), file.name)
            temporary.chmod(0o777 & ~_umask())  # mkdtemp keeps everyone else out
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
