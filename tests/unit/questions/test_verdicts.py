"""verdicts.csv: who is held against whom, and what is said where two models can't be compared."""

import math

import numpy as np
import pytest

from seqlab.io.errors import InputError
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.verdicts import TIED, WORSE, Entry, Verdict, judge_models, judge_pairs, read_verdicts

BASE = np.random.default_rng(1).random(400) + 1


def entry(family: str, model: str, bits: np.ndarray, valid: float | None = None, per_symbol: bool = True) -> Entry:
    bits = np.atleast_2d(bits)
    perplexity = valid if valid is not None else float(2 ** bits.mean())
    row = {"split": "valid", "perplexity": perplexity, "seed": None}
    return Entry({"family": family, "model": model, "scores": [row], "per_symbol": per_symbol}, bits)


def noise(seed: int, size: float) -> np.ndarray:
    return size * np.random.default_rng(seed).standard_normal(400)


def test_every_model_is_held_against_the_best_on_valid_and_families_against_each_other():
    verdicts = judge_models(
        [entry("ngram", "mkn-3", BASE + 0.2 + noise(2, 0.1)), entry("rnn", "lstm-1x8", BASE + 0.1 + noise(3, 0.1)),
         entry("mixture", "both", BASE), entry("source", "true-source", BASE - 0.1)]
    )  # fmt: skip
    pairs = [(verdict.model, verdict.against) for verdict in verdicts]
    assert pairs == [("mkn-3", "both"), ("lstm-1x8", "both"), ("true-source", "both"), ("mkn-3", "lstm-1x8")]
    assert [verdict.verdict for verdict in verdicts] == [WORSE, WORSE, "better", WORSE]
    assert [verdict.difference for verdict in verdicts] == pytest.approx([0.2, 0.1, -0.1, 0.1], abs=0.02)


def test_a_difference_within_chance_is_a_tie_and_says_what_would_have_been():
    verdicts = judge_models([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 0.001 + noise(2, 0.5))])
    assert [verdict.verdict for verdict in verdicts] == [TIED]
    assert verdicts[0].minimum_detectable == pytest.approx(2.8 * 0.5 / 20, rel=0.2)


def test_a_difference_below_the_resolution_of_the_ledger_is_none():
    verdicts = judge_models([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 1e-9)])
    assert [verdict.verdict for verdict in verdicts] == [TIED]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (entry("compressor", "xz", BASE + 1, per_symbol=False), "only a total is known"),
        (entry("ngram", "mle-3", np.append(BASE[1:], np.inf), valid=9.0), "a symbol has probability zero"),
        (entry("rnn", "lstm-1x8", np.append(BASE[1:], np.nan), valid=9.0), "bits are NaN"),
        (entry("ngram", "old-3", BASE[:-1] + 1), "scored on 399 symbols, not 400"),
    ],
)
def test_what_cannot_be_compared_says_why_and_leaves_the_others_be(odd, said):
    verdicts = judge_models([entry("ngram", "mkn-3", BASE), odd, entry("ngram", "mkn-1", BASE + 1)])
    assert [verdict.verdict for verdict in verdicts] == [said, WORSE]
    assert [math.isnan(verdict.p) for verdict in verdicts] == [True, False]


def test_no_finite_model_leaves_an_empty_table_that_can_be_read_again(tmp_path):
    verdicts = judge_models([entry("ngram", "mle-3", BASE, valid=float("inf"))])
    write_table(tmp_path / "verdicts.csv", tabulate_rows(Verdict, verdicts))
    assert read_verdicts(tmp_path / "verdicts.csv") == verdicts == []


def test_the_table_is_read_as_it_was_written(tmp_path):
    verdicts = judge_models([entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 0.1)])
    write_table(tmp_path / "verdicts.csv", tabulate_rows(Verdict, verdicts))
    assert read_verdicts(tmp_path / "verdicts.csv") == verdicts


def test_a_verdict_in_words_has_its_size_and_its_interval():
    first, second = entry("ngram", "a-1", BASE), entry("ngram", "a-2", BASE + 0.25)
    (worse,), (better,), (tied,) = (judge_pairs([pair]) for pair in ((second, first), (first, second), (first, first)))
    assert worse.in_words == "0.2500 bits per symbol worse than a-1 (95 % interval 0.2500 to 0.2500)"
    assert better.in_words == "0.2500 bits per symbol better than a-2 (95 % interval 0.2500 to 0.2500)"
    assert tied.in_words == "tied with a-1 (difference +0.0000 bits per symbol, 95 % interval +0.0000 to +0.0000)"
    assert Verdict("ngram", "a-1", "a-2", "too few symbols").in_words == "not comparable with a-2: too few symbols"


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    (tmp_path / "verdicts.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"verdicts\.csv is damaged \(it has no column family\)"):
        read_verdicts(tmp_path / "verdicts.csv")
