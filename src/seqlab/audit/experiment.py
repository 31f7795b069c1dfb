"""Audit of the models of an experiment on one corpus and unit: the rows of audit.csv."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seqlab.audit.audit import audit
from seqlab.audit.foreign import Limits
from seqlab.audit.laws import LAWS, Outcome
from seqlab.audit.runs import open_run
from seqlab.configuration import EXTERNAL_FAMILY
from seqlab.io.errors import InputError, quote
from seqlab.io.runs import Run
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.selection import choose_best, standing_of

MOST_SYMBOLS = 600  # of test that are probed: more than a chunk of scoring
FAILED = "failed"  # outcome of a model that could not be audited, whose row has no law


@dataclass(frozen=True)
class AuditRow:
    """A row of audit.csv: the outcome of a law, with its measured value and bound; see docs/audit.md.

    `seed` is empty for a model without seeds. The value of a skipped law is empty, and so are law, value and bound of a
    model that could not be audited; `sentence` then holds the reason.
    """

    family: str
    model: str
    seed: str
    law: str
    value: float
    bound: float
    unit: str
    outcome: str
    sentence: str

    @property
    def is_broken(self) -> bool:
        """True for a broken law and for a model that could not be audited."""
        return self.outcome in (Outcome.BROKEN, FAILED)

    @property
    def in_words(self) -> str:
        """The model with its seed, the law and the sentence."""
        name = f"{self.model} seed {self.seed}" if self.seed else self.model
        if self.outcome == FAILED:
            return f"{name} could not be audited: {self.sentence}"
        return f"{name} breaks the law {quote(self.law)}: {self.sentence}"


def select_audited(runs: Sequence[Run], families: Sequence[str]) -> list[Run]:
    """Return the best of `runs` on validation in each of `families`, and all external ones; none without a finite
    perplexity.
    """
    audited = []
    for family in families:
        entries = [(read_metrics(run.file("metrics.json")), run) for run in runs if run.family == family]
        if family == EXTERNAL_FAMILY:
            audited += [run for _, run in entries]
        elif best := choose_best(entries, lambda entry: standing_of(entry[0])):
            audited.append(best[1])
    return audited


def describe_audit(rows: Sequence[AuditRow]) -> str:
    """Return a sentence on the models of `rows` and the laws that they break."""
    models = dict.fromkeys((row.family, row.model) for row in rows)
    faults = [row for row in rows if row.is_broken]
    fair = len(models) - len({(row.family, row.model) for row in faults})
    count = f"{fair} of {len(models)} models" if faults else f"{fair} model{'' if fair == 1 else 's'}"
    sentence = f"Audited: {count} {'breaks' if fair == 1 else 'break'} none of {len(LAWS)} laws of a fair perplexity."
    return " ".join([sentence, *(f"{row.in_words}." for row in faults)])


def answer(runs: Sequence[Run], families: Sequence[str], limits: Limits, device: Any = "cpu") -> Iterator[AuditRow]:
    """Yield the rows of every seed of the models of `select_audited`, law by law.

    An external model that fails or exceeds its `limits` has a single row with the reason.
    """
    for run in select_audited(runs, families):
        try:
            rows = _audit_run(run, limits, device)
        except InputError as error:
            if run.family != EXTERNAL_FAMILY:
                raise
            rows = [AuditRow(run.family, run.model, "", "", math.nan, math.nan, "", FAILED, str(error))]
        yield from rows


def _audit_run(run: Run, limits: Limits, device: Any) -> list[AuditRow]:
    with open_run(run.folder, device, limits) as subjects:
        return [
            AuditRow(
                run.family,
                run.model,
                "" if seed is None else str(seed),
                finding.law.name,
                math.nan if finding.value is None else float(finding.value),
                finding.bound,
                finding.law.unit,
                finding.outcome.value,
                finding.sentence,
            )
            for seed, subject in subjects
            for finding in audit(replace(subject, most_symbols=MOST_SYMBOLS))
        ]
