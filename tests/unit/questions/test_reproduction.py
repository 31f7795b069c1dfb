"""Runs compared with printed values."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_results import SCORED, make_results

from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.io.runs import Run
from seqlab.ledger.record import read_ledger
from seqlab.ledger.statistics import estimate_interval
from seqlab.questions.protocols import cut_at, spread_windows
from seqlab.questions.reproduction import (
    NOT_REACHED,
    REPRODUCED,
    ReproductionRow,
    answer,
    compare_cell,
    judge_figure,
)
from seqlab.questions.subject import Subject
from seqlab.questions.verdicts import BETTER
from seqlab.text.vocab import Vocab

RANDOM = np.random.default_rng(3)
BITS = 2 + RANDOM.standard_normal((3, 4000)) / 10
CELL = {
    "name": "LSTM",
    "printed": 2.0,
    "source": "A paper",
    "evidence": "printed",
    "unit": "bits",
    "protocol": "stream",
    "tolerance": 0.01,
    "run": {"cell": "lstm"},
}
METRICS = {
    "model": "lstm-1x8",
    "parameters": 99,
    "per_symbol": True,
    "scores": [{"seed": seed, "split": split} for seed in (1, 2, 3) for split in ("valid", "test")],
}


def row(bits: np.ndarray = BITS, metrics: dict[str, Any] = METRICS, **cell: Any) -> ReproductionRow:
    return compare_cell(CELL | cell, metrics, bits)


@pytest.mark.parametrize(
    ("figure", "high", "verdict"),
    [
        (2.0, 2.1, REPRODUCED),
        (2.0099, 2.1, REPRODUCED),
        (2.0101, 2.1, NOT_REACHED),
        (1.9, 1.9899, BETTER),
        (1.9, 1.9901, REPRODUCED),  # below it, but the interval is not
        (1.9, math.nan, BETTER),
        (math.inf, math.nan, NOT_REACHED),
    ],
)
def test_a_verdict_depends_on_figure_interval_and_tolerance(figure: float, high: float, verdict: str) -> None:
    assert judge_figure(figure, high, 2.0, 0.01) == verdict


@pytest.mark.parametrize(
    ("unit", "convert"),
    [("bits", lambda bits: bits), ("nats", lambda bits: bits * math.log(2)), ("perplexity", np.exp2)],
)
def test_figure_and_interval_are_in_the_unit_of_the_printed_value(unit: str, convert: Any) -> None:
    compared, (low, high) = row(unit=unit), estimate_interval(BITS)
    assert compared.figure == pytest.approx(convert(BITS.mean(1)).mean())
    assert (compared.low, compared.high) == pytest.approx((convert(low), convert(high)))
    assert compared.low < compared.figure < compared.high


def test_the_interval_covers_the_seeds() -> None:
    seeds = BITS + np.array([[-0.2], [0.0], [0.2]])
    narrow, wide = row(seeds[1:2]), row(seeds)
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)


def test_a_row_has_the_names_of_cell_and_model() -> None:
    compared = row()
    assert (compared.cell, compared.model, compared.parameters, compared.seeds) == ("LSTM", "lstm-1x8", 99, 3)
    assert (compared.printed, compared.source, compared.protocol) == (2.0, "A paper", "stream")
    assert row(protocol="windows", window=7).protocol == "windows of 7"
    assert row(metrics=METRICS | {"scores": [{"seed": None, "split": "test"}]}).seeds == 0


def test_a_model_with_a_total_only_has_no_interval() -> None:
    compared = row(np.full((1, 100), 1.5), METRICS | {"per_symbol": False})
    assert math.isnan(compared.low) and math.isnan(compared.high)
    assert compared.verdict == BETTER


def test_an_impossible_symbol_is_not_reached() -> None:
    compared = row(np.append(BITS, np.full((3, 1), np.inf), axis=1), unit="perplexity")
    assert math.isinf(compared.figure) and compared.verdict == NOT_REACHED


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Made results: n-grams, and networks that are the better the larger they are."""
    runs = [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in make_results(tmp_path)]
    return Subject(runs, {"test": [np.arange(SCORED + 1)]}, Vocab(list("abc")))


