"""Modified Kneser-Ney line by line against the numbers of KenLM (lmplz and query, commit 4cb443e) in kenlm.json."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqlab.ngram.counts import continuation_counts, count_ngrams
from seqlab.ngram.discounting import modified_discounts
from seqlab.ngram.evidence import Estimate
from seqlab.ngram.model import symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.text.cleaning import clean_text
from seqlab.text.vocab import Vocab

KENLM = json.loads(Path(__file__).with_name("kenlm.json").read_text(encoding="utf-8"))
ORDERS = (2, 3, 4, 5, 6)
UNKNOWN = 0
LINE_START, LINE_END = 1, 2


@dataclass(frozen=True)
class Text:
    """The Time Machine in lines, as KenLM was given it."""

    train_lines: list[list[str]]
    test_lines: list[list[str]]

    @property
    def vocab(self) -> Vocab:
        tokens = (token for line in self.train_lines for token in line)
        return Vocab(tokens, reserved_tokens=("<s>", "</s>"))

    def segments(self, lines: list[list[str]]) -> list[NDArray[np.int64]]:
        vocab = self.vocab
        return [np.array([LINE_START, *vocab[line], LINE_END]) for line in lines]


@pytest.fixture(scope="module")
def texts(mirror: Path) -> dict[str, Text]:
    raw = (mirror / "time_machine.txt").read_text(encoding="utf-8")
    lines = [line for raw_line in raw.splitlines() if (line := clean_text(raw_line).strip())]
    units = {"words": [line.split() for line in lines], "chars": [list(line.replace(" ", "_")) for line in lines]}
    cut = len(lines) * 9 // 10
    return {unit: Text(tokens[:cut], tokens[cut:]) for unit, tokens in units.items()}


@pytest.fixture(scope="module")
def made(texts: dict[str, Text]) -> dict[tuple[str, int], Estimate]:
    """The model of every unit and order."""
    models = {}
    for unit, text in texts.items():
        train, vocabulary = text.segments(text.train_lines), len(text.vocab)
        for order in ORDERS:
            models[unit, order] = estimate("mkn", train, order, vocabulary, LINE_START)
    return models


def of_kenlm(unit: str, order: int) -> dict[str, Any]:
    return KENLM[unit]["orders"][str(order)]


def amounts_of_kenlm(unit: str, order: int, of_order: int) -> list[float]:
    discounts = of_kenlm(unit, order)["discounts"][str(of_order)]
    return [discounts[name] for name in ("D1", "D2", "D3+")]


def sha256(lines: list[list[str]]) -> str:
    return hashlib.sha256("".join(" ".join(line) + "\n" for line in lines).encode()).hexdigest()


@pytest.mark.parametrize("unit", KENLM)
def test_the_text_is_the_one_kenlm_saw(texts, unit):
    assert sha256(texts[unit].train_lines) == KENLM[unit]["train_sha256"]
    assert sha256(texts[unit].test_lines) == KENLM[unit]["test_sha256"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("unit", KENLM)
def test_perplexity_with_and_without_unknown_words(texts, made, unit, order):
    test = texts[unit].segments(texts[unit].test_lines)
    logarithms = np.log10(symbol_probabilities(made[unit, order].model, test))
    known = np.concatenate([line[1:] for line in test]) != UNKNOWN
    kenlm = of_kenlm(unit, order)
    assert len(logarithms) == kenlm["tokens_including_eos"]
    assert int((~known).sum()) == kenlm["oov"]
    assert 10 ** -logarithms.mean() == pytest.approx(kenlm["perplexity_including_oov"], rel=1e-4)
    assert 10 ** -logarithms[known].mean() == pytest.approx(kenlm["perplexity_excluding_oov"], rel=1e-4)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("unit", KENLM)
def test_probability_of_the_first_lines(texts, made, unit, order):
    expected = of_kenlm(unit, order)["first_lines_log10"]
    first_lines = texts[unit].segments(texts[unit].test_lines[: len(expected)])
    found = [np.log10(symbol_probabilities(made[unit, order].model, [line])).sum() for line in first_lines]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("unit", KENLM)
def test_the_same_ngrams_are_kept(made, unit, order):
    expected = [of_kenlm(unit, order)["discounts"][str(k)]["ngrams"] for k in range(1, order + 1)]
    assert [len(key) for key in made[unit, order].model.key] == expected


@pytest.mark.parametrize("order", ORDERS)
def test_discounts_of_words(made, order):
    for of_order, discounts in enumerate(made["words", order].details["discounts"], start=1):
        assert discounts == pytest.approx(amounts_of_kenlm("words", order, of_order), abs=1e-4)


@pytest.mark.parametrize("order", ORDERS)
def test_discounts_of_characters_in_the_highest_order(made, order):
    expected = amounts_of_kenlm("chars", order, order)
    assert made["chars", order].details["discounts"][-1] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("order", "last", "adjusted", "raw"),
    [(2, "x q", 1, 3), (3, "e x q", 2, 3), (4, "_ e x q", 1, 2), (5, "e _ e x q", 2, 2)],
)
def test_why_discounts_of_characters_differ_below_the_highest_order(texts, order, last, adjusted, raw):
    """KenLM's statistics take the raw instead of the adjusted count of one n-gram in each lower order: the last one it
    writes, in suffix order over a vocabulary in order of first appearance. With that count put in, its discounts
    come out.
    """
    vocab, train = texts["chars"].vocab, texts["chars"].segments(texts["chars"].train_lines)
    tables = count_ngrams(train, order + 1, len(vocab))
    counts = continuation_counts(tables, lines=True)[order - 1]
    ngrams = np.arange(len(vocab))[:, None]
    for table in tables[1:order]:
        ngrams = np.column_stack([ngrams[table.context], table.key % len(vocab)])
    seen, first = np.unique(np.concatenate(train), return_index=True)
    appearance = np.zeros(len(vocab), dtype=np.int64)
    appearance[seen] = first
    appearance[LINE_END] = 0  # KenLM knows <s> and </s> before it reads the first line
    place = np.lexsort(appearance[ngrams].T)[-1]

    assert vocab.to_tokens(ngrams[place]) == last.split()
    assert (counts[place], tables[order - 1].count[place]) == (adjusted, raw)
    counts[place] = raw
    expected = amounts_of_kenlm("chars", 6, order)
    assert modified_discounts(counts).amounts == pytest.approx(expected, abs=1e-5)
