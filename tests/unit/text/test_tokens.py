"""Cutting a text into characters or words, and joining them again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.text.tokens import join_tokens, to_bytes, tokenize

words = st.lists(st.text(min_size=1).filter(lambda word: word.split() == [word]))


@given(st.text())
def test_characters_join_to_the_text(text):
    assert join_tokens(tokenize(text, "char"), "char") == text


@given(st.text())
def test_a_token_of_unit_char_is_one_character(text):
    assert all(len(token) == 1 for token in tokenize(text, "char"))


@given(words)
def test_words_survive_joining(tokens):
    assert tokenize(join_tokens(tokens, "word"), "word") == tokens


@given(words, st.sampled_from([" ", "\n\n", " \t "]))
def test_words_do_not_depend_on_the_white_space_between_them(tokens, blank):
    assert tokenize(blank + blank.join(tokens) + blank, "word") == tokens


def test_an_unknown_unit_is_named_with_those_allowed():
    with pytest.raises(InputError, match="unit is 'line'; allowed are char, word, byte, bpe"):
        tokenize("text", "line")


@given(st.text())
def test_bytes_are_those_of_utf8_and_give_the_text_back(text):
    tokens = tokenize(text, "byte")
    assert [ord(token) for token in tokens] == list(text.encode("utf-8"))
    assert join_tokens(tokens, "byte") == text


@given(st.text(), st.sampled_from(["char", "byte"]))
def test_the_bytes_of_all_tokens_are_those_of_the_text(text, unit):
    assert to_bytes(tokenize(text, unit), unit) == text.encode("utf-8")


def test_half_a_character_is_shown_as_one_that_can_not_be():
    assert join_tokens(tokenize("aé", "byte")[:2], "byte") == "a\ufffd"