@pytest.fixture
def asking(subject: Subject, tmp_path: Path) -> Subject:
    """The same runs, on a text whose symbol b is an answer, at every third place."""
    source = next(run for run in subject.runs if run.family == "source")
    rates = {"symbols": "b", "share": 1 / 3, "floor": 0.0, "chance": 1.0}
    path = source.file("metrics.json")
    write_json(path, read_json(path) | {"answers": rates})
    vocab = Vocab(list("abc"))
    return Subject(subject.runs, {"test": [vocab.encode(list("acb" * (SCORED // 3 + 1))[: SCORED + 1])]}, vocab)


def test_an_error_is_an_answer_that_does_not_get_more_than_half_of_the_probability(asking: Subject) -> None:
    cell = CELL | {"unit": "error", "printed": 0.5}
    (row,) = answer(asking, {"cells": [cell]}, 20)
    _, bits = read_ledger(next(run for run in asking.runs if run.model == row.model))
    is_answer = np.arange(1, SCORED + 1) % 3 == 2
    assert row.figure == pytest.approx((bits["test"][:, is_answer] >= 1).mean())
    assert (row.unit, row.printed, row.figure > 0.9, row.verdict) == ("error", 0.5, True, NOT_REACHED)


def test_the_interval_of_an_error_stays_between_0_and_1() -> None:
    errors = np.zeros((3, 2000))
    errors[0, 5] = 1
    compared = row(errors, unit="error", printed=0.0)
    assert (compared.low, compared.figure) == (0, pytest.approx(1 / 6000))
    assert compared.verdict == REPRODUCED


def test_errors_and_second_texts_need_a_text_that_has_them(subject: Subject, asking: Subject) -> None:
    plain = Subject([run for run in subject.runs if run.family == "rnn"], subject.segments, subject.vocab)
    with pytest.raises(InputError, match="cell LSTM has unit error, but toy has no answers"):
        list(answer(plain, {"cells": [CELL | {"unit": "error"}]}, 20))
    with pytest.raises(InputError, match="cell LSTM has protocol second_text, but toy has no second text"):
        list(answer(plain, {"cells": [CELL | {"protocol": "second_text"}]}, 20))


def test_the_best_of_several_runs_on_validation_is_compared(subject: Subject) -> None:
    cells = [CELL, CELL | {"name": "one layer", "run": {"cell": "lstm", "layers": 1}}, CELL | {"run": {"order": 9}}]
    cells[2]["name"] = "on another text"
    rows = list(answer(subject, {"cells": cells}, 20))
    assert [(row.cell, row.model) for row in rows] == [("LSTM", "lstm-2x16"), ("one layer", "lstm-1x16")]
    _, bits = read_ledger(next(run for run in subject.runs if run.model == "lstm-2x16"))
    assert rows[0].figure == pytest.approx(float(bits["test"].mean(dtype=np.float64)))


def test_a_text_that_is_shorter_than_a_window_is_refused(subject: Subject) -> None:
    cells = [CELL | {"protocol": "windows", "window": SCORED + 1}]
    with pytest.raises(InputError, match=r"^the longest segment of test has 201 symbols, too few for windows of 201;"):
        list(answer(subject, {"cells": cells}, 20))


def test_windows_are_spread_over_the_whole_segment() -> None:
    segment = np.arange(100)
    windows = spread_windows(segment, 10, 7)
    assert [len(window) for window in windows] == [11] * 7
    assert (windows[0][0], windows[-1][-1]) == (0, 99)


def test_the_mean_of_all_windows_is_the_expectation_of_random_ones() -> None:
    segment, steps = RANDOM.integers(0, 5, 60), 7
    possible = len(segment) - steps
    every = spread_windows(segment, steps, 10**6)
    assert len(every) == possible
    draws = cut_at(segment, steps, RANDOM.integers(0, possible, 20_000).tolist())
    charged = [np.mean([window[1:].mean() for window in windows]) for windows in (every, draws)]
    assert charged[1] == pytest.approx(charged[0], abs=0.02)
