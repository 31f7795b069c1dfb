"""Gaps: answers and their distances in a text, and bits of models by gap."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqlab.io.cards import write_card
from seqlab.io.errors import InputError
from seqlab.io.runs import Run
from seqlab.ledger.record import write_ledger
from seqlab.ngram.smoothing import estimate
from seqlab.questions.gaps import ALL_GAPS, answer, find_answers, mark_splits, measure_gaps, tabulate_gaps
from seqlab.questions.subject import Subject
from seqlab.text.sources import generate_text, group_word
from seqlab.text.splits import describe_splits
from seqlab.text.vocab import Vocab

GENERATORS = [[1, 2], [2, 1]]
DATA = {"ids": "0", "splits": "1", "vocab": "2"}
SETTINGS = {"builtin": "group_word", "settings": {"generators": GENERATORS, "question": 0.3}}
SECOND_TEXT = {"settings": {"question": 0.05}, "length": 500, "seed": 2}


def vocabulary() -> Vocab:
    return Vocab("ab?12")


def encoded(*texts: str) -> list[NDArray[Any]]:
    return [vocabulary().encode(list(text)) for text in texts]


def figures_of(text: str, bits: Sequence[float]) -> dict[tuple[float, float], list[float]]:
    """The number of answers and their mean bits by range of gaps."""
    rows = tabulate_gaps(np.array(bits), encoded(text), vocabulary(), "12")
    return {(shortest, longest): figures for shortest, longest, *figures in rows}


def test_gaps_count_the_symbols_between_an_answer_and_the_next_question():
    assert measure_gaps(encoded("ab?1?1a?2abbab?1"), vocabulary(), "12").tolist() == [-1, 0, 1, 5]
    assert measure_gaps(encoded("?1a?2", "ab", "b?1aa?1"), vocabulary(), "12").tolist() == [-1, 1, -1, 2]


def test_a_first_symbol_that_is_not_scored_is_no_answer():
    assert measure_gaps(encoded("1a?2?2"), vocabulary(), "12").tolist() == [-1, 0]


def test_bits_are_those_of_the_answers_by_gap():
    text = "a?1?1a?2aaa?2aaaa?2"
    bits = np.full(len(text) - 1, 9.0)
    bits[[place - 1 for place, symbol in enumerate(text) if symbol in "12"]] = [1, 2, 3, 4, 6]
    assert figures_of(text, bits.tolist()) == {ALL_GAPS: [5, 3.2], (0, 0): [1, 2], (1, 1): [1, 3], (3, 4): [2, 5]}


def test_an_impossible_answer_costs_infinity_and_a_text_without_answers_has_no_rows():
    assert figures_of("?1?2", [0.0, 0.0, math.inf])[0, 0] == [1, math.inf]
    assert figures_of("abba", [1.0, 1.0, 1.0]) == {}


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """A source, and the n-grams of order 2 and 6, on a text with and a second one with fewer questions."""
    vocab, source = vocabulary(), group_word(GENERATORS, 0.3)
    segments = {
        split: encoded(generate_text(source, length, seed))
        for seed, (split, length) in enumerate({"train": 5000, "valid": 400, "test": 400}.items())
    }
    everything = np.concatenate([parts[0] for parts in segments.values()])
    places = {"train": [[0, 5000]], "valid": [[5000, 5400]], "test": [[5400, 5800]]}
    splits = describe_splits("contiguous", places, everything, vocab.to_tokens(everything), "char")
    names, runs = {"corpus": "toy", "unit": "char"}, []
    for order in (None, 2, 6):
        family, model = ("ngram", f"mkn-{order}") if order else ("source", "true-source")
        runs.append(Run(str(tmp_path), "toy", "char", family, model))
        settings = {"smoothing": "mkn", "order": order} if order else SETTINGS | {"second_text": SECOND_TEXT}
        card = names | {"family": family, "model": model, "settings": settings, "seeds": [], "data": DATA}
        write_card(runs[-1].file("card.yaml"), card)
        if order:
            ngram = estimate("mkn", segments["train"], order, len(vocab)).model
            ngram.save(runs[-1].file("model.npz"))
            bits = {split: ngram.score(segments[split]) for split in ("valid", "test")}
            write_ledger(runs[-1].folder, splits, bits)
        else:
            bits = {split: np.zeros((1, 399)) for split in ("valid", "test")}
            rates = {"symbols": "12", "share": 0.2, "floor": 0.0, "chance": 1.0}
            write_ledger(runs[-1].folder, splits, bits, answers=rates)
    return Subject(runs, segments, vocab)


def test_an_ngram_knows_answers_behind_short_gaps_only_and_the_source_all(subject):
    rows = {(row.text, row.model, row.shortest, row.longest): row for row in answer(subject)}
    assert {key[1] for key in rows} == {"true-source", "mkn-6"}  # the best n-gram on validation
    for row in [row for key, row in rows.items() if key[1] == "true-source"]:
        first = (row.text, row.shortest, row.longest) == ("second text", *ALL_GAPS)  # the source too has to guess it
        assert row.bits_per_answer == pytest.approx(1 / row.answers if first else 0)
    for text in ("test", "second text"):
        assert rows[text, "mkn-6", 0, 0].bits_per_answer < 0.1
    assert rows["second text", "mkn-6", 17, 32].bits_per_answer == pytest.approx(1, abs=0.15)
    assert rows["second text", "mkn-6", *ALL_GAPS].answers == pytest.approx(500 * 0.05, abs=10)


def test_answers_come_from_the_description_of_the_source(subject):
    assert find_answers(subject.runs) == "12"
    marks = mark_splits(subject.runs, subject.segments, subject.vocab, ["test"])
    scored = subject.vocab.text_of(subject.segments["test"][0][1:])
    assert marks["test"].tolist() == [symbol in "12" for symbol in scored]
    ngrams = [run for run in subject.runs if run.family == "ngram"]
    assert mark_splits(ngrams, subject.segments, subject.vocab, ["test"]) == {}


def test_a_text_without_a_source_is_refused(subject):
    ngrams = Subject([run for run in subject.runs if run.family == "ngram"], subject.segments, subject.vocab)
    with pytest.raises(InputError, match="no model of the experiment is a source with answers"):
        list(answer(ngrams))
