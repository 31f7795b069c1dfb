"""Who knows what: groups counted by hand, and the places where two models differ most."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.tables import tabulate_rows
from seqlab.questions.breakdown import (
    KIND_QUESTION,
    PLACE_QUESTION,
    BreakdownRow,
    break_down,
    count_contexts,
    find_contrasts,
    find_places_in_words,
    measure_distances,
)

TOKENS = ["<unk>", "a", "b", " ", "1", "."]


def ids(text: str) -> np.ndarray:
    return np.array([TOKENS.index(character) if character in TOKENS else 0 for character in text], dtype=np.uint8)


def test_contexts_are_counted_where_another_symbol_follows():
    # in "abab", "a" stands twice before another symbol and "b" once; "ab" once before another symbol
    assert count_contexts([ids("abab")], ids("abaa"), 1).tolist() == [2, 1, 2]
    assert count_contexts([ids("abab")], ids("abaa"), 2).tolist() == [2, 1, 1]


SYMBOLS = st.integers(0, 2)


def broken_down(*arguments) -> pd.DataFrame:
    return tabulate_rows(BreakdownRow, break_down(*arguments))


@given(st.lists(SYMBOLS, min_size=1, max_size=20), st.lists(SYMBOLS, max_size=20), st.integers(1, 4))
def test_context_counts_are_those_of_looking_everywhere(segment, train, length):
    expected = []
    for place in range(1, len(segment)):
        context = segment[max(0, place - length) : place]
        ends = range(len(context), len(train))
        expected.append(sum(train[end - len(context) : end] == context for end in ends))
    assert count_contexts([np.array(train, dtype=np.int64)], np.array(segment), length).tolist() == expected


def test_places_in_words_begin_anew_after_what_is_no_letter():
    assert find_places_in_words(ids("ab a.ba1"), TOKENS).tolist() == [1, 2, 0, 1, 0, 1, 2, 3]


def test_the_distance_is_that_to_the_last_time():
    assert measure_distances(ids("abaab"), 1).tolist() == [0, 0, 2, 1, 3]
    assert measure_distances(ids("abaab"), 2).tolist() == [0, 0, 0, 0, 3]
    assert measure_distances(ids("a"), 2).tolist() == [0]


def test_groups_of_a_question_divide_all_symbols_and_their_bits():
    random = np.random.default_rng(1)
    train, test = [random.integers(0, 6, 500)], [random.integers(0, 6, 80), random.integers(0, 6, 41)]
    bits = {"mkn-3": random.random(119), "lstm-1x8": random.random(119)}
    table = broken_down(bits, train, test, TOKENS, "char")
    assert table["question"].nunique() == 4
    for (_, model), rows in table.groupby(["question", "model"]):
        assert rows["symbols"].sum() == 119
        assert (rows["symbols"] * rows["bits_per_symbol"]).sum() == pytest.approx(bits[model].sum())


def test_kinds_of_symbols_by_hand():
    table = broken_down({"m": np.array([1.0, 2, 3, 4, 5, 6])}, [ids("ab")], [ids("aab 1.?")], TOKENS, "char")
    kinds = table[table["question"] == KIND_QUESTION].set_index("group")["bits_per_symbol"]
    assert kinds.to_dict() == {"letter": 1.5, "blank": 3, "digit": 4, "other": 5, "unknown": 6}


def test_words_have_no_place_in_a_word():
    table = broken_down({"m": np.ones(3)}, [ids("ab")], [ids("abab")], TOKENS, "word")
    assert PLACE_QUESTION not in set(table["question"])


def test_the_strongest_difference_comes_first_in_its_text_and_none_is_shown_twice():
    segment = ids("ab" * 60)
    first, second = np.ones(119), np.ones(119)
    first[50], first[52], second[110] = 9.0, 8.0, 5.0
    places = find_contrasts(first, second, [segment], TOKENS, number=5, before=5, after=3)
    assert [place["difference"] for place in places] == [8.0, -4.0]
    assert len(places[0]["tokens"]) == len(places[0]["differences"]) == 8
    assert places[0]["differences"][places[0]["at"]] == 8.0
    assert places[0]["tokens"][places[0]["at"]] == TOKENS[segment[51]]


def test_symbols_of_probability_zero_are_the_strongest_differences():
    first, second = np.array([1.0, np.inf, np.inf, 1.0]), np.array([1.0, np.inf, 2.0, 1.0])
    (place,) = find_contrasts(first, second, [ids("ababa")], TOKENS)
    assert (place["difference"], place["at"]) == (99.0, 2)
