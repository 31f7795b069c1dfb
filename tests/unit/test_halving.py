"""Successive halving: where a configuration is judged, by whom, and what ends."""

import pytest

from seqlab.rnn.halving import Rungs, is_hopeless, rungs

SWEEP = {"epochs": 9, "learning_rate": 0.01}


def rungs_of(folder, name, sweep=SWEEP, factor=3):
    return Rungs(folder, name, sweep, 9, factor)


@pytest.mark.parametrize(
    ("epochs", "factor", "expected"), [(27, 3, [3, 9]), (14, 3, [2, 5]), (8, 2, [2, 4]), (2, 3, []), (9, 0, [])]
)
def test_rungs_are_fractions_of_the_epochs(epochs, factor, expected):
    assert rungs(epochs, factor) == expected


@pytest.mark.parametrize(
    ("own", "others", "hopeless"),
    [(2.0, [], False), (2.0, [1.0], True), (2.0, [2.0, 2.0], False), (2.0, [1.0, 3.0, 3.0], False),
     (2.0, [1.0, 1.5, 3.0, 3.0, 3.0], True)],
)  # fmt: skip
def test_the_best_third_goes_on(own, others, hopeless):
    assert is_hopeless(own, others, factor=3) is hopeless


def test_the_first_to_come_goes_on_and_a_worse_one_ends_with_a_sentence(tmp_path):
    assert rungs_of(tmp_path, "lstm-1x8").judge(3, 1.5) is None
    sentence = rungs_of(tmp_path, "rnn-1x8").judge(3, 1.6)
    assert sentence == (
        "stopped after epoch 3 by rnn.training.halving: of 2 configurations that had come so far 1 were better"
    )


def test_between_rungs_nothing_is_judged_or_written(tmp_path):
    assert rungs_of(tmp_path, "lstm-1x8").judge(4, 1.5) is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_comes_again_is_not_its_own_rival(tmp_path):
    rungs_of(tmp_path, "lstm-1x8").judge(3, 1.5)
    assert rungs_of(tmp_path, "lstm-1x8").judge(3, 1.6) is None


def test_losses_of_another_sweep_and_damaged_files_do_not_count(tmp_path):
    rungs_of(tmp_path, "lstm-1x8", sweep={"epochs": 9, "learning_rate": 0.1}).judge(3, 0.5)
    (tmp_path / "gru-1x8.json").write_text("{")
    assert rungs_of(tmp_path, "rnn-1x8").judge(3, 1.6) is None


def test_without_a_factor_all_go_on(tmp_path):
    rungs_of(tmp_path, "lstm-1x8", factor=0).judge(3, 0.5)
    assert rungs_of(tmp_path, "rnn-1x8", factor=0).judge(3, 1.6) is None
    assert list(tmp_path.iterdir()) == []
