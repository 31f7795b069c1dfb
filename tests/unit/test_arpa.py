"""Models as ARPA text: what is written, what is read, what is refused."""

import gzip
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.errors import InputError
from seqlab.ngram.arpa import arpa_name, read_arpa, token_of, write_arpa
from seqlab.ngram.model import NgramModel, symbol_probabilities
from seqlab.ngram.smoothing import estimate

LINE_START, LINE_END = 1, 2
TOKENS = ["<unk>", "<s>", "</s>", "a", " ", "\n", "é\u3000"]

# What lmplz -o 2 --discount_fallback 0.5 1 1.5 makes of the one line "a b". Each of a, b, </s> follows one word, so
# 1/2 of 1 is taken from each: p(a) = 1/2 / 3 + 1/2 * 1/4 = 7/24, p(<unk>) = 1/2 * 1/4, p(b | a) = 1/2 + 1/2 * 7/24.
LMPLZ = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-0.90308999\t<unk>\t0
0\t<s>\t-0.30103
-0.53511320\t</s>\t0
-0.53511320\ta\t-0.30103
-0.53511320\tb\t-0.30103

\\2-grams:
-0.18987964\tb </s>
-0.18987964\t<s> a
-0.18987964\ta b

\\end\\
"""

# The habits of SRILM: a comment, tabs or blanks, no back-off where it is 1, -99 for <s>, weights above 1, no <unk>.
SRILM = """made by hand

\\data\\
ngram  1=5
ngram  2=3
ngram  3=2

\\1-grams:
-1.0\tb
-0.5\t</s>
-99\t<s>\t-0.25
-0.75\ta\t0.125
-2.0  c

\\2-grams:
-0.375 <s> a -0.0625
-0.625\ta b\t-1.5
-inf\tb c

\\3-grams:
-0.1875\ta b </s>
-0.3125\t<s> a b\t-7

