"""Choosing the best models on the validation split."""

import math
from pathlib import Path

import pytest

from seqlab.ledger.selection import best_on_valid, choose_best, rank_candidates, rows_of_best


def entry(family: str, model: str, *perplexities: float) -> tuple[dict, Path]:
    rows = [{"split": "valid", "perplexity": value} for value in perplexities]
    return {"family": family, "model": model, "scores": [*rows, {"split": "test", "perplexity": 1.0}]}, Path(model)


LEDGER = [
    entry("rnn", "lstm-1x8", 3.0, 6.0),
    entry("ngram", "mkn-3", 5.0),
    entry("rnn", "rnn-1x8", 3.5, 4.5),
    entry("source", "true-source", 9.0),
    entry("ngram", "mkn-2", 4.5),
]


@pytest.mark.parametrize("family, best", [("rnn", "rnn-1x8"), ("ngram", "mkn-2"), (None, "rnn-1x8"), ("mixture", None)])
def test_the_best_has_the_lowest_mean_over_seeds_on_valid(family, best):
    found = best_on_valid(LEDGER, family)
    assert (found and (found[0]["model"], found[1])) == (best and (best, Path(best)))


def as_it_is(standing: tuple[float, str]) -> tuple[float, str]:
    return standing


def test_of_equals_the_first_by_name_is_the_best_and_numbers_count_by_value():
    found = best_on_valid([entry("rnn", "rnn-1x8", 2.0), entry("rnn", "gru-1x8", 2.0)])
    assert found is not None and found[0]["model"] == "gru-1x8"
    assert choose_best([(2.0, "mkn-10"), (2.0, "mkn-2")], as_it_is) == (2.0, "mkn-2")


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_a_figure_that_is_not_finite_is_never_the_best(odd):
    assert choose_best([(odd, "a"), (9.0, "b"), (odd, "c")], as_it_is) == (9.0, "b")
    assert choose_best([(odd, "a")], as_it_is) is None
    assert choose_best([], as_it_is) is None


def test_a_model_with_an_infinite_seed_is_not_the_best():
    found = best_on_valid([entry("ngram", "mle-3", 1.0, math.inf), entry("ngram", "mkn-3", 5.0)])
    assert found is not None and found[0]["model"] == "mkn-3"


def test_a_ranking_ends_with_what_is_infinite_and_what_is_no_number():
    standings = [(math.nan, "a"), (math.inf, "b"), (3.0, "c"), (math.nan, "d"), (2.0, "e")]
    assert [name for _, name in rank_candidates(standings, as_it_is)] == ["e", "c", "b", "a", "d"]


def test_sources_come_first_and_the_next_takes_the_place_of_one_that_cannot_be_asked():
    asked = []

    def rows_of(metrics, path):
        asked.append(metrics["model"])
        return [] if metrics["model"] == "mkn-2" else [[path.name, 1], [path.name, 2]]

    rows = rows_of_best(LEDGER, rows_of)
    assert [name for name, step in rows if step == 1] == ["true-source", "rnn-1x8", "mkn-3"] and len(rows) == 6
    assert asked == ["true-source", "rnn-1x8", "mkn-2", "mkn-3"]
