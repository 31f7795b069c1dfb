"""Where the splits of a text lie, and what they are charged for."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.files import write_json
from seqlab.text.splits import (
    SPLIT_NAMES,
    cut_text,
    describe_splits,
    divide_text,
    read_ids,
    read_splits,
    segments_of,
    split_contiguously,
)
from seqlab.text.tokens import join_tokens, tokenize
from seqlab.text.vocab import Vocab

shares = st.tuples(st.integers(1, 98), st.integers(1, 98)).filter(lambda pair: sum(pair) < 100)
characters = st.lists(st.sampled_from("aé€😀 \n"), min_size=8, max_size=60)
words = st.lists(st.sampled_from(["a", "naïve", "time", "€uro", "😀"]), min_size=8, max_size=60)


def fractions(train: int, valid: int) -> dict[str, float]:
    return {"train": train / 100, "valid": valid / 100, "test": (100 - train - valid) / 100}


def described(tokens: list[str], unit: str, min_freq: int = 1) -> tuple[dict, np.ndarray]:
    """The content of splits.json for half, a quarter and a quarter of `tokens`, and their indices."""
    ids = Vocab(tokens, min_freq).encode(tokens)
    return describe_splits("contiguous", split_contiguously(len(tokens), fractions(50, 25)), ids, tokens, unit), ids


@given(st.integers(200, 10**6), shares)
def test_splits_cover_the_text_one_after_the_other(symbols, percent):
    ranges = [segment for name in SPLIT_NAMES for segment in split_contiguously(symbols, fractions(*percent))[name]]
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == symbols


@given(st.integers(200, 10**6), shares)
def test_borders_are_exact_shares_rounded_down(symbols, percent):
    train, valid = percent
    splits = split_contiguously(symbols, fractions(train, valid))
    assert splits["train"][0][1] == symbols * train // 100
    assert splits["valid"][0][1] == symbols * (train + valid) // 100


@pytest.mark.parametrize(
    "split",
    [
        {"train": 0.8, "valid": 0.1, "test": 0.2},
        {"train": 1.0, "valid": 0.1, "test": -0.1},
        {"train": 0.9, "valid": 0.1, "test": 0},
    ],
)
def test_shares_that_are_no_division_are_refused(split):
    with pytest.raises(InputError, match="train, valid and test must be positive and add up to 1"):
        divide_text(1000, split)


def test_a_text_too_short_for_two_symbols_in_every_split_is_refused():
    with pytest.raises(InputError, match="the text has only 6 symbols, too few"):
        divide_text(6, fractions(50, 25))


def test_the_shortest_text_gives_every_split_two_symbols():
    assert divide_text(7, fractions(50, 25)) == {"train": [[0, 3]], "valid": [[3, 5]], "test": [[5, 7]]}


@given(st.text("aé€😀", min_size=8, max_size=60))
def test_a_byte_that_begins_no_character_is_charged_for_none(text):
    tokens = tokenize(text, "byte")
    splits, _ = described(tokens, "byte")
    for split in splits["splits"].values():
        ((start, stop),) = split["segments"]
        scored = "".join(tokens[start + 1 : stop]).encode("latin-1")
        assert split["bytes"] == len(scored)
        assert split["characters"] == sum(byte & 0xC0 != 0x80 for byte in scored)


STREAMS = {"kind": "char_rnn_streams", "train": 0.8, "valid": 0.1, "test": 0.1, "streams": 3, "block": 5}


def test_streams_are_cut_along_time():
    """159 symbols: 10 blocks of 5 in each of 3 streams, 8 for train, 1 for valid, 1 for test; 9 symbols are left
    over.
    """
    assert divide_text(159, STREAMS) == {
        "train": [[0, 40], [50, 90], [100, 140]],
        "valid": [[40, 45], [90, 95], [140, 145]],
        "test": [[45, 50], [95, 100], [145, 150]],
    }


@given(st.integers(150, 10**5))
def test_streams_cover_all_but_less_than_a_block_each_and_nothing_twice(symbols):
    segments = sorted(segment for ranges in divide_text(symbols, STREAMS).values() for segment in ranges)
    assert all(first[1] == second[0] for first, second in pairwise(segments))
    assert symbols - 15 < segments[-1][1] <= symbols


def test_a_text_too_short_for_its_streams_is_refused():
    with pytest.raises(InputError, match=r"149 symbols, too few for 3 streams of blocks of 5"):
        divide_text(149, STREAMS)


def test_an_unknown_kind_of_split_is_named():
    with pytest.raises(InputError, match=r"split.kind is 'random'; allowed are contiguous, char_rnn_streams"):
        divide_text(100, STREAMS | {"kind": "random"})


FILES = {"kind": "files"}


def test_a_text_of_three_files_is_split_where_they_end():
    tokens, segments = cut_text("the time\x1cthe past of\x1ca future", "word", FILES)
    assert tokens == ["the", "time", "the", "past", "of", "a", "future"]
    assert segments == {"train": [[0, 2]], "valid": [[2, 5]], "test": [[5, 7]]}


@given(st.lists(st.text("aé€😀 \n", min_size=2), min_size=3, max_size=3), st.sampled_from(["char", "byte"]))
def test_every_symbol_of_every_file_is_in_its_split(texts, unit):
    tokens, segments = cut_text("\x1c".join(texts), unit, FILES)
    found = [join_tokens(tokens[start:stop], unit) for name in SPLIT_NAMES for start, stop in segments[name]]
    assert found == texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one file", "the text has 1 files"),
        ("ab\x1cab\x1cab\x1cab", "the text has 4 files"),
        ("ab\x1ca\x1cab", "the valid file has 1"),
    ],
)
def test_a_text_that_is_not_three_files_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        cut_text(text, "char", FILES)


def test_other_splits_take_a_text_as_one():
    text = "ab\x1cabab"
    assert cut_text(text, "char", fractions(50, 25)) == (list(text), divide_text(7, fractions(50, 25)))


@given(characters)
def test_characters_and_bytes_of_scored_characters(tokens):
    splits, _ = described(tokens, "char")
    for split in splits["splits"].values():
        ((start, stop),) = split["segments"]
        scored = "".join(tokens[start + 1 : stop])
        assert (split["characters"], split["bytes"]) == (len(scored), len(scored.encode("utf-8")))


@given(words)
def test_a_scored_word_is_charged_for_the_blank_before_it(tokens):
    splits, _ = described(tokens, "word")
    for split in splits["splits"].values():
        ((start, stop),) = split["segments"]
        scored = "".join(f" {word}" for word in tokens[start + 1 : stop])
        assert (split["characters"], split["bytes"]) == (len(scored), len(scored.encode("utf-8")))


@given(words)
def test_all_symbols_but_the_first_of_a_split_are_scored(tokens):
    splits, _ = described(tokens, "word")
    assert sum(split["symbols"] for split in splits["splits"].values()) == len(tokens)
    assert all(split["scored"] == split["symbols"] - 1 for split in splits["splits"].values())


@given(words, st.integers(1, 10))
def test_unknown_counts_the_scored_symbols_outside_the_vocabulary(tokens, min_freq):
    splits, _ = described(tokens, "word", min_freq)
    for split in splits["splits"].values():
        ((start, stop),) = split["segments"]
        assert split["unknown"] == sum(tokens.count(token) < min_freq for token in tokens[start + 1 : stop])


@given(characters)
def test_segments_of_a_split_hold_its_symbols(tokens):
    splits, ids = described(tokens, "char")
    joined = np.concatenate([segment for name in SPLIT_NAMES for segment in segments_of(ids, splits, name)])
    assert np.array_equal(joined, ids)


def test_splits_survive_the_file(tmp_path):
    splits, _ = described(list("abcdefgh"), "char")
    write_json(tmp_path / "splits.json", splits)
    assert read_splits(tmp_path / "splits.json") == splits


def test_a_missing_split_is_named(tmp_path):
    write_json(tmp_path / "splits.json", {"splits": {"train": {}}})
    with pytest.raises(InputError, match=r"splits\.json is damaged \(key 'kind' is missing"):
        read_splits(tmp_path / "splits.json")


def test_ids_survive_the_file(tmp_path):
    splits, ids = described(list("abcdefgh"), "char")
    np.save(tmp_path / "ids.npy", ids)
    assert np.array_equal(read_ids(tmp_path / "ids.npy", splits), ids)


def test_ids_that_do_not_fit_their_splits_are_refused(tmp_path):
    splits, ids = described(list("abcdefgh"), "char")
    np.save(tmp_path / "ids.npy", ids[1:])
    with pytest.raises(InputError, match=r"ids\.npy is damaged \(it holds 7 symbols, and splits\.json .* has 8"):
        read_ids(tmp_path / "ids.npy", splits)


@pytest.mark.parametrize("size", [0, 5, 130])
def test_damaged_ids_are_named(tmp_path, size):
    splits, ids = described(list("abcdefgh"), "char")
    path = tmp_path / "ids.npy"
    np.save(path, ids)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"ids\.npy is damaged"):
        read_ids(path, splits)


@pytest.mark.parametrize(("unit", "words"), [("char", [3, 2, 2]), ("word", [2, 1, 1]), ("byte", [3, 2, 2])])
def test_words_are_counted_among_the_scored_symbols_whatever_the_unit(unit, words):
    """The first symbol of each part is context: what is scored of "one two x" is "ne two x" or, by word, "two x"."""
    tokens = [tokenize(part, unit) for part in ("one two x", "it is", "we go")]
    flat = [token for part in tokens for token in part]
    borders = np.cumsum([0, *map(len, tokens)])
    ranges = {name: [list(map(int, pair))] for name, pair in zip(SPLIT_NAMES, pairwise(borders), strict=True)}
    splits = describe_splits("files", ranges, Vocab(flat).encode(flat), flat, unit)["splits"]
    assert [splits[name]["words"] for name in SPLIT_NAMES] == words
