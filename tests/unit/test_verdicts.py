"""verdicts.csv: who is held against whom, and what is said where two models can't be compared."""

import numpy as np
import pytest

from seqlab.io.errors import InputError
from seqlab.ledger.verdicts import ALIKE, COLUMNS, WORSE, Entry, read_verdicts, verdicts
from seqlab.report.tables import write_table

BASE = np.random.default_rng(1).random(400) + 1


def entry(family: str, model: str, bits: np.ndarray, valid: float | None = None, per_symbol: bool = True) -> Entry:
    bits = np.atleast_2d(bits)
    perplexity = valid if valid is not None else float(2 ** bits.mean())
    row = {"split": "valid", "perplexity": perplexity, "seed": None}
    return Entry({"family": family, "model": model, "scores": [row], "per_symbol": per_symbol}, bits)


def noise(seed: int, size: float) -> np.ndarray:
    return size * np.random.default_rng(seed).standard_normal(400)


def test_every_model_is_held_against_the_best_on_valid_and_families_against_each_other():
    table = verdicts(
        [entry("ngram", "mkn-3", BASE + 0.2 + noise(2, 0.1)), entry("rnn", "lstm-1x8", BASE + 0.1 + noise(3, 0.1)),
         entry("mixture", "both", BASE), entry("source", "true-source", BASE - 0.1)]
    )  # fmt: skip
    pairs = list(zip(table["model"], table["against"], strict=True))
    assert pairs == [("mkn-3", "both"), ("lstm-1x8", "both"), ("true-source", "both"), ("mkn-3", "lstm-1x8")]
    assert list(table["verdict"]) == [WORSE, WORSE, "better", WORSE]
    assert table["difference"].tolist() == pytest.approx([0.2, 0.1, -0.1, 0.1], abs=0.02)


def test_a_difference_within_chance_is_not_told_apart_and_says_what_would_have_been():
    table = verdicts([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 0.001 + noise(2, 0.5))])
    assert table["verdict"].tolist() == [ALIKE]
    assert table["minimum_detectable"][0] == pytest.approx(2.8 * 0.5 / 20, rel=0.2)


def test_a_difference_below_the_resolution_of_the_ledger_is_none():
    table = verdicts([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 1e-9)])
    assert table["verdict"].tolist() == [ALIKE]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (entry("compressor", "xz", BASE + 1, per_symbol=False), "only a total is known"),
        (entry("ngram", "mle-3", np.append(BASE[1:], np.inf), valid=9.0), "a symbol has probability zero"),
        (entry("rnn", "lstm-1x8", np.append(BASE[1:], np.nan), valid=9.0), "a figure is not a number"),
        (entry("ngram", "old-3", BASE[:-1] + 1), "scored on 399 symbols, not 400"),
    ],
)
def test_what_cannot_be_compared_says_why_and_leaves_the_others_be(odd, said):
    table = verdicts([entry("ngram", "mkn-3", BASE), odd, entry("ngram", "mkn-1", BASE + 1)])
    assert table["verdict"].tolist() == [said, WORSE]
    assert table["p"].isna().tolist() == [True, False]


def test_no_finite_model_leaves_an_empty_table_that_can_be_read_again(tmp_path):
    table = verdicts([entry("ngram", "mle-3", BASE, valid=float("inf"))])
    write_table(tmp_path / "verdicts.csv", table)
    assert list(read_verdicts(tmp_path / "verdicts.csv").columns) == COLUMNS


def test_the_table_is_read_as_it_was_written(tmp_path):
    table = verdicts([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 0.1)])
    write_table(tmp_path / "verdicts.csv", table)
    again = read_verdicts(tmp_path / "verdicts.csv")
    assert again.to_dict() == table.to_dict()


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    (tmp_path / "verdicts.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"verdicts\.csv is damaged \(it is not a table of verdicts"):
        read_verdicts(tmp_path / "verdicts.csv")
