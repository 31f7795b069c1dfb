"""Module section 4: load, clean, tokenize, build the vocabulary, turn the text into indices."""

import pytest

from seqlab.text.cleaning import clean_text
from seqlab.text.reading import load_text
from seqlab.text.time_machine import build_time_machine
from seqlab.text.tokens import tokenize
from seqlab.text.vocab import UNKNOWN, Vocab

RAW = "The Time Machine, by H. G. Wells [1898]\n"
CLEAN = "the time machine by h g wells "


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "time_machine.txt"
    path.write_text(RAW, encoding="utf-8")
    return path


def test_load_text(path):
    assert load_text(path) == RAW


def test_clean_text():
    assert clean_text(RAW) == CLEAN


def test_tokenize_by_character():
    assert tokenize("the time", "char") == ["t", "h", "e", " ", "t", "i", "m", "e"]


def test_tokenize_by_word():
    assert tokenize(CLEAN, "word") == ["the", "time", "machine", "by", "h", "g", "wells"]


def test_every_token_of_the_vocabulary_has_one_index():
    vocab = Vocab(tokenize(CLEAN))
    assert sorted(vocab[token] for token in {*CLEAN, UNKNOWN}) == list(range(len(vocab)))


@pytest.mark.parametrize("unit", ["char", "word"])
def test_build_time_machine_is_the_four_steps(path, unit):
    corpus, vocab = build_time_machine(path, unit)
    assert vocab.to_tokens(corpus) == tokenize(CLEAN, unit)


@pytest.mark.parametrize(("unit", "symbols", "entries"), [("char", 173_428, 28), ("word", 32_775, 4_580)])
def test_the_time_machine(mirror, unit, symbols, entries):
    corpus, vocab = build_time_machine(mirror / "time_machine.txt", unit)
    assert (len(corpus), len(vocab)) == (symbols, entries)


def test_nothing_of_the_time_machine_is_unknown(mirror):
    corpus, _ = build_time_machine(mirror / "time_machine.txt")
    assert 0 not in corpus
