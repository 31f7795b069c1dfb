"""Laws of a fair perplexity: every fault is found by its law, and no fair model is accused."""

from dataclasses import replace
from typing import Any

import faulty_models
import numpy as np
import pytest
import torch
from faulty_models import FAULTS, NAMES, SUBJECT, TEXT, TRAIN, VOCABULARY, Fair, Learner
from made_fleets import VOCABULARY as NETWORK_VOCABULARY
from made_fleets import fleet_of

from seqlab.audit.audit import audit
from seqlab.audit.candidate import SINGLE, MixtureCandidate, ModelCandidate
from seqlab.audit.laws import LAWS, Outcome
from seqlab.audit.subject import Subject
from seqlab.fleet.cells import CELLS, LAYERS, State
from seqlab.fleet.cells.mingru import mingru_scan
from seqlab.io.errors import InputError
from seqlab.ngram.smoothing import SMOOTHINGS, estimate
from seqlab.rnn.model import NetworkModel

NETWORK_TEXT = np.random.default_rng(8).integers(NETWORK_VOCABULARY, size=600)


def broken(subject: Subject) -> list[str]:
    return [finding.law.name for finding in audit(subject) if finding.outcome == Outcome.BROKEN]


def network(cell: str, **settings: int) -> ModelCandidate:
    fleet = fleet_of([1, 2], cell, **settings)
    model = NetworkModel(fleet.network, fleet.parameters, [1, 2])
    names = [f"symbol {number}" for number in range(NETWORK_VOCABULARY)]
    return ModelCandidate(names, model.select_replica(1))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_by_its_law(fault):
    law, subject = FAULTS[fault]
    assert law in broken(subject)


def test_every_law_is_broken_by_some_fault():
    assert {law for law, _ in FAULTS.values()} == {law.name for law in LAWS}


def test_the_model_that_the_faults_are_put_into_keeps_every_law():
    facts = replace(
        SUBJECT,
        divisors={"characters": 30, "bytes": 40, "words": 20},
        scored_texts=faulty_models.WORDS,
        ledger=Fair().bits(TEXT.tolist()).astype(np.float32),
        test_bits=Fair().bits(TEXT.tolist()),
        floor_bits=Fair().bits(TEXT.tolist()) - 0.1,
        compressor_bits=2.5,
    )
    assert [finding.outcome for finding in audit(facts)] == [Outcome.KEPT] * len(LAWS)


def test_a_model_that_learns_from_what_it_has_scored_is_not_accused():
    assert broken(replace(SUBJECT, candidate=Learner())) == []


@pytest.mark.parametrize("order", [1, 3, 6])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_no_smoothing_is_accused(smoothing, order):
    model = estimate(smoothing, [TRAIN], order, VOCABULARY, valid=[TRAIN[::-1]]).model
    assert broken(Subject(ModelCandidate(NAMES, model), TEXT, train=TRAIN)) == []


@pytest.mark.parametrize("cell", CELLS)
def test_no_cell_is_accused(cell):
    assert broken(Subject(network(cell), NETWORK_TEXT, SINGLE)) == []


def forgetful_scan(projected: torch.Tensor, state: State, precision: torch.dtype | None = None) -> Any:
    """The scan of minGRU from a zero state, whatever the state before."""
    return mingru_scan(projected, tuple(torch.zeros_like(part) for part in state), precision)


def test_a_scan_that_loses_the_state_between_chunks_is_found(monkeypatch):
    always = {"scan_is_faster": lambda steps, values: True}
    monkeypatch.setitem(LAYERS, "mingru", replace(CELLS["mingru"], **always))
    assert broken(Subject(network("mingru"), NETWORK_TEXT, SINGLE)) == []
    monkeypatch.setitem(LAYERS, "mingru", replace(CELLS["mingru"], scan=forgetful_scan, **always))
    assert "bits of that distribution" in broken(Subject(network("mingru"), NETWORK_TEXT, SINGLE))


def test_no_mixture_is_accused():
    model = estimate("wb", [NETWORK_TEXT], 3, NETWORK_VOCABULARY).model
    parts = [network("lstm"), network("gru"), ModelCandidate(network("lstm").names, model)]
    assert broken(Subject(MixtureCandidate(parts, np.array([0.2, 0.3, 0.5])), NETWORK_TEXT, SINGLE)) == []


class Steps:
    """A model without `bits`."""

    def __init__(self, shape: int = VOCABULARY) -> None:
        self.shape = shape

    def symbols(self) -> list[str]:
        return NAMES

    def log2_probabilities(self, prefix: list[int]) -> np.ndarray:
        return np.full(self.shape, -np.log2(self.shape))


def test_a_model_of_two_methods_is_enough():
    assert broken(Subject(Steps(), TEXT)) == []


def test_a_distribution_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"shape \(3,\).*each of the 6 symbols"):
        audit(Subject(Steps(3), TEXT))


def test_bits_in_a_single_number_are_refused():
    class Total(Fair):
        def bits(self, ids):
            return super().bits(ids).sum()

    with pytest.raises(InputError, match=r"bits returns the shape \(\) for 600 symbols"):
        audit(Subject(Total(), TEXT))


@pytest.mark.parametrize(("ids", "problem"), [([1], "1 symbols"), ([1, 9], "outside the vocabulary of 6")])
def test_a_text_that_cannot_be_scored_is_refused(ids, problem):
    with pytest.raises(InputError, match=problem):
        audit(Subject(Fair(), np.array(ids)))


def test_a_law_whose_facts_are_missing_is_skipped():
    skipped = [finding.law.name for finding in audit(Subject(Fair(), TEXT)) if finding.outcome == Outcome.SKIPPED]
    assert skipped == ["denominators", "not below the floor"]


def test_a_model_far_below_the_best_compressor_is_flagged_and_not_failed():
    findings = audit(replace(SUBJECT, test_bits=np.full(599, 1.0), compressor_bits=2.5))
    assert findings[-1].outcome == Outcome.FLAGGED
    assert "below 50% of the best compressor, 2.5000" in findings[-1].sentence
