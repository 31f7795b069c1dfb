"""Models of other programs: calls, limits, and errors of their code as one sentence."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqlab.audit.audit import audit
from seqlab.audit.candidate import SINGLE, charge_texts, has_bits
from seqlab.audit.foreign import Limits, open_foreign_model
from seqlab.audit.subject import Subject
from seqlab.io.errors import InputError

FAIR = """
    import numpy as np

    class Model:
        def symbols(self):
            return ["a", "b", "c"]

        def log2_probabilities(self, prefix):
            weights = np.ones(3) + (np.arange(3) == prefix[-1])
            return np.log2(weights / weights.sum())

        def bits(self, ids):
            return [-self.log2_probabilities(ids[:t])[ids[t]] for t in range(1, len(ids))]
"""
IDS = np.random.default_rng(3).integers(3, size=100)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(code: str, **replaced: str) -> str:
        code = textwrap.dedent(code)
        for before, after in replaced.items():
            code = code.replace(before, after)
        (tmp_path / "model.py").write_text(code)
        return f"{tmp_path / 'model.py'}:Model"

    return written


def broken(name: str) -> list[str]:
    with open_foreign_model(name) as (model, _):
        return [finding.law.name for finding in audit(Subject(model, IDS, SINGLE)) if not finding.is_kept]


def test_a_fair_model_keeps_every_law(write):
    assert broken(write(FAIR)) == []


def test_a_model_without_bits_keeps_every_law(write):
    name = write(FAIR, bits="other")
    with open_foreign_model(name) as (model, _):
        assert not has_bits(model)
    assert broken(name) == []


BATCHES = """
        def score_together(self, texts):
            return [self.bits(text) for text in texts]
"""


def test_many_texts_are_scored_in_one_call(write):
    name = write(FAIR + BATCHES)
    with open_foreign_model(name) as (model, _):
        scored = charge_texts(model, [[0, 1], [2, 2, 1]])
        assert [bits.tolist() for bits in scored] == [[2.0], [1.0, 2.0]]
    assert broken(name) == []


def test_a_batch_of_another_number_of_texts_is_refused(write):
    name = write(FAIR + BATCHES.replace("in texts", "in texts[1:]"))
    with open_foreign_model(name) as (model, _), pytest.raises(InputError, match="returns 1 arrays for 2 texts"):
        charge_texts(model, [[0, 1], [2, 2, 1]])


def test_a_faulty_model_is_found(write):
    assert "normalised" in broken(write(FAIR, sum="max"))


def test_what_the_model_prints_is_no_answer(write, capfd):
    code = FAIR.replace("weights = np", "print('{}'); weights = np")
    with open_foreign_model(write(code)) as (model, _):
        assert model.log2_probabilities([0]).shape == (3,)
    assert "{}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("weights = np", "1 / 0; weights = np", r"log2_probabilities failed with ZeroDivisionError: .* \(line 9\)"),
        ("weights = np", "raise SystemExit; weights = np", "log2_probabilities failed with SystemExit"),
        ("weights = np", "import os; os._exit(3); weights = np", r"ended in log2_probabilities \(exit code 3\)"),
        (
            "weights = np",
            "import time; time.sleep(60); weights = np",
            "log2_probabilities exceeds the limit of 2 s for a call",
        ),
        ("weights = np", "bytes(1 << 40); weights = np", "log2_probabilities failed with MemoryError"),
        ("def symbols", "def names", "has no method symbols; add it"),
        ("class Model", "class Other", "the class failed with AttributeError"),
        ("import numpy", "import nothing_of_this_name", "the class failed with ModuleNotFoundError"),
    ],
)
def test_a_failing_model_becomes_one_sentence(write, before, after, problem):
    name = write(FAIR.replace(before, after))
    with pytest.raises(InputError, match=problem), open_foreign_model(name, Limits(call_seconds=2)) as (model, _):
        model.log2_probabilities([0])


def test_the_process_ends_with_the_block(write):
    with open_foreign_model(write(FAIR)) as (model, _):
        process = model.host.process
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.parametrize(
    ("name", "problem"), [("model.py", "write it as file.py:Class"), ("none.py:Model", "none.py, which does not exist")]
)
def test_a_name_of_no_class_is_refused(name, problem):
    with pytest.raises(InputError, match=problem), open_foreign_model(name):
        pass
