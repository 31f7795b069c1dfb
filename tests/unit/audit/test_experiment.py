"""Audit of the models of an experiment: which are audited, and what is said of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_results import make_results
from programs import EXTERNAL, make_experiment

from seqlab.audit.experiment import FAILED, AuditRow, answer, describe_audit, select_audited
from seqlab.audit.foreign import Limits
from seqlab.io.runs import Run, read_experiment

FAMILIES = ("ngram", "rnn", "mixture", "external")
NAMES = ("mkn-3", "lstm-2x16")


def row(model: str = "mkn-2", outcome: str = "kept", **fields: str) -> AuditRow:
    given = {"seed": "", "law": "normalised", "sentence": "they sum to 2"} | fields
    return AuditRow("ngram", model, value=0.0, bound=1e-9, unit="probability", outcome=outcome, **given)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Run]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("audit"))
        make_experiment()
        yield read_experiment("exp/runs.json").select("toy", "char")


def test_the_best_model_of_every_family_is_audited(tmp_path):
    make_results(tmp_path)
    runs = read_experiment(tmp_path / "results/made/runs.json").runs
    assert tuple(run.model for run in select_audited(runs, FAMILIES)) == NAMES


def test_every_law_and_seed_has_a_row(runs):
    rows = list(answer(runs, FAMILIES, Limits()))
    assert len(rows) == 40
    assert {row.outcome for row in rows if row.law != "denominators"} == {"kept"}
    assert list(dict.fromkeys((row.model, row.seed) for row in rows)) == [
        ("mkn-2", ""),
        ("rnn-1x2", "1"),
        ("both", ""),
        ("uniform", ""),
    ]


def test_an_edited_model_no_longer_has_the_bits_of_its_ledger(runs):
    Path("uniform.py").write_text(EXTERNAL.replace("[-1, -1]", "[-2, -0.4150374992788438]").replace("[1] *", "[0.5] *"))
    rows = answer(runs, ["external"], Limits())
    assert {row.law for row in rows if row.is_broken} == {"fixed before it is read", "bits of that distribution"}


def test_a_failing_external_model_is_a_result(runs):
    Path("uniform.py").write_text(EXTERNAL.replace("return [-1", "1 / 0; return [-1"))
    (row,) = answer(runs, ["external"], Limits())
    assert (row.outcome, row.law, row.is_broken) == (FAILED, "", True)
    assert "log2_probabilities failed with ZeroDivisionError" in row.sentence


def test_fair_models_are_counted():
    rows = [row("mkn-2"), row("lstm-1x64", seed="1"), row("lstm-1x64", seed="2")]
    assert describe_audit(rows) == "Audited: 2 models break none of 10 laws of a fair perplexity."


def test_a_broken_law_is_named_with_its_model():
    rows = [row("mkn-2"), row("lstm-1x64", seed="1"), row("lstm-1x64", "broken", seed="2"), row("mine", FAILED)]
    assert describe_audit(rows) == (
        "Audited: 1 of 3 models breaks none of 10 laws of a fair perplexity. lstm-1x64 seed 2 breaks the law "
        "'normalised': they sum to 2. mine could not be audited: they sum to 2."
    )
