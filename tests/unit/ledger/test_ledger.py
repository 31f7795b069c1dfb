"""The ledger: one definition of perplexity, and files that keep it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqlab.io.cards import write_card
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import (
    RUN_NAMES,
    compute_figures,
    perplexity,
    read_metrics,
    tabulate_scores,
    write_metrics,
)
from seqlab.ledger.record import read_ledger, write_ledger
from seqlab.ledger.scores import read_scores, write_scores

VALID_COUNTS = {"scored": 4, "unknown": 1, "characters": 10, "bytes": 16, "words": 2}
TEST_COUNTS = {"scored": 2, "unknown": 0, "characters": 5, "bytes": 5, "words": 1}
SPLITS = {"splits": {"valid": VALID_COUNTS, "test": TEST_COUNTS}}
CARD = {
    "corpus": "poem",
    "unit": "word",
    "family": "rnn",
    "model": "lstm-1x4",
    "settings": {"cell": "lstm", "layers": 1, "hidden": 4},
    "seeds": [7, 8],
    "data": {"ids": "0", "splits": "1", "vocab": "2"},
}


def bits_of(valid: list[list[float]], test: list[list[float]]) -> dict[str, np.ndarray]:
    return {"valid": np.array(valid), "test": np.array(test)}


TWO_REPLICAS = bits_of([[1, 2, 3, 2], [0.1, 0.2, 0.3, 0.4]], [[4, 0], [1, math.inf]])


def test_perplexity_by_hand():
    assert perplexity(np.array([1.0, 2.0, 3.0])) == 4
    assert perplexity(np.array([0.0])) == 1
    assert perplexity(np.full(7, math.log2(28))) == pytest.approx(28)


def test_perplexity_is_one_over_the_geometric_mean_of_the_probabilities():
    probability = np.array([0.5, 0.1, 0.9, 0.02])
    assert perplexity(-np.log2(probability)) == pytest.approx(math.prod(probability) ** (-1 / 4))


def test_perplexity_is_infinite_where_a_symbol_was_impossible():
    assert perplexity(np.array([1.0, math.inf, 2.0])) == math.inf


def test_perplexity_too_large_for_a_number_is_infinite_too():
    assert perplexity(np.array([5000.0])) == math.inf


def test_perplexity_is_not_the_mean_of_the_perplexities_of_batches():
    bits = np.array([0.0, 0.0, 4.0, 4.0])
    assert perplexity(bits) == 4
    assert np.mean([perplexity(bits[:2]), perplexity(bits[2:])]) == 8.5


def test_single_precision_is_summed_in_double():
    # Summed one after the other in single precision these would stop growing at 2 ** 24.
    assert perplexity(np.ones(2**24 + 8, dtype=np.float32) * np.float32(1.1)) == pytest.approx(2**1.1, rel=1e-6)


def test_figures_divide_the_same_bits_by_symbols_characters_and_bytes():
    found = compute_figures(np.array([1.0, 2.0, 3.0, 2.0]), VALID_COUNTS)
    assert found == {
        "symbols": 4,
        "unknown": 1,
        "zero_probability": 0,
        "bits_per_symbol": 8 / 4,
        "perplexity": 4.0,
        "bits_per_char": 8 / 10,
        "bits_per_byte": 8 / 16,
        "bits_per_word": 8 / 2,
    }


def test_figures_count_what_was_impossible():
    found = compute_figures(np.array([1.0, math.inf, 3.0, math.inf]), VALID_COUNTS)
    assert found["zero_probability"] == 2
    assert [found[name] for name in ("bits_per_symbol", "perplexity", "bits_per_char", "bits_per_byte")] == [
        math.inf
    ] * 4


@pytest.mark.parametrize("symbols", [3, 5])
def test_another_number_of_bits_than_symbols_is_refused(symbols):
    with pytest.raises(ValueError, match=f"{symbols} bits for 4 symbols"):
        compute_figures(np.ones(symbols), VALID_COUNTS)


def test_score_rows_name_replica_and_split():
    rows = tabulate_scores(TWO_REPLICAS, SPLITS, [7, 8])
    assert [(row["seed"], row["split"], row["bits_per_symbol"]) for row in rows] == [
        (7, "valid", 2.0),
        (7, "test", 2.0),
        (8, "valid", pytest.approx(0.25)),
        (8, "test", math.inf),
    ]


def test_a_model_without_seeds_has_one_row_for_each_split():
    rows = tabulate_scores(bits_of([[1, 2, 3, 2]], [[4, 0]]), SPLITS, [])
    assert [(row["seed"], row["split"]) for row in rows] == [(None, "valid"), (None, "test")]


def test_infinite_figures_are_inf_in_the_file_and_infinite_when_read(tmp_path):
    path = tmp_path / "metrics.json"
    metrics = (
        dict.fromkeys(RUN_NAMES, "mle-3")
        | {"settings": {}, "scores_sha256": "0" * 64, "parameters": 1, "train_seconds": 0.0}
        | {"scores": tabulate_scores(TWO_REPLICAS, SPLITS, [7, 8])}
    )
    write_metrics(path, metrics)
    rows = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["scores"]
    assert [row["perplexity"] for row in rows] == [4.0, 4.0, pytest.approx(2**0.25), "inf"]
    assert read_metrics(path) == metrics


def test_metrics_that_are_not_a_number_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_metrics(tmp_path / "metrics.json", {"scores": [{"perplexity": math.nan}]})
    assert list(tmp_path.iterdir()) == []


def test_scores_survive_being_saved_in_single_precision(tmp_path):
    path = tmp_path / "scores.npz"
    write_scores(path, TWO_REPLICAS)
    found = read_scores(path)
    for split, bits in TWO_REPLICAS.items():
        assert found[split].dtype == np.float32
        assert found[split].tolist() == bits.astype(np.float32).tolist()


def test_a_probability_that_rounds_to_just_above_one_costs_nothing(tmp_path):
    write_scores(tmp_path / "scores.npz", bits_of([[-1e-9, 1.0]], [[0.0]]))
    assert read_scores(tmp_path / "scores.npz")["valid"].tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("value", [math.nan, -0.1, -math.inf])
def test_bits_of_a_broken_model_are_refused(tmp_path, value):
    with pytest.raises(ValueError, match="bits of test hold a NaN or a probability above one"):
        write_scores(tmp_path / "scores.npz", bits_of([[1.0]], [[1.0, value]]))
    assert list(tmp_path.iterdir()) == []


def test_bits_without_a_replica_axis_are_refused(tmp_path):
    with pytest.raises(ValueError, match="bits of valid have 1 dimensions"):
        write_scores(tmp_path / "scores.npz", {"valid": np.ones(3), "test": np.ones((1, 3))})


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut off"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"not an archive", id="something else"),
        pytest.param(lambda content: content[:60] + bytes(40) + content[100:], id="overwritten"),
    ],
)
def test_damaged_scores_are_refused(tmp_path, damage):
    path = tmp_path / "scores.npz"
    write_scores(path, {split: np.random.default_rng(1).random((2, 500)) for split in ("valid", "test")})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"scores\.npz is damaged"):
        read_scores(path)


def test_scores_without_a_split_are_refused(tmp_path):
    np.savez(tmp_path / "scores.npz", valid=np.ones((1, 3), dtype=np.float32))
    with pytest.raises(InputError, match=r"scores\.npz is damaged.*test"):
        read_scores(tmp_path / "scores.npz")


def test_missing_scores_are_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        read_scores(tmp_path / "scores.npz")
    assert str(caught.value.filename) == str(tmp_path / "scores.npz")


def recorded(folder: Path, bits: dict[str, np.ndarray], card: dict[str, Any] = CARD, **more: Any) -> dict[str, Any]:
    write_card(folder / "card.yaml", card)
    write_ledger(folder, SPLITS, bits, **more)
    return read_metrics(folder / "metrics.json")


def test_recorded_metrics_follow_from_the_file_and_not_from_what_was_given(tmp_path):
    bits = bits_of([[1 / 3] * 4, [2 / 3] * 4], [[0.1, 0.2], [0.3, 0.7]])
    metrics = recorded(tmp_path, bits)
    assert metrics["scores"] == tabulate_scores(read_scores(tmp_path / "scores.npz"), SPLITS, [7, 8])
    assert metrics["scores"] != tabulate_scores(bits, SPLITS, [7, 8])  # single precision shows in the last digits


def test_a_record_says_what_was_scored(tmp_path):
    training = {"seconds": 1.5, "parameters": 42, "notes": ["order 1: fall-back used"]}
    metrics = recorded(tmp_path, TWO_REPLICAS, training=training)
    del metrics["scores"]
    assert metrics == {
        "corpus": "poem",
        "unit": "word",
        "family": "rnn",
        "model": "lstm-1x4",
        "card": sha256_of(tmp_path / "card.yaml"),
        "settings": CARD["settings"],
        "scores_sha256": sha256_of(tmp_path / "scores.npz"),
        "parameters": 42,
        "train_seconds": 1.5,
        "per_symbol": True,
        "notes": ["order 1: fall-back used"],
    }


def test_a_model_without_training_has_no_parameters_and_may_add_its_own_keys(tmp_path):
    compressor = CARD | {"family": "compressor", "model": "xz", "seeds": []}
    metrics = recorded(tmp_path, bits_of([[1, 2, 3, 2]], [[4, 0]]), compressor, per_symbol=False)
    assert (metrics["parameters"], metrics["train_seconds"], metrics["per_symbol"]) == (0, 0.0, False)
    assert [row["seed"] for row in metrics["scores"]] == [None, None]


def test_bits_that_do_not_fit_the_splits_are_not_recorded(tmp_path):
    with pytest.raises(ValueError, match="3 bits for 4 symbols"):
        recorded(tmp_path, bits_of([[1, 2, 3], [1, 2, 3]], [[4, 0], [4, 0]]))
    assert not (tmp_path / "metrics.json").exists()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that is in the ledger."""
    made = Run(str(tmp_path / "mine"), "poem", "word", "rnn", "lstm-1x4")
    recorded(made.folder, TWO_REPLICAS)
    return made


