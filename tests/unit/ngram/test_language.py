"""N-gram models of texts: training, files and scores, against the models of arrays that they are made of."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from arpa_files import LMPLZ, SRILM

from seqlab import NgramModel
from seqlab.io.errors import InputError
from seqlab.ngram.arpa import read_arpa
from seqlab.ngram.model import BackoffModel, symbol_probabilities
from seqlab.ngram.smoothing import estimate

ORDERS = (1, 2, 3, 5)


def random_lines(seed: int, lines: int = 300) -> list[str]:
    random = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(60)]
    share = 1 / np.arange(1, 61)
    return [" ".join(random.choice(words, size, p=share / share.sum())) for size in random.integers(0, 9, lines)]


TRAIN, TEST = random_lines(1), [*random_lines(2, 40), "never seen w1", ""]


def reference(model: NgramModel, order: int, smoothing: str = "mkn") -> tuple[BackoffModel, dict[str, int]]:
    """The model of arrays of the same text, over the same vocabulary."""
    index = {token: number for number, token in enumerate(model.tokens)}
    segments = [np.array([1, *(index[word] for word in line.split()), 2]) for line in TRAIN]
    return estimate(smoothing, segments, order, len(index), 1).model, index


@pytest.mark.parametrize("order", ORDERS)
def test_scores_are_those_of_the_model_of_arrays(order: int) -> None:
    model = NgramModel.train(TRAIN, order=order)
    arrays, index = reference(model, order)
    scores = model.score_text("".join(f"{line}\n" for line in TEST).encode())
    segments = [np.array([1, *(index.get(word, 0) for word in line.split()), 2]) for line in TEST]
    assert scores.log10[scores.is_scored] == pytest.approx(np.log10(symbol_probabilities(arrays, segments)), abs=1e-5)


@pytest.mark.parametrize("order", ORDERS)
def test_a_sentence_is_scored_step_by_step_as_in_one_text(order: int) -> None:
    model = NgramModel.train(TRAIN, order=order)
    sentences = model.score_text("".join(f"{line}\n" for line in TEST).encode()).cut_sentences()
    for line, sentence in zip(TEST, sentences, strict=True):
        assert model.score(line) == pytest.approx(sentence.log10.sum(), abs=1e-9)


def test_states_are_equal_where_the_model_looks_back_at_equal_words() -> None:
    model = NgramModel.train(TRAIN, order=3)

    def state_after(words: str) -> tuple[int, ...]:
        state = model.state()
        for word in words.split():
            state = model.follow(state, word)[1]
        return state

    assert state_after("w5 w1 w2") == state_after("never w1 w2") != state_after("w2 w1")


def test_without_marks_a_sentence_starts_and_ends_nowhere() -> None:
    model = NgramModel.train(TRAIN, order=2)
    arrays, index = reference(model, 2)
    expected = np.log10(arrays.probability[0][index["w1"]])
    assert model.score("w1", start=False, end=False) == pytest.approx(expected, abs=1e-6)


def test_matched_orders_are_the_lengths_of_the_longest_ngrams_that_are_kept() -> None:
    model = NgramModel.train(["a b c", "a b d"], order=3)
    scores = model.score_text(b"a b c\nx c\n")
    first, second = (sentence.orders.tolist() for sentence in scores.cut_sentences())
    assert first == [2, 3, 3, 3]
    assert second == [1, 1, 2]


@pytest.mark.parametrize("threads", [2, 3])
def test_numbers_do_not_depend_on_threads(threads: int) -> None:
    alone, together = NgramModel.train(TRAIN, order=4), NgramModel.train(TRAIN, order=4, threads=threads)
    assert np.array_equal(alone.packed.data, together.packed.data)
    text = "".join(f"{line}\n" for line in TEST).encode()
    assert np.array_equal(alone.score_text(text).log10, alone.score_text(text, threads).log10)


def test_a_bound_of_memory_changes_no_number() -> None:
    bounded = NgramModel.train(TRAIN * 20, order=3, memory=1 << 20)
    assert np.array_equal(bounded.packed.data, NgramModel.train(TRAIN * 20, order=3).packed.data)


def test_too_little_memory_is_refused_with_the_memory_that_is_needed() -> None:
    with pytest.raises(InputError, match=r"too small: the model needs .* GB; raise --memory"):
        NgramModel.train(TRAIN, order=3, memory=1000)


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("unit", ["word", "char", "byte", "bpe"])
def test_a_saved_model_is_read_as_it_was(tmp_path: Path, unit: str, lines: bool) -> None:
    model = NgramModel.train(["the cat sat", "the naïve cat\ton it"], order=3, unit=unit, lines=lines, merges=5)
    model.save(tmp_path / "model")
    loaded = NgramModel.load(tmp_path / "model")
    assert loaded.tokens == model.tokens
    text = b"the naive cat\nthe cat\n"
    assert np.array_equal(loaded.score_text(text).log10, model.score_text(text).log10)
    assert np.isfinite(loaded.score_text(text).log10).all()


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("unit", ["word", "char", "byte"])
def test_probabilities_sum_to_one_after_every_context(unit: str, lines: bool) -> None:
    model = NgramModel.train(["the cat sat", "the dog sat down"], order=3, unit=unit, lines=lines)
    state = model.state()
    for token in list(model.index)[:4]:
        total = sum(10 ** model.follow(state, word)[0] for word in [*model.index, "\0never"])
        assert total + (10 ** model.end(state) if lines else 0) == pytest.approx(1, abs=1e-5)
        state = model.follow(state, token)[1]


def test_the_name_of_a_mark_in_the_text_is_a_word(tmp_path: Path) -> None:
    """As in a text with `<s> ... </s>` in its lines, in Penn Treebank with its `<unk>`, and with the word <0x0A>."""
    model = NgramModel.train(["<s> a <unk> </s> <0x0A>", "a b <UNK>"] * 3, order=2)
    assert model.tokens[:3] == ["<unk>", "<s>", "</s>"]
    assert set(model.tokens[3:]) == {"<s>", "a", "<unk>", "</s>", "<0x0A>", "b", "<UNK>"}
    assert not (model.score_text(b"<s> a <unk> </s> <0x0A>\n").symbols == 0).any()
    assert model.description["notes"][-1].startswith("<unk>, <s>, </s> in the text are words and no marks")
    model.write_arpa(tmp_path / "model.arpa")
    again = NgramModel.load(tmp_path / "model.arpa")
    assert sorted(again.tokens) == sorted(model.tokens)
    for line in ("<s> a <unk> </s> <0x0A>", "b <UNK> zebra"):
        assert again.score(line) == pytest.approx(model.score(line), abs=1e-5)


@pytest.mark.parametrize("text", [LMPLZ, SRILM])
def test_files_of_other_tools_are_scored_as_they_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.arpa").write_text(text)
    arrays, tokens, start = read_arpa(tmp_path / "model.arpa")
    assert start is not None
    index = {token: number for number, token in enumerate(tokens)}
    for line in ("a b", "b a zebra", "", "a a a"):
        segment = np.array([start, *(index.get(word, 0) for word in line.split()), index["</s>"]])
        with np.errstate(divide="ignore"):
            expected = np.log10(symbol_probabilities(arrays, [segment])).sum()
        assert NgramModel.load(tmp_path / "model.arpa").score(line) == pytest.approx(expected, abs=1e-5)


def test_a_vocabulary_makes_all_other_words_unknown() -> None:
    model = NgramModel.train(["a b c", "a b d"], order=2, vocabulary=["a", "b", "rare"])
    assert model.tokens == ["<unk>", "<s>", "</s>", "a", "b", "rare"]
    assert model.score_text(b"a c rare\n").symbols.tolist() == [1, 3, 0, 5, 2]


def test_a_vocabulary_without_a_word_of_the_text_is_refused() -> None:
    with pytest.raises(InputError, match="holds no word of the text"):
        NgramModel.train(["a b c"], order=2, vocabulary=["x"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"order": 9}, "the longest line has 5 symbols with <s> and </s>"),
        ({"smoothing": "jm"}, "smoothing is 'jm'"),
        ({"unit": "line"}, "unit is 'line'"),
        ({"thresholds": [1]}, r"the thresholds are \[1\]"),
        ({"thresholds": [0, 2, 1]}, r"the thresholds are"),
        ({"thresholds": [0, 1], "smoothing": "wb"}, "thresholds are for abs, kn, mkn"),
        ({"unit": "char", "vocabulary": ["a"]}, "use the unit word"),
    ],
)
def test_settings_that_are_impossible_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        NgramModel.train(["a b c", "b a"], **{"order": 3} | settings)


class TestFile:
    """A folder that is not what its description says is refused."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        NgramModel.train(TRAIN, order=3).save(tmp_path / "model")
        return tmp_path / "model"

    def refuse(self, folder: Path, sentence: str) -> None:
        with pytest.raises(InputError, match=sentence):
            NgramModel.load(folder)

    def test_another_version(self, folder: Path) -> None:
        description = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(description | {"format": 2}))
        (folder / ".model.json.sha256").unlink(missing_ok=True)
        self.refuse(folder, r"format 2 .* reads format 1; train the model again")

    def test_a_truncated_file(self, folder: Path) -> None:
        data = (folder / "model.ngram").read_bytes()
        (folder / "model.ngram").write_bytes(data[:-8])
        self.refuse(folder, rf"has {len(data) - 8} bytes and {len(data)} are expected")

    def test_a_missing_file(self, folder: Path) -> None:
        (folder / "model.ngram").unlink()
        self.refuse(folder, "has 0 bytes")

    def test_the_file_of_another_model_of_the_same_size(self, folder: Path) -> None:
        data = bytearray((folder / "model.ngram").read_bytes())
        data[0] ^= 1
        (folder / "model.ngram").write_bytes(data)
        self.refuse(folder, "is not the file that model.json beside it describes")

    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        self.refuse(tmp_path, "holds no n-gram model")


def test_impossible_symbols_make_everything_infinite() -> None:
    model = NgramModel.train(["a b", "b a"], order=2, smoothing="mle")
    totals = model.score_text(b"a a\n").summarize()
    assert totals["log10_total"] == -math.inf and totals["perplexity"] == math.inf


def test_unusual_white_space_in_words_is_mentioned() -> None:
    model = NgramModel.train(["a\u00a0b c", "c"], order=2)
    assert r"'a\xa0b'" in " ".join(model.description["notes"])
