"""Examples of docs/audit.md, as they are printed there."""

import re
from pathlib import Path

import numpy as np
import pytest

from seqlab.audit.audit import audit
from seqlab.audit.candidate import SINGLE
from seqlab.audit.foreign import open_foreign_model
from seqlab.audit.laws import LAWS
from seqlab.audit.runs import encode_text
from seqlab.audit.subject import Subject

PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
BIGRAM, CAUSAL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TEXT = "the dog and the cat sat on the log "
TINY = """
class Tiny(CausalModel):
    def __init__(self):
        from transformers import GPT2Config, GPT2LMHeadModel

        torch.manual_seed(1)
        torch.set_num_threads(1)
        sizes = dict(vocab_size=11, n_positions=128, n_embd=16, n_layer=2, n_head=2)
        super().__init__(GPT2LMHeadModel(GPT2Config(**sizes)), [f"piece {number}" for number in range(11)])
"""


def broken(folder: Path, code: str) -> list[str]:
    (folder / "bigram.py").write_text(code)
    with open_foreign_model(f"{folder}/bigram.py:Model") as (model, _):
        ids = encode_text(TEXT, model.symbols())
        return [finding.law.name for finding in audit(Subject(model, ids, SINGLE)) if not finding.is_kept]


def test_the_bigram_of_the_page_keeps_every_law(tmp_path):
    assert broken(tmp_path, BIGRAM) == []


@pytest.mark.parametrize(
    ("before", "after", "law"),
    [
        ("counts.sum(axis=1, keepdims=True)", "counts.max()", "normalised"),
        ("self.table[ids[:-1]", "self.table[ids[1:]", "fixed before it is read"),
    ],
)
def test_its_faults_are_found_by_the_laws_that_the_page_names(tmp_path, before, after, law):
    assert BIGRAM.count(before) == 1
    assert law in broken(tmp_path, BIGRAM.replace(before, after))


def test_a_causal_model_of_transformers_keeps_every_law(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "tiny.py").write_text(CAUSAL + TINY)
    with open_foreign_model(f"{tmp_path}/tiny.py:Tiny") as (model, _):
        findings = audit(Subject(model, np.random.default_rng(2).integers(11, size=60), SINGLE))
    assert [finding.law.name for finding in findings if not finding.is_kept] == []


def test_the_page_lists_every_law_in_order():
    table = PAGE[PAGE.index("## Laws") : PAGE.index("The bounds are")]
    assert re.findall(r"^\| ([a-z ]+) \|", table, re.MULTILINE)[1:] == [law.name for law in LAWS]
