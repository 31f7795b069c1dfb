"""Audit of the models of a text as a sentence."""

from pathlib import Path
from typing import NamedTuple

from seqlab.audit.experiment import AuditRow, describe_audit
from seqlab.io.runs import Experiment, Place
from seqlab.io.tables import read_rows
from seqlab.report.contents import AUDIT_TABLE


class AuditSummary(NamedTuple):
    """Sentence on the audit of a text, the address of its table relative to the report, and whether a law is broken."""

    sentence: str
    address: str
    is_broken: bool


def read_audit(experiment: Experiment, place: Place) -> AuditSummary | None:
    """Return the summary of the audit of a place; None without an audit."""
    path = Path(place.file(AUDIT_TABLE))
    if place not in experiment.audited or not path.is_file():
        return None
    rows = [AuditRow(**row) for row in read_rows(path, AuditRow).to_dict("records")]
    address = path.relative_to(experiment.folder).as_posix()
    return AuditSummary(describe_audit(rows), address, any(row.is_broken for row in rows))
