"""What unknown symbols cost when they are spelt out."""

import math

import numpy as np
import pytest

from seqlab.ngram.model import symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.questions.spelling import BITS_OF_A_CHARACTER, WORD_END, Speller, SpellingRow, answer
from seqlab.text.splits import cut_text, describe_splits
from seqlab.text.unknown import find_unknown_symbols, list_rare_words
from seqlab.text.vocab import Vocab

WORDS = ["banana", "bandana", "cabana", "ban", "nab", "canal", "anal"]
SPLIT = {"kind": "contiguous", "train": 0.6, "valid": 0.2, "test": 0.2}


def test_a_word_costs_its_letters_and_its_end():
    symbols = [WORD_END, *sorted(set("".join(WORDS)))]
    index = {symbol: place for place, symbol in enumerate(symbols, start=1)}
    lines = [np.array([index[letter] for letter in WORD_END + word + WORD_END]) for word in WORDS]
    model = estimate("mkn", lines, 5, len(symbols) + 1).model
    spelt = np.array([index[letter] for letter in WORD_END + "cabal" + WORD_END])
    expected = -np.log2(symbol_probabilities(model, [spelt])).sum()
    assert Speller(WORDS).bits(["cabal"]) == pytest.approx(expected, rel=1e-9)
    assert Speller(WORDS).bits(["cabal", "ban"]) == pytest.approx(expected + Speller(WORDS).bits(["ban"]), rel=1e-9)


def test_what_all_words_together_can_cost_is_no_more_than_one():
    """The probabilities of all words of up to three letters are a part of those of all words."""
    speller, letters = Speller(["ab", "ba", "aab"]), "ab"
    words = [first + second + third for first in letters for second in ["", *letters] for third in ["", *letters]]
    total = sum(2.0 ** -speller.bits([word]) for word in set(words))
    assert 0.3 < total < 1


def test_a_letter_that_train_lacks_is_chosen_among_all_of_unicode():
    speller = Speller(WORDS)
    assert speller.bits(["bañana"]) > speller.bits(["banana"]) + BITS_OF_A_CHARACTER
    assert math.isfinite(speller.bits(["漢字"]))


def test_words_are_learnt_from_what_the_vocabulary_lacks():
    train = ["the", "the", "a", "a", "zebra", "yak"]
    assert list_rare_words(train, Vocab(train, min_freq=2)) == ["zebra", "yak"]
    assert list_rare_words(train, Vocab(train)) == ["a", "the", "yak", "zebra"]


@pytest.mark.parametrize(("unit", "each"), [("char", BITS_OF_A_CHARACTER), ("byte", 8.0), ("bpe", 8.0)])
def test_symbols_that_are_not_words_are_chosen_alike(unit, each):
    tokens = {"valid": ["x"], "test": ["x", "y", "x"]}
    splits = {name: {"tokens": unknown, "characters": 10} for name, unknown in tokens.items()}
    found = answer({"unit": unit, "rare": [], "splits": splits})
    assert [found[name].bits for name in tokens] == pytest.approx([each, 3 * each])
    assert found["test"].bits_per_char == pytest.approx(3 * each / 10)


def test_a_text_without_unknown_symbols_costs_nothing_more():
    tokens = ["to", "be"] * 20
    vocab = Vocab(tokens, unit="word")
    segments = cut_text(" ".join(tokens), "word", SPLIT)[1]
    splits = describe_splits("contiguous", segments, vocab.encode(tokens), tokens, "word")
    nothing = SpellingRow(0, 0.0, 0.0)
    assert answer(find_unknown_symbols("word", tokens, vocab, splits)) == {"valid": nothing, "test": nothing}


def test_the_word_unk_of_a_text_is_known_where_train_has_it():
    """As in Penn Treebank and WikiText: ids, unknown.json and the splits say the same of it."""
    tokens = ["to", "<unk>"] * 16 + ["be", "<unk>"] * 4
    vocab = Vocab(tokens[:24], unit="word")
    splits = describe_splits(
        "contiguous", cut_text(" ".join(tokens), "word", SPLIT)[1], vocab.encode(tokens), tokens, "word"
    )
    found = answer(find_unknown_symbols("word", tokens, vocab, splits))
    assert found["test"].unknown == splits["splits"]["test"]["unknown"] == 3
    assert found["valid"] == SpellingRow(0, 0.0, 0.0)


def test_unknown_words_of_the_scored_symbols_are_spelt():
    tokens = ["to", "be"] * 15 + ["or", "not"] + ["new", "be", "old", "to"] + ["old", "to", "new", "be"]
    vocab = Vocab(tokens[:24], unit="word")
    segments = cut_text(" ".join(tokens), "word", SPLIT)[1]
    splits = describe_splits("contiguous", segments, vocab.encode(tokens), tokens, "word")
    found = answer(find_unknown_symbols("word", tokens, vocab, splits))
    start, stop = segments["test"][0]
    unknown = [token for token in tokens[start + 1 : stop] if token not in vocab]
    expected = Speller(["be", "to"]).bits(unknown)
    assert found["test"].unknown == splits["splits"]["test"]["unknown"] == len(unknown) > 0
    assert found["test"].bits == pytest.approx(expected)
    assert found["test"].bits_per_char == pytest.approx(expected / splits["splits"]["test"]["characters"])
