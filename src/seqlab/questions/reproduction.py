"""Reproduction: runs of an experiment compared with the printed values of a published table.

A printed value has no ledger, so the comparison is not paired, and the interval of a figure covers other texts and
other seeds. A figure reproduces the printed value where it is at most the tolerance above it, and is better where its
whole interval is more than the tolerance below it (docs/decisions/ledger.md).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.record import read_ledger
from seqlab.ledger.selection import rank_candidates, standing_of
from seqlab.ledger.statistics import estimate_interval
from seqlab.published import (
    ERROR_UNIT,
    SECOND_TEXT_PROTOCOL,
    WINDOWS_PROTOCOL,
    list_cells,
    name_protocol,
    select_cell_runs,
)
from seqlab.questions.gaps import find_answers, mark_answers, read_second_segments, score_second_text
from seqlab.questions.protocols import spread_windows
from seqlab.questions.subject import Subject
from seqlab.questions.verdicts import BETTER

REPRODUCED, NOT_REACHED = "reproduced", "not reached"
UNIT_CONVERSIONS: dict[str, Callable[[Any], Any]] = {  # from bits per symbol
    "nats": lambda bits: bits * math.log(2),
    "bits": lambda bits: bits,
    "perplexity": np.exp2,
    ERROR_UNIT: lambda errors: np.clip(errors, 0, 1),  # `_score` counts them; an interval may reach outside
}
SYMBOLS_AT_ONCE = 2**13  # of windows that are scored together, which bounds the memory of wide networks


@dataclass(frozen=True)
class ReproductionRow:
    """A row of published.csv: the `printed` value of a cell and the `figure` of the run that is compared with it.

    Both are per symbol of test in `unit`, or per answer for the unit error; lower is better. `low` and `high` bound
    the 95 % interval of the figure over texts and seeds; NaN where it is unknown. `seeds` is 0 for a model without
    seeds.
    """

    cell: str
    model: str
    parameters: int
    seeds: int
    protocol: str
    unit: str
    printed: float
    tolerance: float
    figure: float
    low: float
    high: float
    verdict: str
    evidence: str
    source: str


def answer(subject: Subject, published: Mapping[str, Any], windows: int) -> Iterator[ReproductionRow]:
    """Yield a row for each cell of the table `published` that has runs in `subject`.

    Of several runs the best on validation is compared. `windows` is the largest number of windows that are scored.
    """
    metrics = {run: read_metrics(run.file("metrics.json")) for run in subject.runs}
    settings = {run: content["settings"] for run, content in metrics.items()}
    bits: dict[tuple[Run, str, bool], NDArray[np.float64]] = {}
    for cell in list_cells(published):
        runs = select_cell_runs(cell, settings)
        if runs:  # none for a cell of another text
            run = rank_candidates(runs, lambda run: standing_of(metrics[run]))[0]
            key = run, name_protocol(cell), cell["unit"] == ERROR_UNIT
            if key not in bits:  # several cells may have the same run
                bits[key] = _score(subject, run, cell, windows)
            yield compare_cell(cell, metrics[run], bits[key])


def compare_cell(cell: Mapping[str, Any], metrics: Mapping[str, Any], bits: NDArray[Any]) -> ReproductionRow:
    """Return the row of a cell of `list_cells` and a run with `metrics` that needs `bits`, (replicas, parts of a text
    in order), per symbol, or makes such errors per answer.
    """
    convert = UNIT_CONVERSIONS[cell["unit"]]
    figure = float(np.mean(convert(np.asarray(bits, dtype=np.float64).mean(1))))
    low, high = estimate_interval(bits) if metrics["per_symbol"] else (math.nan, math.nan)
    low, high = float(convert(low)), float(convert(high))
    return ReproductionRow(
        cell=cell["name"],
        model=metrics["model"],
        parameters=metrics["parameters"],
        seeds=len({row["seed"] for row in metrics["scores"]} - {None}),
        protocol=name_protocol(cell),
        unit=cell["unit"],
        printed=cell["printed"],
        tolerance=cell["tolerance"],
        figure=figure,
        low=low,
        high=high,
        verdict=judge_figure(figure, high, cell["printed"], cell["tolerance"]),
        evidence=cell["evidence"],
        source=cell["source"],
    )


def judge_figure(figure: float, high: float, printed: float, tolerance: float) -> str:
    """Return the verdict on a figure with the upper end `high` of its interval, NaN where that is unknown."""
    if figure > printed + tolerance:
        return NOT_REACHED
    return BETTER if (figure if math.isnan(high) else high) < printed - tolerance else REPRODUCED


def _score(subject: Subject, run: Run, cell: Mapping[str, Any], windows: int) -> NDArray[np.float64]:
    """Return the bits of `run` under the protocol of `cell`: of every symbol, or the mean of every window.

    For the unit error return 1 for every answer that does not get more than half of the probability, else 0. An answer
    with more than half is the likeliest symbol, so their mean is an upper bound of the error of the likeliest symbol,
    and equal to it where there are two answers and other symbols have no probability.
    """
    if cell["protocol"] == WINDOWS_PROTOCOL:
        return _score_windows(subject, run, cell, windows)
    reads_second = cell["protocol"] == SECOND_TEXT_PROTOCOL
    second = read_second_segments(subject) if reads_second else []
    if reads_second and not second:
        raise InputError(
            f"cell {cell['name']} has protocol second_text, but {run.corpus} has no second text; use protocol stream"
        )
    bits = score_second_text(subject, run, second) if second else read_ledger(run)[1]["test"].astype(np.float64)
    if cell["unit"] != ERROR_UNIT:
        return bits
    if not (answers := find_answers(subject.runs)):
        raise InputError(
            f"cell {cell['name']} has unit error, but {run.corpus} has no answers; use nats, bits or perplexity"
        )
    is_answer = mark_answers(second or subject.segments["test"], subject.vocab, answers)
    return (bits[:, is_answer] >= 1).astype(np.float64)


def _score_windows(subject: Subject, run: Run, cell: Mapping[str, Any], windows: int) -> NDArray[np.float64]:
    """Return the mean bits of every window, (replicas, windows)."""
    longest, steps = max(subject.segments["test"], key=len), cell["window"]
    if len(longest) <= steps:
        raise InputError(
            f"the longest segment of test has {len(longest)} symbols, too few for windows of {steps}; reduce "
            "published.window, or use a longer text"
        )
    stretches, number = spread_windows(longest, steps, windows), max(1, SYMBOLS_AT_ONCE // steps)
    batches = [stretches[start : start + number] for start in range(0, len(stretches), number)]
    scorer = subject.model(run).score_stretches
    return np.stack([bits.mean(1) for batch in batches for bits in scorer(batch)], axis=1)
