"""Scoring, saving and generating with an n-gram model."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ngram.model import BackoffModel, distribution, symbol_probabilities
from seqlab.ngram.smoothing import SMOOTHINGS, estimate
from seqlab.sampling import drawn

VOCABULARY = 6
LINE_START = 1

train_texts = st.lists(st.integers(0, VOCABULARY - 2), min_size=8, max_size=40)
scored_texts = st.lists(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=15), min_size=1, max_size=3)


def arrays(segments: list[list[int]]) -> list[np.ndarray]:
    return [np.array(segment, dtype=np.uint8) for segment in segments]


def one_by_one(model: BackoffModel, segments: list[list[int]]) -> list[float]:
    return [
        distribution(model, segment[:place])[segment[place]] for segment in segments for place in range(1, len(segment))
    ]


def random_text(symbols: int, vocabulary: int = VOCABULARY, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, vocabulary, symbols)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(train=train_texts, order=st.integers(1, 7), segments=scored_texts)
@settings(max_examples=40)
def test_symbol_probabilities_are_those_of_the_distributions(smoothing, train, order, segments):
    model = estimate(smoothing, arrays([train]), order, VOCABULARY, valid=arrays([train])).model
    scored = [*segments, train]
    found = symbol_probabilities(model, arrays(scored))
    assert found.tolist() == pytest.approx(one_by_one(model, scored), rel=1e-12)


@pytest.mark.parametrize("smoothing", ["mle", "kn", "mkn"])
@given(order=st.integers(1, 5), segments=scored_texts)
@settings(max_examples=25)
def test_symbol_probabilities_of_lines(smoothing, order, segments):
    train = [[LINE_START, 3, 4, 3, 2], [LINE_START, 4, 4, 3, 2], [LINE_START, 2]]
    model = estimate(smoothing, arrays(train), order, VOCABULARY, LINE_START, arrays(train)).model
    scored = [[LINE_START, *segment] for segment in segments]
    found = symbol_probabilities(model, arrays(scored))
    assert found.tolist() == pytest.approx(one_by_one(model, scored), rel=1e-12)


@pytest.mark.parametrize("smoothing", ["mkn", "add-k"])
@pytest.mark.parametrize("block", [1, 2, 7, 50])
def test_a_text_is_scored_the_same_in_blocks_of_any_size(monkeypatch, smoothing, block):
    train = random_text(300)
    model = estimate(smoothing, [train], 5, VOCABULARY, valid=[train]).model
    segments = [random_text(60, seed=2), random_text(1), train[:40]]
    expected = symbol_probabilities(model, segments)
    monkeypatch.setattr("seqlab.ngram.model.BLOCK", block)
    np.testing.assert_array_equal(symbol_probabilities(model, segments), expected)


def test_large_vocabularies_are_scored_alike():
    random = np.random.default_rng(1)
    train, scored = random.integers(0, 100_000, 500), random.integers(0, 100_000, 50)
    model = estimate("mkn", [train], 3, 100_000).model
    scored[10:40] = train[100:130]
    np.testing.assert_allclose(symbol_probabilities(model, [scored]), one_by_one(model, [scored.tolist()]), rtol=1e-12)


def test_a_segment_is_scored_as_if_it_were_alone():
    model = estimate("mkn", [random_text(200)], 4, VOCABULARY).model
    first, second = random_text(30, seed=2), random_text(20, seed=3)
    together = symbol_probabilities(model, [first, second])
    alone = [symbol_probabilities(model, [first]), symbol_probabilities(model, [second])]
    assert together.tolist() == np.concatenate(alone).tolist()


def test_the_first_symbol_of_a_segment_is_context_only():
    model = estimate("mkn", [random_text(200)], 2, VOCABULARY).model
    assert len(symbol_probabilities(model, [random_text(30), random_text(1), random_text(7)])) == 29 + 0 + 6


def test_what_comes_before_the_context_does_not_matter():
    model = estimate("mkn", [random_text(200)], 3, VOCABULARY).model
    assert distribution(model, [1, 2, 3, 4]).tolist() == distribution(model, [5, 3, 4]).tolist()


def test_parameters_are_the_ngrams_kept():
    # a b a b b: three unigrams with <unk>, the bigrams ab, ba, bb, the trigrams aba, bab, abb
    model = estimate("mle", arrays([[1, 2, 1, 2, 2]]), 3, 3).model
    assert (model.order, model.parameters) == (3, 3 + 3 + 3)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_model_survives_being_saved(tmp_path, smoothing):
    model = estimate(smoothing, [random_text(100)], 4, VOCABULARY, valid=[random_text(50)]).model
    model.save(tmp_path / "model.npz")
    loaded = BackoffModel.load(tmp_path / "model.npz")
    assert (loaded.vocabulary, loaded.order, loaded.backs_off) == (model.vocabulary, model.order, model.backs_off)
    text = [random_text(50, seed=4)]
    assert symbol_probabilities(loaded, text).tolist() == symbol_probabilities(model, text).tolist()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut off"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"not an archive at all", id="something else"),
        pytest.param(lambda content: content[:200] + bytes(100) + content[300:], id="overwritten"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, damage):
    path = tmp_path / "model.npz"
    estimate("mkn", [random_text(100)], 3, VOCABULARY).model.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"model\.npz is damaged"):
        BackoffModel.load(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "model.npz", valid=np.zeros(3))
    with pytest.raises(InputError, match=r"model\.npz is damaged"):
        BackoffModel.load(tmp_path / "model.npz")


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        BackoffModel.load(tmp_path / "model.npz")
    assert caught.value.filename == str(tmp_path / "model.npz")


def test_generated_text_holds_only_what_is_possible():
    train = [1, 2, 1, 3, 1, 2, 2, 4, 1, 3, 5, 1, 2]
    model = estimate("mle", arrays([train]), 2, VOCABULARY).model
    text = [1, *drawn(model.read([1]), 300, np.random.default_rng(1))]
    assert len(text) == 301
    assert set(itertools.pairwise(text)) == set(itertools.pairwise(train))


def test_the_seed_decides_the_text():
    model = estimate("mkn", [random_text(200)], 3, VOCABULARY).model
    texts = [[*drawn(model.read([1]), 60, np.random.default_rng(seed))] for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]


def test_temperature_zero_takes_the_likeliest_each_time():
    model = estimate("mkn", [random_text(200)], 3, VOCABULARY).model
    text = [2]
    for _ in range(40):
        text.append(int(distribution(model, text).argmax()))
    for seed in (1, 2):
        assert [*drawn(model.read([2]), 40, np.random.default_rng(seed), temperature=0)] == text[1:]


def test_top_k_draws_from_the_likeliest_only():
    model = estimate("mkn", [random_text(200)], 2, VOCABULARY).model
    text = [1, *drawn(model.read([1]), 200, np.random.default_rng(1), top_k=2)]
    ranks = [
        int((distribution(model, text[:place]) > distribution(model, text[:place])[text[place]]).sum())
        for place in range(1, len(text))
    ]
    assert set(ranks) == {0, 1}


def test_the_prompt_is_context_and_is_not_repeated():
    model = estimate("mle", arrays([[1, 2, 3, 4, 5, 1]]), 2, VOCABULARY).model
    assert [*drawn(model.read([1, 2, 3]), 3, np.random.default_rng(1))] == [4, 5, 1]