\\end\\
"""


def model_of_lines(lines: list[list[int]], order: int, smoothing: str = "mkn") -> NgramModel:
    segments = [np.array([LINE_START, *line, LINE_END]) for line in lines]
    return estimate(smoothing, segments, order, len(TOKENS), LINE_START).model


def small_model() -> NgramModel:
    return model_of_lines([[3, 4, 5], [3, 4], [6, 3]], 3)


def read_text(folder: Path, text: str | bytes) -> tuple[NgramModel, list[str], int | None]:
    path = folder / "model.arpa"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_arpa(path)


def log10_of(model: NgramModel, tokens: list[str], words: str) -> list[float]:
    segment = np.array([tokens.index(word) if word in tokens else 0 for word in words.split()])
    with np.errstate(divide="ignore"):
        return np.log10(symbol_probabilities(model, [segment])).tolist()


def refusal(folder: Path, text: str | bytes, line: int) -> str:
    """The message that `text` is refused with, which must name the file and `line`."""
    with pytest.raises(InputError) as caught:
        read_text(folder, text)
    start = f"{folder / 'model.arpa'}, line {line}: "
    assert str(caught.value)[: len(start)] == start
    assert re.fullmatch(r"[^\n]+; [^\n]+", str(caught.value))
    return str(caught.value)


# Round trips


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(
    lines=st.lists(st.lists(st.sampled_from([0, 3, 4, 5, 6]), min_size=4, max_size=12), min_size=1, max_size=6),
    scored=st.lists(st.sampled_from([0, 3, 4, 5, 6]), max_size=12),
    order=st.integers(1, 6),
)
@settings(max_examples=40)
def test_a_model_read_again_gives_the_same_probabilities(tmp_path_factory, name, smoothing, lines, scored, order):
    path = tmp_path_factory.mktemp("arpa") / name
    model = model_of_lines(lines, order, smoothing)
    write_arpa(path, model, TOKENS, LINE_START)
    again, tokens, line_start = read_arpa(path)
    texts = [np.array([LINE_START, *line, LINE_END]) for line in [*lines, scored]]
    assert (tokens, line_start) == (TOKENS, LINE_START)
    assert symbol_probabilities(again, texts) == pytest.approx(symbol_probabilities(model, texts), rel=1e-6, abs=0)


def test_a_model_of_a_stream_read_again_gives_the_same_probabilities(tmp_path):
    text = np.random.default_rng(1).integers(0, 6, 300)
    model = estimate("mkn", [text], 4, 6).model
    tokens = ["<unk>", *"abcde"]
    write_arpa(tmp_path / "model.arpa", model, tokens)
    again, read_tokens, line_start = read_arpa(tmp_path / "model.arpa")
    assert (read_tokens, line_start) == (tokens, None)
    assert symbol_probabilities(again, [text]) == pytest.approx(symbol_probabilities(model, [text]), rel=1e-6)


def test_line_borders_stand_in_the_file_of_a_stream_only_for_its_readers(tmp_path):
    model = estimate("mkn", [np.array([1, 2, 1, 2, 2, 1])], 2, 3).model
    write_arpa(tmp_path / "model.arpa", model, ["<unk>", "a", "b"])
    text = (tmp_path / "model.arpa").read_text()
    assert "ngram 1=5" in text and "-99\t<s>\t0\n-99\t</s>\t0\n" in text
    text = text.replace("ngram 2=3", "ngram 2=4").replace("\n\\end", "-1\tb </s>\n\n\\end")
    (tmp_path / "used.arpa").write_text(text)
    assert read_arpa(tmp_path / "used.arpa")[1:] == (["<unk>", "a", "b", "<s>", "</s>"], 3)


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
def test_equal_models_give_equal_bytes_whatever_the_file_is_called(tmp_path, monkeypatch, name):
    write_arpa(tmp_path / name, small_model(), TOKENS, LINE_START)
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    write_arpa(tmp_path / f"other-{name}", small_model(), TOKENS, LINE_START)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"other-{name}").read_bytes()


def test_the_compressed_file_holds_the_plain_one(tmp_path):
    for name in ("model.arpa", "model.arpa.gz"):
        write_arpa(tmp_path / name, small_model(), TOKENS, LINE_START)
    assert gzip.decompress((tmp_path / "model.arpa.gz").read_bytes()) == (tmp_path / "model.arpa").read_bytes()


def test_chunks_leave_no_trace(tmp_path, monkeypatch):
    write_arpa(tmp_path / "whole.arpa", small_model(), TOKENS, LINE_START)
    monkeypatch.setattr("seqlab.ngram.arpa.CHUNK", 2)
    write_arpa(tmp_path / "pieces.arpa", small_model(), TOKENS, LINE_START)
    assert (tmp_path / "pieces.arpa").read_bytes() == (tmp_path / "whole.arpa").read_bytes()


@given(st.text(st.characters(codec=None)))
def test_names_have_no_white_space_and_can_be_undone(token):
    name = arpa_name(token)
    assert not re.search(r"\s|[\x00-\x1f\x7f-\x9f]", name)
    assert token_of(name) == token or re.search(r"<0x[0-9A-F]{2,4}>", token)


# Writing


def test_the_text_of_a_model(tmp_path):
    model = estimate("mkn", [np.array([1, 3, 4, 2])], 2, 5, LINE_START).model
    write_arpa(tmp_path / "model.arpa", model, ["<unk>", "<s>", "</s>", "a", "\t"], LINE_START)
    half, unigram, bigram = (f"{math.log10(value):.9g}" for value in (1 / 2, 7 / 24, 31 / 48))
    assert (tmp_path / "model.arpa").read_text() == (
        "\\data\\\nngram 1=5\nngram 2=3\n\n"
        f"\\1-grams:\n{math.log10(1 / 8):.9g}\t<unk>\t0\n-99\t<s>\t{half}\n{unigram}\t</s>\t0\n"
        f"{unigram}\ta\t{half}\n{unigram}\t<0x09>\t{half}\n\n"
        f"\\2-grams:\n{bigram}\t<s> a\n{bigram}\ta <0x09>\n{bigram}\t<0x09> </s>\n\n"
        "\\end\\\n"
    )


def test_a_probability_that_rounding_put_above_one_is_written_as_one(tmp_path):
    model = NgramModel(2, True, [np.arange(2)], [np.array([0.0, np.nextafter(1.0, 2.0)])], [])
    write_arpa(tmp_path / "model.arpa", model, ["<unk>", "a"])
    assert "\n0\ta\n" in (tmp_path / "model.arpa").read_text()


def refused_writing(folder: Path, model: NgramModel, tokens: list[str], line_start: int | None) -> str:
    """The message; an older file of that name must stay as it is, and nothing else may appear."""
    (folder / "model.arpa").write_text("older")
    with pytest.raises(InputError, match=r"model\.arpa was not written: ") as caught:
        write_arpa(folder / "model.arpa", model, tokens, line_start)
    assert [path.read_text() for path in folder.iterdir()] == ["older"]
    return str(caught.value)


def test_models_that_do_not_back_off_are_refused(tmp_path):
    model = estimate("laplace", [np.array([1, 2, 3, 1])], 2, 4).model
    assert "add-k" in refused_writing(tmp_path, model, ["<unk>", "a", "b", "c"], None)


@pytest.mark.parametrize(
    "tokens",
    [TOKENS[:-1], [*TOKENS, "z"], [*TOKENS[:-1], "a"], ["a", "<s>", "</s>", "<unk>", *TOKENS[4:]]],
    ids=["too few", "too many", "one twice", "<unk> not first"],
)
def test_tokens_that_are_not_those_of_the_vocabulary_are_refused(tmp_path, tokens):
    assert "7 names of the vocabulary" in refused_writing(tmp_path, small_model(), tokens, LINE_START)


@pytest.mark.parametrize("line_start", [None, 2, 99])
def test_a_line_start_elsewhere_is_refused(tmp_path, line_start):
    assert "line_start" in refused_writing(tmp_path, small_model(), TOKENS, line_start)


def test_a_stream_with_the_end_of_a_line_as_a_token_is_refused(tmp_path):
    model = estimate("mkn", [np.array([1, 2, 1, 2])], 2, 3).model
    assert "</s> is a token of a model without lines" in refused_writing(tmp_path, model, ["<unk>", "a", "</s>"], None)


@pytest.mark.parametrize("token", ["", "<0x20>", "x<0x0A>y"])
def test_tokens_that_would_be_read_as_others_are_refused(tmp_path, token):
    assert repr(token) in refused_writing(tmp_path, small_model(), [*TOKENS[:-1], token], LINE_START)


def test_nothing_is_left_when_writing_fails_half_way(tmp_path):
    model = small_model()
    broken = replace(model, probability=[*model.probability[:-1], np.zeros(0)])
    with pytest.raises(IndexError):
        write_arpa(tmp_path / "model.arpa", broken, TOKENS, LINE_START)
    assert list(tmp_path.iterdir()) == []


# Reading


def test_a_model_of_lmplz_scores_as_by_hand(tmp_path):
    model, tokens, line_start = read_text(tmp_path, LMPLZ)
    assert (tokens, line_start) == (["<unk>", "<s>", "</s>", "a", "b"], 1)
    expected = [31 / 48, 31 / 48, 31 / 48]
    assert log10_of(model, tokens, "<s> a b </s>") == pytest.approx(np.log10(expected), abs=1e-6)
    # <s> b: 1/2 * 7/24. An unknown word after b: 1/2 * 1/8. After an unknown word no weight is taken: 7/24.
    expected = [7 / 48, 1 / 16, 7 / 24, 31 / 48]
    assert log10_of(model, tokens, "<s> b never a b") == pytest.approx(np.log10(expected), abs=1e-6)


def test_a_model_of_srilm_scores_as_by_hand(tmp_path):
    model, tokens, line_start = read_text(tmp_path, SRILM)
    assert (tokens, line_start) == (["<unk>", "b", "</s>", "<s>", "a", "c"], 3)
    found = log10_of(model, tokens, "<s> a b </s>")
    assert found == pytest.approx([-0.375, -0.3125, -0.1875], abs=1e-9)
    # a after <s> a: weights of "<s> a" and "a", then a alone; c after "a": weight of "a"; </s> after c: no weight.
    found = log10_of(model, tokens, "<s> a a c </s>")
    assert found == pytest.approx([-0.375, -0.0625 + 0.125 - 0.75, 0.125 - 2.0, -0.5], abs=1e-9)
    # a after "a b": the weight of "a b", none of "b", then a alone.
    assert log10_of(model, tokens, "a b a")[1] == pytest.approx(-1.5 - 0.75, abs=1e-9)


def test_zeros_are_read_as_zeros(tmp_path):
    model, tokens, _ = read_text(tmp_path, SRILM)
    assert log10_of(model, tokens, "b c") == [-math.inf]  # -inf
    assert log10_of(model, tokens, "a <s>") == [-math.inf]  # -99
    assert log10_of(model, tokens, "a never") == [-math.inf]  # no <unk> in the file
    assert log10_of(read_text(tmp_path, LMPLZ)[0], tokens, "</s> b") == [-math.inf]  # lmplz gives <s> log10(1)


def test_the_name_need_not_say_that_a_file_is_compressed(tmp_path):
    assert read_text(tmp_path, gzip.compress(LMPLZ.encode()))[1] == read_text(tmp_path, LMPLZ)[1]


def test_line_ends_of_other_systems_and_wide_blanks_inside_words(tmp_path):
    _, tokens, _ = read_text(
        tmp_path, LMPLZ.replace("\ta", "\ta\u00a0a").replace(" a", " a\u00a0a").replace("\n", "\r\n")
    )
    assert tokens[3] == "a\u00a0a"


def test_a_highest_order_without_ngrams_is_left_out(tmp_path):
    empty = LMPLZ.replace("ngram 2=3\n", "ngram 2=3\nngram 3=0\n").replace("\\end", "\\3-grams:\n\n\\end")
    model, tokens, _ = read_text(tmp_path, empty)
    assert model.order == 2
    assert log10_of(model, tokens, "<s> a b")[1] == pytest.approx(math.log10(31 / 48), abs=1e-6)


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


def test_two_names_of_one_token_are_the_same_token(tmp_path):
    assert "twice" in refusal(tmp_path, LMPLZ.replace("\ta\t", "\t\u00a0\t").replace("\tb\t", "\t<0xA0>\t"), 10)


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
