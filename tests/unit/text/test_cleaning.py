"""What each cleaning keeps, and that cleaning twice is cleaning once."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.text.cleaning import CLEANING_FUNCTIONS, apply_cleaning, clean_text, clean_whitespace

# Plain letters, blanks and line ends are rare among all of Unicode, so they are drawn more often.
texts = st.text("a \n\r\t") | st.text("Zé9.\u0301 \n\f\v\x1c\x85\u00a0\u2003\u2028") | st.text()


@pytest.mark.parametrize("kind", CLEANING_FUNCTIONS)
@given(text=texts)
def test_cleaning_twice_is_cleaning_once(kind, text):
    once = CLEANING_FUNCTIONS[kind](text)
    assert CLEANING_FUNCTIONS[kind](once) == once


@given(texts)
def test_letters_leaves_small_letters_and_single_blanks(text):
    cleaned = clean_text(text)
    assert set(cleaned) <= {*string.ascii_lowercase, " "}
    assert "  " not in cleaned


@given(texts)
def test_letters_keeps_every_letter_from_a_to_z_in_order(text):
    letters = [character.lower() for character in text if character in string.ascii_letters]
    assert list(clean_text(text).replace(" ", "")) == letters


def test_letters_does_not_take_other_letters_for_those_of_the_alphabet():
    assert clean_text("Kelvin \u212a, naïve, ﬁn") == "kelvin na ve n"


@given(texts)
def test_whitespace_keeps_the_words(text):
    assert clean_whitespace(text).split() == unicodedata.normalize("NFC", text).split()


@given(texts)
def test_whitespace_leaves_no_superfluous_blank(text):
    cleaned = clean_whitespace(text)
    assert {character for character in cleaned if character.isspace()} <= {" ", "\n"}
    assert not any(superfluous in cleaned for superfluous in ("  ", " \n", "\n ", "\n\n\n"))


@given(texts)
def test_whitespace_ends_a_line_only_where_the_text_does(text):
    ends = "\n" in text.replace("\r", "\n")[len(text.rstrip()) :]
    assert clean_whitespace(text).endswith("\n") == ends


@given(texts, st.sampled_from(["letters", "whitespace", "none"]))
def test_cleaning_adds_no_white_space(text, kind):
    blanks = sum(character.isspace() for character in unicodedata.normalize("NFC", text))
    others = len(text) if kind == "letters" else blanks  # letters puts blanks in the place of all other characters
    assert sum(character.isspace() for character in CLEANING_FUNCTIONS[kind](text)) <= others


def test_whitespace_adds_no_line_end_to_a_text_of_one_line():
    assert clean_whitespace("agag  caat ") == "agag caat"
    assert clean_whitespace("a\nb") == "a\nb"
    assert clean_whitespace("a\nb \r\n ") == "a\nb\n"


@given(texts)
def test_whitespace_gives_the_same_for_composed_and_decomposed_letters(text):
    assert clean_whitespace(unicodedata.normalize("NFD", text)) == clean_whitespace(unicodedata.normalize("NFC", text))


def test_whitespace_keeps_paragraphs():
    assert clean_whitespace("\r\n  One \t line,\r\n  the next. \r\n\r\n \r\n\r\nA paragraph.\n") == (
        "One line,\nthe next.\n\nA paragraph.\n"
    )


@given(texts)
def test_none_changes_nothing(text):
    assert CLEANING_FUNCTIONS["none"](text) == text


def test_an_unknown_cleaning_is_named_with_those_allowed():
    with pytest.raises(InputError, match=r"'shine' for raw\.txt; allowed are letters, whitespace, none"):
        apply_cleaning("text", "shine", "raw.txt")


@pytest.mark.parametrize("kind", CLEANING_FUNCTIONS)
def test_nothing_left_is_an_error_that_names_the_place(kind):
    with pytest.raises(InputError, match=rf"raw\.txt is empty after cleaning \({kind}\)"):
        apply_cleaning(" \n ", kind, "raw.txt")
