"""Models as ARPA text: what is written and what is read."""

import gzip
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arpa_files import LMPLZ, SRILM, read_text
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ngram.arpa import arpa_name, read_arpa, token_of, write_arpa
from seqlab.ngram.model import BackoffModel, symbol_probabilities
from seqlab.ngram.smoothing import estimate

LINE_START, LINE_END = 1, 2
TOKENS = ["<unk>", "<s>", "</s>", "a", " ", "\n", "é\u3000"]
RESERVED = ["<unk>", "<UNK>", "<s>", "</s>", "<0x0A>"]  # as words of a text


def model_of_lines(lines: list[list[int]], order: int, smoothing: str = "mkn") -> BackoffModel:
    segments = [np.array([LINE_START, *line, LINE_END]) for line in lines]
    return estimate(smoothing, segments, order, len(TOKENS), LINE_START).model


def small_model() -> BackoffModel:
    return model_of_lines([[3, 4, 5], [3, 4], [6, 3]], 3)


def log10_of(model: BackoffModel, tokens: list[str], words: str) -> list[float]:
    segment = np.array([tokens.index(word) if word in tokens else 0 for word in words.split()])
    with np.errstate(divide="ignore"):
        return np.log10(symbol_probabilities(model, [segment])).tolist()


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
    monkeypatch.setattr("seqlab.ngram.arpa.LINES_AT_ONCE", 2)
    write_arpa(tmp_path / "pieces.arpa", small_model(), TOKENS, LINE_START)
    assert (tmp_path / "pieces.arpa").read_bytes() == (tmp_path / "whole.arpa").read_bytes()


@given(st.text(st.characters(codec=None)))
def test_names_have_no_white_space_and_can_be_undone(token):
    assert not re.search(r"\s|[\x00-\x1f\x7f-\x9f]", arpa_name(token))
    assert token_of(arpa_name(token)) == token


@pytest.mark.parametrize("token", RESERVED)
def test_names_with_a_meaning_of_their_own_are_escaped(token):
    name = arpa_name(token)
    assert name == f"<0x3C>{token[1:]}" and token_of(name) == token


@given(st.lists(st.sampled_from([*RESERVED, "<0x", "0A>", "<", "3C>", "\n", "a"])).map("".join))
def test_names_that_look_like_escapes_can_be_undone(token):
    assert token_of(arpa_name(token)) == token
    assert arpa_name(token).casefold() not in ("<unk>", "<s>", "</s>")


def test_the_text_of_a_model(tmp_path):
    model = estimate("mkn", [np.array([1, 3, 4, 2])], 2, 5, LINE_START).model
    write_arpa(tmp_path / "model.arpa", model, ["<unk>", "<s>", "</s>", "a", "\t"], LINE_START)
    half, unigram, bigram = (f"{math.log10(value):.9g}" for value in (1 / 2, 7 / 24, 31 / 48))
    assert (tmp_path / "model.arpa").read_text() == (
        "# seqlab escapes words: <0xNN> is the character of that code point\n"
        "\\data\\\nngram 1=5\nngram 2=3\n\n"
        f"\\1-grams:\n{math.log10(1 / 8):.9g}\t<unk>\t0\n-99\t<s>\t{half}\n{unigram}\t</s>\t0\n"
        f"{unigram}\ta\t{half}\n{unigram}\t<0x09>\t{half}\n\n"
        f"\\2-grams:\n{bigram}\t<s> a\n{bigram}\ta <0x09>\n{bigram}\t<0x09> </s>\n\n"
        "\\end\\\n"
    )


def test_a_probability_that_rounding_put_above_one_is_written_as_one(tmp_path):
    model = BackoffModel(2, True, [np.arange(2)], [np.array([0.0, np.nextafter(1.0, 2.0)])], [])
    write_arpa(tmp_path / "model.arpa", model, ["<unk>", "a"])
    assert "\n0\ta\n" in (tmp_path / "model.arpa").read_text()


def refused_writing(folder: Path, model: BackoffModel, tokens: list[str], line_start: int | None) -> str:
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


@pytest.mark.parametrize("line_start", [2, 99])
def test_a_line_start_elsewhere_is_refused(tmp_path, line_start):
    assert "line_start" in refused_writing(tmp_path, small_model(), TOKENS, line_start)


def test_a_stream_in_which_reserved_names_are_words_is_read_again(tmp_path):
    tokens = ["<unk>", *RESERVED, "x<0x0A>y", "a"]
    text = np.random.default_rng(1).integers(0, len(tokens), 300)
    model = estimate("mkn", [text], 3, len(tokens)).model
    write_arpa(tmp_path / "model.arpa", model, tokens)
    again, read_tokens, line_start = read_arpa(tmp_path / "model.arpa")
    assert (read_tokens, line_start) == (tokens, None)
    assert symbol_probabilities(again, [text]) == pytest.approx(symbol_probabilities(model, [text]), rel=1e-6)


def test_an_empty_token_is_refused(tmp_path):
    assert "the token 6 is empty" in refused_writing(tmp_path, small_model(), [*TOKENS[:-1], ""], LINE_START)


def test_nothing_is_left_when_writing_fails_half_way(tmp_path):
    model = small_model()
    broken = replace(model, probability=[*model.probability[:-1], np.zeros(0)])
    with pytest.raises(IndexError):
        write_arpa(tmp_path / "model.arpa", broken, TOKENS, LINE_START)
    assert list(tmp_path.iterdir()) == []


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


def test_escapes_are_words_in_files_of_other_tools(tmp_path):
    model, tokens, _ = read_text(tmp_path, LMPLZ.replace("\tb", "\t<0x0A>").replace("a b", "a <0x0A>"))
    assert tokens[-1] == "<0x0A>"
    assert log10_of(model, tokens, "a <0x0A>") == pytest.approx([-0.18987964])


def test_an_unknown_word_in_capitals_is_the_unknown_word(tmp_path):
    model, tokens, _ = read_text(tmp_path, LMPLZ.replace("<unk>", "<UNK>"))
    assert tokens[0] == "<unk>" and "<UNK>" not in tokens
    assert log10_of(model, tokens, "b never") == pytest.approx([-0.30103 - 0.90308999])


def test_vertical_tabs_and_form_feeds_are_parts_of_words(tmp_path):
    _, tokens, _ = read_text(tmp_path, LMPLZ.replace("\ta", "\ta\va\f").replace(" a", " a\va\f"))
    assert tokens[3] == "a\va\f"


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
