"""Blocks of whole lines of texts, plain or compressed."""

import bz2
import codecs
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from seqlab.io.errors import InputError

BLOCK_SIZE = 1 << 20  # bytes of a block, about
STANDARD_INPUT = "-"
MAGIC_BYTES = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def read_blocks(
    names: Sequence[str], notes: list[str], progress: Callable[[int], object] = lambda size: None
) -> Iterator[bytes]:
    """Yield the lines of the files `names` in blocks of about BLOCK_SIZE bytes; "-" is standard input.

    gzip, bzip2, xz and zstd are recognised by their first bytes. A byte-order mark at the start of a file is dropped
    and mentioned in `notes`; the last line of a file gets a line end where it has none. `progress` is called with the
    number of bytes of each block. Raises InputError, with file, line and byte, for a text that is not UTF-8 or has a
    zero byte, for damaged compressed data, and where all files together are empty.
    """
    total = 0
    for name in names:
        line = 1
        for block in _read_lines(name):
            if line == 1 and not total and block.startswith(codecs.BOM_UTF8):
                notes.append(f"{_shown(name)} begins with a byte-order mark, which is not part of the text")
                block = block.removeprefix(codecs.BOM_UTF8)
            _check_block(block, name, line)
            line += block.count(b"\n")
            total += len(block.strip())
            progress(len(block))
            yield block
    if not total:
        raise InputError(f"{', '.join(map(_shown, names))} is empty; give a file with text in it")


def _read_lines(name: str) -> Iterator[bytes]:
    """Yield blocks of whole lines, each with its line end."""
    with _opened(name) as file:
        rest: list[bytes] = []
        while True:
            try:
                block = file.read(BLOCK_SIZE)
            except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
                if isinstance(error, IsADirectoryError | PermissionError):
                    raise
                raise InputError(f"{_shown(name)} is cut off or damaged ({error}); copy the file again") from None
            if not block:
                break
            end = block.rfind(b"\n") + 1
            if end:
                yield b"".join([*rest, block[:end]])
                rest = []
            rest.append(block[end:])
        if last := b"".join(rest):
            yield last + b"\n"


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed."""
    if name == STANDARD_INPUT:
        yield _decompressed(cast(io.BufferedReader, sys.stdin.buffer))
        return
    path = Path(name)
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path or put the text there")
    if path.is_dir():
        raise InputError(f"{path} is a folder and not a text file; name its files")
    with path.open("rb") as file:
        yield _decompressed(file)


def _decompressed(file: io.BufferedReader) -> BinaryIO:
    start = file.peek(6)[:6]
    kind = next((kind for magic, kind in MAGIC_BYTES.items() if start.startswith(magic)), None)
    if kind == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if kind == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(file))
    if kind == "xz":
        return cast(BinaryIO, lzma.LZMAFile(file))
    if kind == "zstd":
        return cast(BinaryIO, _ZstdFile(file))
    return file


def _check_block(block: bytes, name: str, line: int) -> None:
    """Raise InputError for a block, from line number `line` on, that is not a text."""
    if (zero := block.find(b"\0")) >= 0:
        line += block.count(b"\n", 0, zero)
        raise InputError(f"{_shown(name)}, line {line}: there is a zero byte; give a plain text file in UTF-8")
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        line += block.count(b"\n", 0, error.start)
        byte = error.start - block.rfind(b"\n", 0, error.start)
        raise InputError(
            f"{_shown(name)}, line {line}: byte {byte} of the line, 0x{block[error.start]:02x}, is not UTF-8; convert "
            "the file to UTF-8"
        ) from None


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD_INPUT else name


class _ZstdFile(io.RawIOBase):
    """Reader of a file compressed by zstd, of all its frames; its errors are those of the other decompressors."""

    def __init__(self, file: Any) -> None:
        import zstandard

        self.error = zstandard.ZstdError
        self.reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, none at the end."""
        try:
            return self.reader.read(size)
        except self.error as error:
            raise OSError(str(error)) from None
