"""The line of the report about the audit of a text."""

from pathlib import Path

import pytest

from seqlab.audit.experiment import AuditRow
from seqlab.io.runs import Experiment, Place
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.report.audit import read_audit

KEPT = AuditRow("ngram", "mkn-2", "", "normalised", 0.0, 1e-9, "probability", "kept", "they sum to one")
BROKEN = AuditRow("rnn", "lstm-1x8", "1", "causal", 0.5, 1e-6, "bits", "broken", "place 3 changes place 2")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "results/made"), "toy", "char")


def experiment(place: Place, *audited: Place) -> Experiment:
    return Experiment(place.experiment, "made", [], "", {place: "prepared"}, [], audited=audited)


def test_a_fair_experiment_has_a_sentence_with_a_link(place: Place) -> None:
    write_table(place.file("audit.csv"), tabulate_rows(AuditRow, [KEPT]))
    summary = read_audit(experiment(place, place), place)
    assert summary is not None
    assert summary.sentence == "Audited: 1 model breaks none of 10 laws of a fair perplexity."
    assert (summary.address, summary.is_broken) == ("toy/char/audit.csv", False)


def test_a_broken_law_is_told(place: Place) -> None:
    write_table(place.file("audit.csv"), tabulate_rows(AuditRow, [KEPT, BROKEN]))
    summary = read_audit(experiment(place, place), place)
    assert summary is not None and summary.is_broken
    assert "lstm-1x8 seed 1 breaks the law 'causal': place 3 changes place 2." in summary.sentence


def test_a_table_of_an_earlier_audit_is_not_shown(place: Place) -> None:
    write_table(place.file("audit.csv"), tabulate_rows(AuditRow, [KEPT]))
    assert read_audit(experiment(place), place) is None


def test_an_audit_without_a_table_is_not_shown(place: Place) -> None:
    assert read_audit(experiment(place, place), place) is None
