"""Models of sentences, trained and scored as users of KenLM do, against its numbers in kenlm.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from seqlab import NgramModel
from seqlab.text.cleaning import clean_text

KENLM = json.loads(Path(__file__).with_name("kenlm.json").read_text(encoding="utf-8"))
ORDERS = (2, 3, 4, 5, 6)


@pytest.fixture(scope="module")
def lines(mirror: Path) -> tuple[list[str], list[str]]:
    raw = (mirror / "time_machine.txt").read_text(encoding="utf-8")
    cleaned = [line for raw_line in raw.splitlines() if (line := clean_text(raw_line).strip())]
    cut = len(cleaned) * 9 // 10
    return cleaned[:cut], cleaned[cut:]


@pytest.fixture(scope="module", params=ORDERS)
def case(request: Any, lines: tuple[list[str], list[str]]) -> tuple[dict[str, Any], NgramModel, list[str]]:
    train, test = lines
    return KENLM["words"]["orders"][str(request.param)], NgramModel.train(train, order=request.param), test


def test_perplexities_and_unknown_words_are_those_of_query(case: Any) -> None:
    expected, model, test = case
    totals = model.score_text("".join(f"{line}\n" for line in test).encode()).summarize()
    assert totals["symbols"] == expected["tokens_including_eos"]
    assert totals["unknown"] == expected["oov"]
    assert totals["perplexity"] == pytest.approx(expected["perplexity_including_oov"], rel=1e-5)
    assert totals["perplexity_without_unknown"] == pytest.approx(expected["perplexity_excluding_oov"], rel=1e-5)


def test_sentences_have_the_log10_of_query(case: Any) -> None:
    expected, model, test = case
    scores = [model.score(line) for line in test[: len(expected["first_lines_log10"])]]
    assert scores == pytest.approx(expected["first_lines_log10"], abs=1e-4)


def test_ngrams_are_those_of_lmplz(case: Any) -> None:
    expected, model, _ = case
    counts = [expected["discounts"][str(k)]["ngrams"] for k in range(1, model.order + 1)]
    assert list(model.packed.shape.ngrams) == counts
