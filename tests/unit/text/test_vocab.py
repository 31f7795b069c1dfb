"""The dictionary between tokens and indices."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.files import read_json
from seqlab.text.vocab import UNKNOWN, Vocab

tokens = st.lists(st.sampled_from([*"abcdeé", "the", "time", UNKNOWN]) | st.text(max_size=3), max_size=60)


@given(tokens)
def test_known_tokens_survive_the_round_trip(sequence):
    vocab = Vocab(sequence)
    assert vocab.to_tokens(vocab[sequence]) == sequence


@given(tokens)
def test_indices_of_tokens_survive_the_round_trip(sequence):
    vocab = Vocab(sequence)
    assert vocab[vocab.to_tokens(range(1, len(vocab)))] == list(range(1, len(vocab)))


def test_the_name_of_the_unknown_symbol_is_a_word_like_any_other():
    vocab = Vocab(["the", UNKNOWN, "the", UNKNOWN, UNKNOWN, "rare"], min_freq=2)
    assert (vocab.tokens, vocab.counts) == ([UNKNOWN, UNKNOWN, "the"], [1, 3, 2])
    assert (vocab[UNKNOWN], vocab["rare"], UNKNOWN in vocab) == (1, 0, True)
    assert vocab.to_tokens(vocab[["the", UNKNOWN]]) == ["the", UNKNOWN]
    assert (UNKNOWN in Vocab("ab"), Vocab("ab")[UNKNOWN]) == (False, 0)


@given(tokens, st.integers(1, 4), st.lists(st.sampled_from(["<pad>", "a", "the"]), unique=True))
def test_unknown_is_index_0_and_takes_the_place_of_what_is_not_kept(sequence, min_freq, reserved):
    vocab = Vocab(sequence, min_freq, reserved)
    assert vocab.tokens[0] == UNKNOWN
    assert vocab["never seen"] == 0


@given(tokens, st.integers(1, 4))
def test_exactly_the_tokens_seen_often_enough_are_kept(sequence, min_freq):
    frequency = Counter(sequence)
    kept = {token for token in frequency if frequency[token] >= min_freq}
    assert sorted(Vocab(sequence, min_freq).tokens[1:]) == sorted(kept)


@given(tokens)
def test_order_is_by_falling_frequency_and_ties_by_code_point(sequence):
    vocab = Vocab(sequence)
    order = [(-count, token) for token, count in zip(vocab.tokens[1:], vocab.counts[1:], strict=True)]
    assert order == sorted(order)


@given(tokens, st.randoms(use_true_random=False))
def test_the_order_of_the_text_does_not_matter(sequence, random):
    shuffled = random.sample(sequence, len(sequence))
    assert Vocab(shuffled).tokens == Vocab(sequence).tokens


@given(tokens, st.integers(1, 4), st.lists(st.sampled_from(["<pad>", "a", "the"]), unique=True))
def test_counts_are_those_of_the_encoded_text(sequence, min_freq, reserved):
    vocab = Vocab(sequence, min_freq, reserved)
    assert vocab.counts == np.bincount(vocab.encode(sequence), minlength=len(vocab)).tolist()


def test_reserved_tokens_follow_unknown_in_the_order_given():
    vocab = Vocab("aaab", reserved_tokens=["<s>", "b", "</s>"])
    assert vocab.tokens == [UNKNOWN, "<s>", "b", "</s>", "a"]


def test_a_reserved_token_named_twice_is_an_error():
    with pytest.raises(InputError, match="twice"):
        Vocab("ab", reserved_tokens=["<s>", "<s>"])


def test_a_frequency_below_one_is_an_error():
    with pytest.raises(InputError, match="min_freq is 0; it must be at least 1"):
        Vocab("ab", min_freq=0)


def test_a_token_of_several_characters_is_not_taken_for_a_sequence():
    vocab = Vocab(["the", "t", "h", "e"])
    assert vocab["the"] == vocab.tokens.index("the")


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_is_an_error(index):
    with pytest.raises(IndexError, match=f"index {index} is outside a vocabulary of 3 entries"):
        Vocab("ab").to_tokens([0, index])


@given(tokens, tokens)
def test_encode_gives_the_same_indices_as_an_array(known, sequence):
    vocab = Vocab(known)
    assert vocab.encode(sequence).tolist() == vocab[sequence]


@pytest.mark.parametrize(
    ("entries", "kind"), [(2, np.uint8), (256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32)]
)
def test_encode_takes_the_smallest_type_that_fits(entries, kind):
    vocab = Vocab(str(number) for number in range(entries - 1))
    encoded = vocab.encode(vocab.tokens[-1:])
    assert (encoded.dtype, encoded.tolist()) == (kind, [entries - 1])


@given(tokens, st.integers(1, 3))
def test_a_saved_vocabulary_is_the_same_when_loaded(tmp_path_factory, sequence, min_freq):
    path = tmp_path_factory.getbasetemp() / "vocab.json"
    vocab = Vocab(sequence, min_freq)
    vocab.save(path)
    assert vars(Vocab.load(path)) == vars(vocab)


def test_a_saved_vocabulary_follows_its_contract(tmp_path):
    Vocab("abb").save(tmp_path / "vocab.json")
    content = read_json(tmp_path / "vocab.json")
    assert content == {"unit": "char", "tokens": [UNKNOWN, "b", "a"], "counts": [0, 2, 1], "min_freq": 1}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"tokens": ["a", UNKNOWN], "counts": [1, 1], "min_freq": 1},
        {"tokens": [UNKNOWN, "a", "a"], "counts": [0, 1, 1], "min_freq": 1},
        {"tokens": [UNKNOWN, UNKNOWN, UNKNOWN], "counts": [0, 1, 1], "min_freq": 1},
        {"tokens": [UNKNOWN, "a"], "counts": [0], "min_freq": 1},
        {"tokens": [], "counts": [], "min_freq": 1},
    ],
)
def test_a_file_that_is_no_vocabulary_is_named(tmp_path, content):
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=r"vocab\.json is damaged \((it is not a vocabulary|<unk> must come first)"):
        Vocab.load(path)
