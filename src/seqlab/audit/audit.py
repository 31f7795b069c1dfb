"""Audit of a model: the finding of every law."""

from seqlab.audit.laws import LAWS, Finding, Law, Outcome
from seqlab.audit.subject import Subject
from seqlab.io.errors import InputError


def audit(subject: Subject) -> list[Finding]:
    """Return the finding of every law in `LAWS`, in order.

    Raise InputError for a text of fewer than two symbols, or one with symbols outside the vocabulary.
    """
    size = subject.vocabulary
    if len(subject.ids) < 2:
        raise InputError(f"the text to audit has {len(subject.ids)} symbols; give at least 2")
    if not all(0 <= index < size for index in subject.text):
        raise InputError(f"the text to audit has symbols outside the vocabulary of {size}; correct its encoding")
    return [_apply_law(law, subject) for law in LAWS]


def _apply_law(law: Law, subject: Subject) -> Finding:
    measurement, bound = law.measure(subject), law.bound(subject.precision)
    value = measurement.value
    if value is None:
        outcome = Outcome.SKIPPED
    elif not value <= bound:  # true for NaN
        outcome = Outcome.BROKEN
    else:
        outcome = Outcome.FLAGGED if measurement.is_unusual else Outcome.KEPT
    sentence = law.meaning if outcome == Outcome.KEPT else measurement.detail
    return Finding(law, value, bound, outcome, sentence)
