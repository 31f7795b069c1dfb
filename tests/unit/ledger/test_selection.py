"""Choosing the best models on the validation split."""

import math

import pytest

from seqlab.ledger.selection import choose_best, find_frontier, rank_candidates, standing_of


def entry(family: str, model: str, *perplexities: float) -> dict:
    rows = [{"split": "valid", "perplexity": value} for value in perplexities]
    return {"family": family, "model": model, "scores": [*rows, {"split": "test", "perplexity": 1.0}]}


LEDGER = [
    entry("rnn", "lstm-1x8", 3.0, 6.0),
    entry("ngram", "mkn-3", 5.0),
    entry("rnn", "rnn-1x8", 3.5, 4.5),
    entry("source", "true-source", 9.0),
    entry("ngram", "mkn-2", 4.5),
]


def best(ledger: list[dict]) -> str | None:
    metrics = choose_best(ledger, standing_of)
    return metrics and metrics["model"]


def test_the_best_has_the_lowest_mean_over_seeds_on_valid():
    assert best(LEDGER) == "rnn-1x8"
    assert best([metrics for metrics in LEDGER if metrics["family"] == "ngram"]) == "mkn-2"


def as_it_is(standing: tuple[float, str]) -> tuple[float, str]:
    return standing


def test_of_equals_the_first_by_name_is_the_best_and_numbers_count_by_value():
    assert best([entry("rnn", "rnn-1x8", 2.0), entry("rnn", "gru-1x8", 2.0)]) == "gru-1x8"
    assert choose_best([(2.0, "mkn-10"), (2.0, "mkn-2")], as_it_is) == (2.0, "mkn-2")


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_a_figure_that_is_not_finite_is_never_the_best(odd):
    assert choose_best([(odd, "a"), (9.0, "b"), (odd, "c")], as_it_is) == (9.0, "b")
    assert choose_best([(odd, "a")], as_it_is) is None
    assert choose_best([], as_it_is) is None


def test_a_model_with_an_infinite_seed_is_not_the_best():
    assert best([entry("ngram", "mle-3", 1.0, math.inf), entry("ngram", "mkn-3", 5.0)]) == "mkn-3"


def test_a_ranking_ends_with_what_is_infinite_and_what_is_no_number():
    standings = [(math.nan, "a"), (math.inf, "b"), (3.0, "c"), (math.nan, "d"), (2.0, "e")]
    assert [name for _, name in rank_candidates(standings, as_it_is)] == ["e", "c", "b", "a", "d"]


def test_a_frontier_is_the_best_within_every_budget_from_the_best_to_the_cheapest():
    costs = {"a": 5.0, "b": 9.0, "c": 1.0, "d": 5.0, "e": 0.5, "f": 2.0}
    standings = [(2.0, "a"), (1.0, "b"), (4.0, "c"), (3.0, "d"), (math.inf, "e"), (4.0, "f")]
    frontier = find_frontier(standings, as_it_is, lambda standing: costs[standing[1]])
    assert [name for _, name in frontier] == ["b", "a", "c"]
    for budget in (1.0, 2.0, 5.0, 7.0, 9.0):
        within = choose_best([standing for standing in standings if costs[standing[1]] <= budget], as_it_is)
        assert next(standing for standing in frontier if costs[standing[1]] <= budget) == within
