"""Byte-pair encoding: pieces of words."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.runs import SPLIT_NAMES
from seqlab.text.bpe import BytePairs
from seqlab.text.splits import cut_text, describe_splits, learn_pieces
from seqlab.text.tokens import join_tokens
from seqlab.text.vocab import Vocab

TEXT = "low low low low low lower lower newest newest newest newest newest newest widest widest widest "
SPLIT = {"kind": "contiguous", "train": 0.6, "valid": 0.2, "test": 0.2}
LEARNT = BytePairs.learn([TEXT], 30)


def by_hand(text: str, number: int) -> list[tuple[str, str]]:
    """The merges of Sennrich et al. (2016): count the pairs in every word, merge the most frequent, again."""
    words = [[" ", *word] if place else list(word) for place, word in enumerate(text.split(" ")) if word]
    merges: list[tuple[str, str]] = []
    for _ in range(number):
        counts: dict[tuple[str, str], int] = {}
        for word in words:
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
        best = max(counts, key=lambda pair: counts[pair])
        if list(counts.values()).count(counts[best]) > 1:
            return merges  # which of two equally frequent pairs comes first is not laid down
        merges.append(best)
        for word in words:
            for place in range(len(word) - 2, -1, -1):
                if tuple(word[place : place + 2]) == best:
                    word[place : place + 2] = ["".join(best)]
    return merges


def test_the_most_frequent_pair_is_merged_first():
    text = "aaab " + "ab " * 9 + "bc " * 4
    expected = by_hand(text, 5)
    assert len(expected) >= 2
    assert [tuple(merge) for merge in BytePairs.learn([text], 5).merges[: len(expected)]] == expected


@given(st.text())
def test_pieces_join_to_any_text(text):
    assert join_tokens(LEARNT.pieces(text), "bpe") == text


@given(st.text("low ernstwid"))
def test_pieces_are_bytes_or_merges(text):
    assert set(LEARNT.pieces(text)) <= {chr(byte) for byte in range(256)} | {a + b for a, b in LEARNT.merges}


def test_merges_alone_give_the_encoding_back():
    assert BytePairs(LEARNT.merges).pieces(TEXT) == LEARNT.pieces(TEXT)


def test_a_merge_of_pieces_that_do_not_exist_is_refused():
    with pytest.raises(InputError, match="not those of a byte-pair encoding"):
        BytePairs([("lo", "w")])


def test_the_vocabulary_is_that_of_train_whatever_stands_in_test():
    text = TEXT * 3 + "zebra ünder zebra ünder "
    pieces, merges = learn_pieces(text, SPLIT, 20)
    assert merges == learn_pieces(TEXT * 3 + "qqqqq qqqqqq qqqqqq qqqq", SPLIT, 20)[1]
    vocab = Vocab([], 1, pieces, "bpe", merges)
    tokens, segments = cut_text(text, "bpe", SPLIT, merges)
    start, stop = segments["test"][0]
    unknown = [token for token, index in zip(tokens, vocab.encode(tokens), strict=True) if index == 0]
    assert unknown and all(token in tokens[start:stop] for token in unknown)
    assert not {"z", "b", "\xc3"} & set(vocab.tokens)


def test_pieces_are_cut_where_characters_are_and_charged_for_what_they_hold():
    text = TEXT.replace("e", "é") * 4
    pieces, merges = learn_pieces(text, SPLIT, 20)
    tokens, segments = cut_text(text, "bpe", SPLIT, merges)
    characters, expected = cut_text(text, "char", SPLIT)
    for name in SPLIT_NAMES:
        (start, stop), (first, last) = segments[name][0], expected[name][0]
        assert join_tokens(tokens[start:stop], "bpe") == "".join(characters[first:last])
    ids = Vocab([], 1, pieces, "bpe", merges).encode(tokens)
    test = describe_splits("contiguous", segments, ids, tokens, "bpe")["splits"]["test"]
    start, stop = segments["test"][0]
    scored = join_tokens(tokens[start + 1 : stop], "bpe")
    counts = (len(scored), len(scored.encode()), len(scored.split()))
    assert (test["characters"], test["bytes"], test["words"]) == counts


def test_a_vocabulary_that_was_saved_cuts_a_text_as_before(tmp_path):
    pieces, merges = learn_pieces(TEXT * 4, SPLIT, 20)
    vocab = Vocab(["low"], 1, pieces, "bpe", merges)
    vocab.save(tmp_path / "vocab.json")
    loaded = Vocab.load(tmp_path / "vocab.json")
    assert loaded.tokenize("lower newest") == vocab.tokenize("lower newest") != list("lower newest")
    assert loaded.text_of(loaded.encode(loaded.tokenize("lower newest"))) == "lower newest"
