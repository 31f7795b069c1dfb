"""Checks of a text: each finding is found, told with its place, and not seen where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.text.checks import (
    check_clean,
    check_raw,
    check_splits,
    check_unit,
    count_shared_positions,
    find_longest_shared,
)
from seqlab.text.vocab import Vocab

PLAIN = "".join(f"Line {n} of a plain text, which says something new.\n" for n in range(200))


def test_a_plain_text_has_nothing_odd():
    assert check_raw(PLAIN) == []
    assert check_clean(PLAIN) == []


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (PLAIN + "<div class='a'>log in</div>\n", "html", "2 HTML tags, the first \"<div class='a'>\" in line 201"),
        (PLAIN + "cafÃ© and naÃ¯ve\n", "encoding", "2 places look wrongly decoded, the first 'Ã©' in"),
        (PLAIN + "gone \ufffd\n", "encoding", "1 places look wrongly decoded, the first '\ufffd' in line 201"),
        (PLAIN + "a\r\nb\r\n", "line_ends", "line ends are 2 CR LF, 200 LF"),
        (PLAIN + "a\ufeffb\n", "byte_order_mark", "a byte-order mark in line 201"),
        (PLAIN + "bell \x07\n", "control_characters", "1 control characters, the first U+0007 in line 201"),
        (PLAIN + "so\u00adft\n", "invisible_characters", "the first U+00AD (soft hyphen) in line 201"),
        (PLAIN + "a\u200bb \u200fc\n", "invisible_characters", "2 invisible characters, the first U+200B (zero width"),
        (PLAIN + "ab\u200dc\n", "invisible_characters", "U+200D (zero width joiner)"),
        (PLAIN + "\u3164\n", "invisible_characters", "1 invisible characters, the first U+3164 (hangul filler)"),
        (PLAIN + "\ue000\n", "private_characters", "1 private characters, the first U+E000 in line 201"),
        (PLAIN + "\U000e1000\n", "unassigned_characters", "1 unassigned characters, the first U+E1000 in line 201"),
        (PLAIN + 9 * "This line of more than forty characters comes again.\n", "repeated_lines", "8 of 209 long lines"),
    ],
)
def test_each_oddity_is_found_with_its_place(text, kind, said):
    (finding,) = check_raw(text)
    assert finding.kind == kind
    assert said in finding.sentence
    assert not finding.stops


def test_a_text_that_is_mostly_markup_stops_the_work():
    (finding,) = check_raw("<p class='x'>word</p>\n" * 50)
    assert (finding.kind, finding.stops) == ("html", True)


def test_an_emoticon_in_a_plain_text_is_an_insertion_and_in_a_chat_is_not():
    (finding,) = check_clean(PLAIN + "so :-) he ☺ \n")
    assert finding.kind == "insertions"
    assert finding.sentence.endswith("':-)' 1 times, '☺' 1 times; the first in line 201")
    assert check_clean(PLAIN + "50° and 2^3\n") == []
    assert check_clean("☺ hello\n" * 100) == []


@pytest.mark.parametrize("character", ["\U0001fae8", "\U0001fa8e", "\U0001f6dc"])
def test_an_emoji_that_is_younger_than_python_is_a_picture(character):
    (finding,) = check_clean(PLAIN + character)
    assert (finding.kind, f"'{character}' 1 times" in finding.sentence) == ("insertions", True)
    assert check_raw(PLAIN + character) == []


@pytest.mark.parametrize("text", ["می\u200cخواهم", "\U0001f469\u200d\U0001f680", "क्\u200dष"])
def test_joiners_that_a_script_or_an_emoji_needs_are_no_finding(text):
    assert check_raw(PLAIN + text) == []


def test_a_vocabulary_that_keeps_nothing_stops_the_work_with_its_remedy():
    (finding,) = check_unit("a b c", Vocab(["a", "b", "c"], min_freq=2, unit="word"))
    assert (finding.kind, finding.stops) == ("vocabulary", True)
    assert finding.sentence.startswith("no word occurs 2 times in train")
    assert "lower vocab.min_freq for the unit word" in finding.sentence


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("今天天气很好。", "Chinese or Japanese"),
        ("きょうは", "Chinese or Japanese"),
        ("ภาษาไทย", "Thai"),
        ("ខ្មែរ", "Khmer"),
    ],
)
def test_a_script_without_blanks_is_no_text_of_words(text, script):
    (finding,) = check_unit(f"{text} {text}", Vocab([text, text], unit="word"))
    assert (
        finding.kind == "unit" and script in finding.sentence and "take the unit char, byte or bpe" in finding.sentence
    )
    assert check_unit(text, Vocab(text)) == []


def test_a_script_without_blanks_is_the_reason_why_nothing_is_kept():
    (finding,) = check_unit("今天很好。\n明天不好。", Vocab(["今天很好。", "明天不好。"], min_freq=2, unit="word"))
    assert finding.stops and finding.sentence.startswith("no word occurs 2 times in train")
    assert finding.sentence.endswith("sentences count as words; take the unit char, byte or bpe")


def test_reserved_names_among_the_words_are_told():
    words = ["<s>", "the", "<unk>", "end", "<unk>", "</s>"]
    (finding,) = check_unit(" ".join(words), Vocab(words, unit="word"))
    assert (finding.kind, finding.stops) == ("reserved_names", False)
    assert "<unk> 2 times, <s> 1 times, </s> 1 times in train" in finding.sentence


def naive_longest(first: list[int], second: list[int]) -> int:
    return max((n for n in range(len(second) + 1) for k in range(len(second) - n + 1)
                for j in range(len(first) - n + 1) if first[j : j + n] == second[k : k + n]), default=0)  # fmt: skip


@given(st.lists(st.integers(0, 2), min_size=1, max_size=25), st.lists(st.integers(0, 2), min_size=1, max_size=25))
def test_the_longest_shared_stretch_is_that_of_trying_all(first, second):
    span, (_, place) = find_longest_shared([np.array(first)], [np.array(second)])
    assert span == naive_longest(first, second)
    wanted = second[place : place + span]
    assert span == 0 or any(first[j : j + span] == wanted for j in range(len(first)))


def test_no_stretch_reaches_over_the_border_of_two_segments():
    train = [np.array([1, 2, 3]), np.array([4, 5, 6])]
    assert find_longest_shared(train, [np.array([2, 3, 4, 5])])[0] == 2


def test_positions_in_shared_stretches_are_counted_once():
    train, test = [np.arange(10)], [np.array([20, 3, 4, 5, 6, 21, 7, 8])]
    assert count_shared_positions(train, test, span=3) == 4


def parts(test: np.ndarray) -> dict:
    random = np.random.default_rng(1)
    return {"train": [random.integers(1, 9, 3000)], "valid": [random.integers(1, 9, 300)], "test": [test]}


def test_a_test_split_that_stands_in_train_stops_the_work():
    splits = parts(np.zeros(0, dtype=np.int64))
    splits["test"] = [splits["train"][0][500:800]]
    found = check_splits(splits, list("?abcdefgh"), "char")
    assert [(finding.kind, finding.stops) for finding in found] == [("overlap", True), ("shared_span", False)]
    assert found[0].sentence.startswith("100.0% of test is also in train")
    assert found[1].sentence.startswith("test and train share 300 symbols in a row: ")


def test_symbols_that_train_lacks_are_counted():
    test = np.random.default_rng(2).integers(1, 9, 300)
    test[:3] = 0
    (finding,) = check_splits(parts(test), list("?abcdefgh"), "char")
    assert finding.sentence == "3 of 300 symbols of test are not in the vocabulary of train"
