"""Choice of the best model on the validation split.

This is the only module that chooses. Language models are ranked by their perplexity on validation, the mean over seeds;
other candidates (a single seed, a forecaster) by a figure of their own. The lowest figure is the best; infinite figures
and NaN are never chosen. Ties go to the first by name, with numbers in names by value: mkn-2 before mkn-10.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from seqlab.io.names import natural_key

Candidate = TypeVar("Candidate")
Standing = tuple[float, str]  # a figure on validation, where lower is better, and a name


def standing_of(metrics: dict[str, Any]) -> Standing:
    """Return the perplexity of a language model on validation, the mean over its seeds, and its name."""
    perplexities = [row["perplexity"] for row in metrics["scores"] if row["split"] == "valid"]
    return float(np.mean(perplexities)), str(metrics["model"])


def choose_best(candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing]) -> Candidate | None:
    """Return the best of `candidates`; None where none has a finite figure."""
    ranking = rank_candidates(candidates, standing)
    return next((candidate for candidate in ranking if math.isfinite(standing(candidate)[0])), None)


def find_frontier(
    candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing], cost: Callable[[Candidate], float]
) -> list[Candidate]:
    """Return the candidates that are the best of all that cost no more, from the best to the cheapest.

    The best within a budget is therefore the first that costs no more than the budget.
    """
    frontier: list[Candidate] = []
    for candidate in rank_candidates(candidates, standing):
        if math.isfinite(standing(candidate)[0]) and (not frontier or cost(candidate) < cost(frontier[-1])):
            frontier.append(candidate)
    return frontier


def rank_candidates(candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing]) -> list[Candidate]:
    """Return `candidates` from best to worst: finite figures, then infinite ones, then NaN."""

    def rank(candidate: Candidate) -> tuple[bool, float, list[str | int]]:
        figure, name = standing(candidate)
        return math.isnan(figure), 0.0 if math.isnan(figure) else figure, natural_key(name)

    return sorted(candidates, key=rank)
