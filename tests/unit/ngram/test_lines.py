"""Models of lines in the ledger: the bits of words with the line ends before them."""

import numpy as np
import pytest

from seqlab import NgramModel
from seqlab.ngram.lines import Segment, count_line_ends, score_segments, train_on_lines
from seqlab.text.vocab import Vocab

TRAIN = ["the cat sat", "", "the dog sat down", "the cat ran", "a dog"]
TEST = ["the cat", "a zebra sat", "", "", "the dog ran"]


def segment(lines: list[str], vocab: Vocab) -> Segment:
    text = "\n".join(lines)
    return vocab.encode(text.split()), count_line_ends(text)


def test_line_ends_are_counted_between_words() -> None:
    assert count_line_ends("a b\nc\n\n\nd e\n").tolist() == [0, 0, 1, 3, 0]


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("smoothing", ["mkn", "wb"])
def test_the_model_is_that_of_the_command(smoothing: str, order: int) -> None:
    vocab = Vocab(" ".join(TRAIN).split(), unit="word")
    model = train_on_lines([segment(TRAIN, vocab)], vocab, smoothing, order)
    other = NgramModel.train(TRAIN, order=order, smoothing=smoothing)
    assert model.tokens == other.tokens
    assert np.array_equal(model.packed.data, other.packed.data)


def test_words_cost_their_own_bits_and_those_of_the_line_ends_before_them() -> None:
    vocab = Vocab(" ".join(TRAIN).split(), unit="word")
    model = train_on_lines([segment(TRAIN, vocab)], vocab, "mkn", 3)
    bits = score_segments(model, [segment(TEST, vocab)])
    whole = sum(model.score(line) for line in TEST) / -np.log10(2)
    first = model.follow(model.state(), "the")[0]
    state = model.state()
    for word in TEST[-1].split():
        state = model.follow(state, word)[1]
    outside = (first + model.end(state)) / -np.log10(2)  # of the first word, and of the line end after the last
    assert len(bits) == len(" ".join(TEST).split()) - 1
    assert bits.sum() == pytest.approx(whole - outside, abs=1e-5)
    assert bits[0] == pytest.approx(model.follow(model.follow(model.state(), "the")[1], "cat")[0] / -np.log10(2))


def test_segments_are_scored_alone() -> None:
    vocab = Vocab(" ".join(TRAIN).split(), unit="word")
    model = train_on_lines([segment(TRAIN, vocab)], vocab, "mkn", 3)
    one, two = segment(TEST[:2], vocab), segment(TEST[4:], vocab)
    together = score_segments(model, [one, two])
    assert np.array_equal(together, np.concatenate([score_segments(model, [one]), score_segments(model, [two])]))
