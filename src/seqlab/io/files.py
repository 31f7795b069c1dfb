"""Atomic writes, and checksums of files that are read again.

A file that is read again has its SHA-256 in a hidden file beside it, such as .models.csv.sha256, in the form of
sha256sum: `replacing` writes it and `verified` compares it. A file without a checksum, written by hand, is accepted.
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
    """Yield a temporary path beside `path` that replaces it when the block ends, and is removed if the block fails.

    `checksum` is False for files that no program reads again. Raise InputError where the disk is full or the folder
    is not writable; the old file then stays.
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
            beside.unlink(missing_ok=True)  # a kill here leaves a file without a checksum, never a wrong one
            temporary.replace(path)
            line.replace(beside)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path`, removed after the block unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent)
    os.fchmod(handle, 0o666 & ~_umask())  # mkstemp makes private files
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _written_beside(path: Path) -> Iterator[None]:
    """Create the folder of `path`; system errors in the block become InputErrors."""
    if not path.name:
        raise unwritable(path, ValueError("it is not the name of a file"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except FileNotFoundError:  # of a file that the block reads
        raise
    except OSError as error:
        raise unwritable(path, error) from None


def _checksum_of(path: Path) -> Path:
    return path.parent / f".{path.name}.sha256"


def _write_checksum(file: Path, beside: Path, name: str) -> None:
    beside.write_text(f"{sha256_of(file)}  {name}\n", encoding="utf-8")


def read_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file as it was written, in hexadecimal; computed only where it has no checksum."""
    with suppress(FileNotFoundError):
        if Path(path).is_file():
            return _checksum_of(Path(path)).read_text(errors="replace").partition(" ")[0]
    return sha256_of(path)


def verified(path: str | Path) -> Path:
    """Return `path` if its checksum fits its content, or if it has none; else raise InputError."""
    path = Path(path)
    if not (path.is_file() and _checksum_of(path).is_file()):  # the reader reports a missing file
        return path
    if all(read_digest(path) != sha256_of(path) for _ in range(2)):  # it may be replaced between the two readings
        raise damaged(path, "its SHA-256 differs from that of the file written")
    return path


def remove_file(path: str | Path) -> None:
    """Delete a file, if it exists, and its checksum."""
    Path(path).unlink(missing_ok=True)
    _checksum_of(Path(path)).unlink(missing_ok=True)


def damaged(path: str | Path, why: object) -> InputError:
    """Return the error for an unusable file among the results."""
    return InputError(f"{path} is damaged ({why}); delete it and run the workflow again")


def unwritable(path: str | Path, error: Exception) -> InputError:
    """Return the error for a file that could not be written."""
    return InputError(
        f"{path} could not be written ({error}) and is unchanged; free disk space or correct the permissions, and run "
        "the same command again"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def create_private(path: Path, folder: bool = False) -> None:
    """Create the empty file or folder `path`, unless it exists, so that other accounts can't read it.

    They can where the parent folder is set up for sharing: with a default access control list, or with the set-group-ID
    bit, which gives everything in a folder its group and the permissions of that group.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = _has_default_list(path.parent)  # the system then sets the permissions and ignores the umask
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
    except (AttributeError, OSError):  # not supported here
        return False


def write_text(path: str | Path, text: str, checksum: bool = True) -> None:
    """Write `text` as UTF-8 with its line ends unchanged; `checksum` as in `replacing`."""
    with replacing(path, checksum) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | Path, content: dict[str, Any], checksum: bool = True) -> None:
    """Write `content` as strict JSON; NaN and infinities are errors."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", checksum)


def read_json(path: str | Path, schema: str | None = None) -> dict[str, Any]:
    """Return the JSON object in `path`; InputError where it is damaged, no object or against its `schema`."""
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
    """Raise InputError, naming the file `path`, where its `content` violates its `schema`."""
    try:
        check(content, read_schema(schema))
    except InputError as error:
        raise damaged(path, str(error).removesuffix("; add it")) from None


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` when the block ends without an exception; its files get checksums."""
    path = Path(path)
    with _written_beside(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", dir=path.parent))
        try:
            yield temporary
            for file in [file for file in temporary.rglob("*") if file.is_file()]:
                _write_checksum(file, _checksum_of(file), file.name)
            temporary.chmod(0o777 & ~_umask())  # mkdtemp makes private folders
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