def test_what_was_recorded_is_read_from_the_ledger(run: Run) -> None:
    metrics, bits = read_ledger(run)
    assert metrics == read_metrics(run.file("metrics.json"))
    assert all((bits[split] == TWO_REPLICAS[split].astype(np.float32)).all() for split in ("valid", "test"))


def test_scores_that_are_not_those_of_the_metrics_are_refused(run: Run) -> None:
    write_scores(run.file("scores.npz"), {split: bits + 1 for split, bits in TWO_REPLICAS.items()})  # whole, but others
    with pytest.raises(
        InputError, match=r"scores\.npz is damaged \(its SHA-256 differs from that in metrics.json beside it\)"
    ):
        read_ledger(run)


def test_metrics_of_another_run_are_refused_with_the_scores_of_this_one(run: Run) -> None:
    other = run._replace(model="lstm-1x8")
    recorded(other.folder, {split: bits + 1 for split, bits in TWO_REPLICAS.items()}, CARD | {"model": other.model})
    write_json(run.file("metrics.json"), read_json(other.file("metrics.json")))
    with pytest.raises(InputError, match=r"scores\.npz is damaged"):
        read_ledger(run)


@pytest.mark.parametrize("name", ["metrics.json", "scores.npz"])
def test_a_run_that_is_not_in_the_ledger_is_named(run: Run, name: str) -> None:
    Path(run.file(name)).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        read_ledger(run)
    assert str(caught.value.filename) == run.file(name)
