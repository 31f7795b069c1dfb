"""Blocks of lines of plain and compressed texts."""

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest
import zstandard

from seqlab.io.errors import InputError
from seqlab.text import blocks
from seqlab.text.blocks import read_blocks

TEXT = b"one two\nthree\n\nf\xc3\xbcnf\n"
COMPRESSIONS = {
    "txt": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


def read(path: Path) -> bytes:
    return b"".join(read_blocks([str(path)], []))


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_every_compression_is_recognised_whatever_the_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "text").write_bytes(COMPRESSIONS[suffix](TEXT))
    assert read(tmp_path / "text") == TEXT


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_all_members_of_a_compressed_file_are_read(tmp_path: Path, suffix: str) -> None:
    compress = COMPRESSIONS[suffix]
    (tmp_path / "text").write_bytes(compress(b"one\n") + compress(b"two\n"))
    assert read(tmp_path / "text") == b"one\ntwo\n"


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "text").write_bytes(COMPRESSIONS[suffix](TEXT * 100)[:-10])
    with pytest.raises(InputError, match=r"text is cut off or damaged .*copy the file again"):
        read(tmp_path / "text")


def test_blocks_hold_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 7)
    (tmp_path / "text").write_bytes(TEXT + b"a line longer than a block, without an end")
    parts = list(read_blocks([str(tmp_path / "text")], []))
    assert len(parts) > 2 and all(part.endswith(b"\n") for part in parts)
    assert b"".join(parts) == TEXT + b"a line longer than a block, without an end\n"


def test_standard_input_and_files_follow_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text").write_bytes(b"second")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(b"first\n")))))
    assert b"".join(read_blocks(["-", str(tmp_path / "text")], [])) == b"first\nsecond\n"


def test_a_byte_order_mark_is_no_part_of_the_text_and_is_mentioned(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfone\n")
    notes: list[str] = []
    assert b"".join(read_blocks([str(tmp_path / "text")], notes)) == b"one\n"
    assert "byte-order mark" in notes[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"one\nt\xffwo\n", r"text, line 2: byte 2 of the line, 0xff, is not UTF-8; convert"),
        (b"one\n\ntw\0o\n", r"text, line 3: there is a zero byte; give"),
        (b" \n\t\n", r"text is empty; give"),
        (b"", r"text is empty; give"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "text")


def test_lines_are_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 5)
    (tmp_path / "text").write_bytes(b"one\ntwo\nthree\nf\xffour\n")
    with pytest.raises(InputError, match="line 4: byte 2"):
        read(tmp_path / "text")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        read(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
