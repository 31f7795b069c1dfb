"""Facts of a run: the raw text of its scored symbols, and encoded texts."""

import pytest

from seqlab.audit.runs import cut_scored_texts, encode_text
from seqlab.io.errors import InputError


@pytest.mark.parametrize(
    ("unit", "ranges", "expected"),
    [
        ("char", [[0, 3], [3, 5]], ["aï", "d"]),
        ("word", [[0, 3]], [" d e"]),
        ("byte", [[0, 4]], ["aï"]),
    ],
)
def test_the_first_symbol_of_a_segment_is_no_part_of_the_scored_text(unit, ranges, expected):
    assert cut_scored_texts("xaï d e" if unit == "word" else "xaïcd", unit, ranges) == expected


def test_half_a_character_keeps_its_byte():
    (text,) = cut_scored_texts("xaï", "byte", [[0, 3]])
    assert text.encode("utf-8", "surrogateescape") == "aï".encode()[:2]


def test_a_text_is_cut_into_characters_where_all_names_are_and_into_words_otherwise():
    assert encode_text("aba", ["<unk>", "a", "b"]).tolist() == [1, 2, 1]
    assert encode_text("the cat sat", ["<unk>", "the", "cat"]).tolist() == [1, 2, 0]


def test_an_unknown_symbol_without_an_entry_for_it_is_refused():
    with pytest.raises(InputError, match="the symbol 'c', which the model lacks"):
        encode_text("abc", ["a", "b"])
