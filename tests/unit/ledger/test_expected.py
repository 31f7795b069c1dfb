"""Verification: what is called identical, close, different, missing and new."""

from pathlib import Path

import numpy as np
import pytest
from made_results import make_results

from seqlab.io.errors import InputError
from seqlab.io.runs import read_experiment
from seqlab.ledger.expected import (
    CLOSE,
    DIFFERS,
    IDENTICAL,
    MISSING,
    NEW,
    compare_references,
    compose_reference,
    read_reference,
    write_reference,
)


@pytest.fixture
def made(tmp_path: Path) -> dict:
    make_results(tmp_path)
    return compose_reference(read_experiment(tmp_path / "results/made/runs.json").runs, {"python": "3.11"})


def changed(made: dict, family: str, by: float) -> dict:
    rows = [dict(row) for row in made["rows"]]
    row = next(row for row in rows if row["family"] == family)
    row |= {"bits_per_symbol": row["bits_per_symbol"] + by, "digest": "other"}
    return {"rows": rows}


def verdicts(before: dict, now: dict) -> list[str]:
    return [verdict for _, verdict, _ in compare_references(before, now)]


def test_the_same_results_are_identical(made):
    assert set(verdicts(made, made)) == {IDENTICAL}


def test_every_seed_and_split_has_a_row_of_its_own(made):
    assert len(made["rows"]) == len({tuple(map(str, row.values())) for row in made["rows"]}) == 7 * 2 + 4 * 3 * 2
    assert np.unique([row["digest"] for row in made["rows"]]).size == 7 * 2 + 4 * 3 * 2 - 1  # all infinite is alike


@pytest.mark.parametrize(
    ("family", "by", "verdict"),
    [("ngram", 1e-6, CLOSE), ("ngram", 1e-3, DIFFERS), ("rnn", 0.01, CLOSE), ("rnn", 0.1, DIFFERS)],
)
def test_networks_may_differ_by_more_than_n_grams(made, family, by, verdict):
    found = compare_references(made, changed(made, family, by))
    ((name, said, figures),) = [one for one in found if one[1] != IDENTICAL]
    assert said == verdict
    assert name.startswith(f"toy/char/{family}/")
    assert "expected" in figures


def test_rows_that_are_gone_or_new_are_told(made):
    fewer = {"rows": made["rows"][1:]}
    assert MISSING in verdicts(made, fewer)
    assert NEW in verdicts(fewer, made)


def test_without_a_reference_the_remedy_is_named(tmp_path):
    with pytest.raises(InputError, match="refresh_expected"):
        read_reference(tmp_path / "none.csv")


def test_a_reference_is_read_as_it_was_written(made, tmp_path):
    write_reference(tmp_path / "toy.csv", made)
    again = read_reference(tmp_path / "toy.csv")
    assert again["fingerprint"] == made["fingerprint"]
    assert set(verdicts(again, made)) == {IDENTICAL}
    assert verdicts(again, changed(made, "ngram", 1e-3)).count(DIFFERS) == 1
