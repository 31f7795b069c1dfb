"""ARPA files that are no whole models are refused, with the line."""

import gzip
import re
from pathlib import Path

import pytest
from arpa_files import LMPLZ, SRILM, read_text

from seqlab.io.errors import InputError
from seqlab.ngram.arpa import ESCAPED_HEADER, read_arpa


def refusal(folder: Path, text: str | bytes, line: int) -> str:
    """The message that `text` is refused with, which must name the file and `line`."""
    with pytest.raises(InputError) as caught:
        read_text(folder, text)
    start = f"{folder / 'model.arpa'}, line {line}: "
    assert str(caught.value)[: len(start)] == start
    assert re.fullmatch(r"[^\n]+; [^\n]+", str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("ngram 2=3", "ngram 2=4", 17, "3 n-grams, and the header says 4"),
        ("ngram 1=5", "ngram 1=4", 12, "5 n-grams, and the header says 4"),
        ("ngram 1=5\nngram 2=3\n", "", 3, "one is missing"),
        ("ngram 1=5", "ngram 1=0", 5, "one is missing"),
        ("ngram 1=5\n", "", 2, "expected"),
        ("ngram 2=3", "ngram 2=many", 3, "'ngram 2=many'"),
        ("\\1-grams:", "\\2-grams:", 5, r"the section \1-grams: was expected"),
        (LMPLZ[LMPLZ.index("\\2") : LMPLZ.index("\\end")], "", 12, r"the section \2-grams: was expected"),
        ("\\end\\", "\\3-grams:", 17, r"\end\ was expected"),
        ("\ta b", "\ta", 15, "not a number"),
        ("\ta b", "\ta b a", 15, "not a number"),
        ("\ta b", "\ta b -1 -1", 15, "not a number"),
        ("\t</s>\t0", "\t</s>\tzero", 8, "not a number"),
        ("-0.18987964\ta", "1o\ta", 15, "not a number"),
        ("-0.18987964\ta", "nan\ta", 15, "nan"),
        ("-0.18987964\ta", "0.001\ta", 15, "0.001"),
        ("-0.18987964\ta", "-0_1\ta", 15, "not a number"),
        ("\tb\t", "\t<UNK>\t", 10, "twice"),
        ("\ta\t-0.30103", "\ta\tinf", 9, "inf"),
        ("\ta\t", "\tb\t", 10, "twice"),
        ("\ta b", "\tb </s>", 15, "twice"),
        ("\ta b", "\ta c", 15, "not among the unigrams"),
    ],
)
def test_what_is_not_a_whole_model_is_refused(tmp_path, old, new, line, what):
    assert LMPLZ.count(old) == 1
    assert what in refusal(tmp_path, LMPLZ.replace(old, new), line)


def test_the_refusal_of_a_context_that_is_missing(tmp_path):
    assert "first 2 words" in refusal(tmp_path, SRILM.replace("\t<s> a b\t-7", "\tb a b"), 22)


def test_two_names_of_one_token_in_a_file_with_escapes_are_refused(tmp_path):
    text = LMPLZ.replace("\ta\t", "\t\u00a0\t").replace("\tb\t", "\t<0xA0>\t")
    assert "under another name" in refusal(tmp_path, f"{ESCAPED_HEADER.decode()}\n{text}", 11)


def test_a_byte_order_mark_is_named(tmp_path):
    assert "begins with a byte-order mark; save it as UTF-8" in refusal(tmp_path, "\ufeff" + LMPLZ, 1)


@pytest.mark.parametrize("head", ["iARPA", "iARPA ", "qARPA 2 256 256", "LMINTERPOLATION 2", "Qblmt 3 10 20"])
def test_formats_that_hold_another_kind_of_model_are_refused_by_name(tmp_path, head):
    assert f"{head.split()[0]!r} marks " in refusal(tmp_path, f"{head}\n\n{LMPLZ}", 1)


@pytest.mark.parametrize("end", ["\\end", "\\2-grams", "-0.18987964\ta b", "\\1-grams", "ngram 2"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, end):
    whole = LMPLZ[: LMPLZ.index(end)]
    assert r"without \end" in refusal(tmp_path, whole, whole.count("\n") + 1)


@pytest.mark.parametrize("text", [b"", b"\n\n", b"no model\n"])
def test_a_file_without_data_is_refused(tmp_path, text):
    assert r"without \data" in refusal(tmp_path, text, text.count(b"\n") + 1)


def test_a_binary_file_is_refused(tmp_path):
    assert "binary" in refusal(tmp_path, b"mmap lm\n\x00\x01\x02\xff\n", 2)


def test_a_word_that_is_not_utf8_is_refused(tmp_path):
    assert "not UTF-8" in refusal(tmp_path, LMPLZ.encode().replace(b"\ta\t", b"\t\xe9\t"), 9)


def refused_compressed(folder: Path, packed: bytes) -> None:
    # the line is the last one before the damage that could still be unpacked, which depends on zlib's blocks
    with pytest.raises(InputError, match=r"model\.arpa, line \d+: the compressed data is cut off or damaged .*; .+"):
        read_text(folder, packed)


@pytest.mark.parametrize("lost", [1, 4, 8, 30])
def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path, lost):
    refused_compressed(tmp_path, gzip.compress(LMPLZ.encode())[:-lost])


def test_a_compressed_file_that_is_damaged_in_the_middle_is_refused(tmp_path):
    whole = bytearray(gzip.compress(LMPLZ.encode()))
    whole[len(whole) // 2 : len(whole) // 2 + 8] = b"\xff" * 8
    refused_compressed(tmp_path, bytes(whole))


@pytest.mark.parametrize("after", ["", ("x" * 999 + "\n") * 3000], ids=["short", "with text after the end"])
def test_a_compressed_file_with_a_wrong_checksum_is_refused(tmp_path, after):
    whole = bytearray(gzip.compress((LMPLZ + after).encode()))
    whole[-8] ^= 1
    refused_compressed(tmp_path, bytes(whole))


@pytest.mark.parametrize("word", [b"x" * 10_000_000, b"x " * 5_000_000], ids=["one word", "many words"])
def test_a_very_long_line_is_refused(tmp_path, word):
    assert "longer than" in refusal(tmp_path, LMPLZ.encode().replace(b"\ta b", b"\t" + word), 15)


def test_a_long_line_of_too_many_words_is_shown_in_part(tmp_path):
    assert len(refusal(tmp_path, LMPLZ.replace("\ta b", "\t" + "x " * 100_000), 15)) < 500


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arpa(tmp_path / "model.arpa")
