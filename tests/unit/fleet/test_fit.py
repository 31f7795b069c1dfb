"""A network is underfitted where more training, or less regularisation, would improve it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_fleets import fleet_of, trained

from seqlab.fleet.fit import HIGH_TRAINING_LOSS, STILL_FALLING, find_underfitted, measure_fit
from seqlab.io.files import read_json

# histories of lstm-2x64 on python_docs, in nats; twice the epochs change the loss by the nats beside them
CONSTANT_VALID = [
    2.120,
    1.788,
    1.626,
    1.529,
    1.473,
    1.440,
    1.423,
    1.411,
    1.395,
    1.390,
    1.389,
    1.386,
    1.383,
    1.379,
    1.371,
]
CONSTANT_TRAIN = [
    2.799,
    2.047,
    1.777,
    1.630,
    1.534,
    1.464,
    1.411,
    1.373,
    1.339,
    1.309,
    1.287,
    1.264,
    1.248,
    1.232,
    1.218,
]
COSINE_7_VALID = [2.126, 1.813, 1.653, 1.573, 1.527, 1.508, 1.503]
COSINE_7_TRAIN = [2.801, 2.058, 1.798, 1.662, 1.584, 1.540, 1.521]
COSINE_30_VALID = [
    2.120,
    1.789,
    1.627,
    1.533,
    1.477,
    1.444,
    1.426,
    1.410,
    1.399,
    1.385,
    1.382,
    1.374,
    1.368,
    1.364,
    1.368,
]
COSINE_30_VALID += [
    1.363,
    1.360,
    1.358,
    1.353,
    1.347,
    1.344,
    1.340,
    1.336,
    1.332,
    1.329,
    1.329,
    1.326,
    1.325,
    1.324,
    1.324,
]
COSINE_30_TRAIN = [
    2.799,
    2.047,
    1.778,
    1.631,
    1.534,
    1.465,
    1.412,
    1.372,
    1.337,
    1.306,
    1.281,
    1.257,
    1.238,
    1.220,
    1.204,
]
COSINE_30_TRAIN += [
    1.190,
    1.174,
    1.162,
    1.149,
    1.140,
    1.129,
    1.121,
    1.113,
    1.107,
    1.101,
    1.097,
    1.093,
    1.089,
    1.087,
    1.085,
]


def make_history(
    *seeds: Sequence[float], train: Sequence[float] = (), rates: Sequence[float] = ()
) -> list[dict[str, Any]]:
    """A history whose seeds have these validation losses by epoch; `train` and `rates` are those of all seeds."""
    rows = []
    for seed, losses in enumerate(seeds, start=1):
        for epoch, loss in enumerate(losses):
            row = {"epoch": epoch + 1, "seed": seed, "valid_loss": loss, "train_loss": train[epoch] if train else loss}
            rows.append(row | {"learning_rate": rates[epoch] if rates else 0.01})
    return rows


def falls(history: list[dict[str, Any]], schedule: str = "constant", epochs: int = 0) -> bool:
    return measure_fit(history, epochs or history[-1]["epoch"], schedule)["still_falling"]


def test_losses_are_those_of_the_epochs_that_are_kept() -> None:
    fit = measure_fit(make_history([3.0, 1.0, 2.0], [3.0, 2.0, 1.5], train=[2.0, 1.0, 0.5]), 3, "constant")
    assert (fit["valid_loss"], fit["train_loss"]) == (1.25, 0.75)


@pytest.mark.parametrize(
    ("valid", "train", "epochs", "schedule", "falling"),
    [
        pytest.param(CONSTANT_VALID, CONSTANT_TRAIN, 3, "constant", True, id="constant, 0.186 lower"),
        pytest.param(CONSTANT_VALID, CONSTANT_TRAIN, 10, "constant", True, id="constant, 0.020 lower"),
        pytest.param(CONSTANT_VALID, CONSTANT_TRAIN, 15, "constant", False, id="constant, 0.000 lower"),
        pytest.param(COSINE_7_VALID, COSINE_7_TRAIN, 7, "cosine", True, id="cosine, 0.161 lower"),
        pytest.param(COSINE_30_VALID, COSINE_30_TRAIN, 30, "cosine", False, id="cosine, 0.052 higher"),
    ],
)
def test_a_measured_loss_was_falling_where_more_epochs_lower_it(
    valid: list[float], train: list[float], epochs: int, schedule: str, falling: bool
) -> None:
    assert falls(make_history(valid[:epochs], train=train), schedule) == falling


def test_a_training_that_stopped_by_itself_was_not_falling() -> None:
    history = make_history(COSINE_7_VALID, train=COSINE_7_TRAIN)
    assert falls(history, epochs=7) and not falls(history, epochs=8)


def test_a_loss_that_rose_again_was_not_falling() -> None:
    assert not falls(make_history([2.0, 1.0, 0.9, 1.2, 1.4, 1.6]))
    valid, train = [2.0, 1.5, 1.4, 1.3, 1.0, 1.1, 1.2, 1.3], [2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3]
    assert not falls(make_history(valid, train=train))
    assert falls(make_history(valid[:5], train=train))


def test_at_least_half_of_the_seeds_have_to_fall() -> None:
    falling, flat = [2.0, 1.8, 1.6, 1.4], [1.4, 1.4, 1.4, 1.4]
    assert falls(make_history(falling, flat, train=falling))
    assert not falls(make_history(falling, flat, flat, train=falling))


def test_a_single_epoch_shows_no_end_of_the_fall() -> None:
    assert falls(make_history([2.0]))


@pytest.mark.parametrize(("last_rate", "falling"), [(0.005, True), (0.001, False)])
def test_under_the_schedule_plateau_a_small_fall_counts_until_the_rate_is_low(last_rate: float, falling: bool) -> None:
    valid, train = [1.40, 1.39, 1.38, 1.37], [1.2, 1.1, 1.0, 0.9]
    history = make_history(valid, train=train, rates=[0.01, 0.01, 0.01, last_rate])
    assert falls(history, "plateau") == falling


def describe(cell: str, parameters: int, train: float, valid: float, still_falling: bool = False) -> dict[str, Any]:
    """The keys of metrics.json that decide whether a network is underfitted."""
    fit = {"train_loss": train, "valid_loss": valid, "still_falling": still_falling}
    return {"settings": {"cell": cell}, "parameters": parameters, "fit": fit}


NGRAM = {"settings": {"order": 3}, "parameters": 10}


def test_a_falling_loss_is_the_reason_whatever_others_do() -> None:
    assert find_underfitted([NGRAM, describe("lstm", 10, 1.0, 2.0, still_falling=True)]) == ["", STILL_FALLING]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        pytest.param(describe("lstm", 90, 1.2, 1.4), HIGH_TRAINING_LOSS, id="smaller and better"),
        pytest.param(describe("lstm", 100, 1.2, 1.4), HIGH_TRAINING_LOSS, id="as large and better"),
        pytest.param(describe("lstm", 110, 1.2, 1.4), "", id="larger"),
        pytest.param(describe("lstm", 90, 1.2, 1.499), "", id="as good"),
        pytest.param(describe("rnn", 90, 1.2, 1.4), "", id="of another cell"),
        pytest.param(NGRAM, "", id="an n-gram"),
    ],
)
def test_a_high_training_loss_counts_where_the_size_suffices_for_a_better_network(
    other: dict[str, Any], reason: str
) -> None:
    for train, expected in ((1.6, reason), (1.5, reason), (1.4, "")):  # above, at and below the validation loss
        assert find_underfitted([describe("lstm", 100, train, 1.5), other])[0] == expected


def test_dropout_alone_does_not_make_the_best_of_its_size_underfitted() -> None:
    assert find_underfitted([describe("lstm", 100, 1.6, 1.5), describe("lstm", 100, 1.2, 1.7)]) == ["", ""]


def test_a_finished_training_stores_its_fit(tmp_path: Path) -> None:
    fleet = trained(fleet_of([1, 2], epochs=3, schedule="cosine"))
    fleet.write_results(tmp_path)
    assert read_json(tmp_path / "training.json")["fit"] == measure_fit(fleet.history, 3, "cosine")
