"""Models written as ARPA, scored by KenLM itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from arpa_files import LMPLZ, read_text
from numpy.typing import NDArray

from seqlab.ngram.arpa import arpa_name, write_arpa
from seqlab.ngram.model import BackoffModel, symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab

kenlm = pytest.importorskip("kenlm", reason="kenlm needs a compiler to install: pip install kenlm")

ORDERS = (2, 3, 4, 5, 6)
UNITS = ("words", "chars")
LINE_START, LINE_END = 1, 2
LINES, SCORED, RARE = 150, 40, 2  # tokens seen less than RARE times are unknown


def random_lines(unit: str, seed: int) -> list[list[str]]:
    """Lines of words of falling frequency, as words or as characters with blanks and tabs."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdefgh"), size)) for size in random.integers(1, 6, 80)]
    frequency = 1 / np.arange(1, len(words) + 1)
    made = []
    for length in random.integers(0, 12, LINES + SCORED):
        line = random.choice(words, length, p=frequency / frequency.sum()).tolist()
        made.append(line if unit == "words" else list("\t".join([" ".join(line[:3]), *line[3:]])))
    return made


@dataclass(frozen=True)
class Case:
    """A model, KenLM's reading of it, and lines it has not seen: as indices and as KenLM wants them."""

    model: BackoffModel
    kenlm: "kenlm.Model"
    indices: list[NDArray[np.int64]]
    sentences: list[str]

    def log10(self, line: int) -> list[float]:
        return np.log10(symbol_probabilities(self.model, [self.indices[line]])).tolist()


@pytest.fixture(scope="module", params=[(unit, order) for unit in UNITS for order in ORDERS], ids=str)
def case(request, tmp_path_factory) -> Case:
    unit, order = request.param
    lines = random_lines(unit, seed=order)
    train, test = lines[:LINES], lines[LINES:]
    vocab = Vocab((token for line in train for token in line), RARE, ("<s>", "</s>"))
    segments = [np.array([LINE_START, *vocab[line], LINE_END]) for line in train]
    model = estimate("mkn", segments, order, len(vocab), LINE_START).model
    test = [*test, ["never"], ["never", "seen", vocab.tokens[3], "never"]]
    path: Path = tmp_path_factory.mktemp("kenlm") / "model.arpa.gz"
    write_arpa(path, model, vocab.tokens, LINE_START)
    indices = [np.array([LINE_START, *vocab[line], LINE_END]) for line in test]
    return Case(model, kenlm.Model(str(path)), indices, [" ".join(map(arpa_name, line)) for line in test])


def test_the_order_is_the_same(case):
    assert case.kenlm.order == case.model.order


def test_the_probability_of_every_line(case):
    found = [sum(case.log10(line)) for line in range(len(case.sentences))]
    assert found == pytest.approx([case.kenlm.score(sentence) for sentence in case.sentences], abs=1e-4)


def test_the_probability_of_every_word(case):
    for line, sentence in enumerate(case.sentences):
        expected = [score for score, _, _ in case.kenlm.full_scores(sentence)]
        assert case.log10(line) == pytest.approx(expected, abs=1e-5)


def test_the_same_words_are_unknown(case):
    found = np.concatenate([indices[1:] == 0 for indices in case.indices]).tolist()
    assert found == [unknown for sentence in case.sentences for _, _, unknown in case.kenlm.full_scores(sentence)]
    assert any(found) and not all(found)


def test_names_that_are_reserved_are_words_for_kenlm_too(tmp_path: Path) -> None:
    tokens = ["<unk>", "<unk>", "<s>", "</s>", "<0x0A>", "<UNK>", "a\nb"]
    text = np.random.default_rng(3).integers(1, len(tokens), 400)
    model = estimate("mkn", [text], 3, len(tokens)).model
    write_arpa(tmp_path / "model.arpa", model, tokens)
    words = " ".join(arpa_name(tokens[index]) for index in text)
    found = kenlm.Model(str(tmp_path / "model.arpa")).full_scores(words, bos=False, eos=False)
    expected = np.log10(symbol_probabilities(model, [text]))
    assert [score for score, _, _ in found][1:] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("old", "new"), [("b", "<0x0A>"), ("<unk>", "<UNK>"), ("b", "b\vb\f"), ("b", "\u2028")])
def test_files_of_other_tools_are_read_as_kenlm_reads_them(tmp_path: Path, old: str, new: str) -> None:
    text = LMPLZ.replace(f"\t{old}\t", f"\t{new}\t").replace(" b", f" {new}" if old == "b" else " b")
    text = text.replace("\tb </s>", f"\t{new} </s>") if old == "b" else text
    words = ["a", new if old == "b" else "b", "never", "a", "</s>"]
    model, tokens, _ = read_text(tmp_path, text)
    indices = [tokens.index(word) if word in tokens else 0 for word in ["<s>", *words]]
    other, state, expected = kenlm.Model(str(tmp_path / "model.arpa")), kenlm.State(), []
    other.BeginSentenceWrite(state)
    for word in words:  # one by one, because its Python interface would cut a text at vertical tabs
        state, before = kenlm.State(), state
        expected.append(other.BaseScore(before, word, state))
    assert np.log10(symbol_probabilities(model, [np.array(indices)])) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("smoothing", ["mle", "jm", "wb", "abs", "kn", "mkn"])
@pytest.mark.parametrize("order", [2, 4, 6])
def test_a_stream_without_line_borders(tmp_path: Path, smoothing: str, order: int) -> None:
    tokens = ["<unk>", *"abcdefg"]
    train, test = np.random.default_rng(order).integers(0, 8, (2, 400))
    made = estimate(smoothing, [train], order, len(tokens), valid=[test])
    write_arpa(tmp_path / "model.arpa", made.model, tokens)
    first = made.model.probability[0][train[0]]  # it follows nothing, here and there
    found = np.log10([first, *symbol_probabilities(made.model, [train])]).sum()
    text = " ".join(tokens[index] for index in train)
    expected = kenlm.Model(str(tmp_path / "model.arpa")).score(text, bos=False, eos=False)
    assert found == pytest.approx(expected, abs=1e-4, rel=1e-5)
