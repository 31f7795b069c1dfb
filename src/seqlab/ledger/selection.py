"""The choice of the best on the validation split; test is never read for it.

This is the only place that chooses. A language model has its perplexity on validation as its figure, the mean over its
seeds, as models.csv has it; other candidates (a single seed, a forecaster) bring a figure of their own. The lowest is
the best. A figure that is infinite or not a number is never chosen. Of equals the first by name is the best, with
numbers in names by their value: mkn-2 before mkn-10.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from seqlab.io.names import natural_key

Candidate = TypeVar("Candidate")
Standing = tuple[float, str]  # a figure on validation, the lower the better, and a name


def standing_of(metrics: dict[str, Any]) -> Standing:
    """Return the perplexity of a language model on validation, the mean over its seeds, and its name."""
    perplexities = [row["perplexity"] for row in metrics["scores"] if row["split"] == "valid"]
    return float(np.mean(perplexities)), str(metrics["model"])


def choose_best(candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing]) -> Candidate | None:
    """Return the best of `candidates`; None where none has a finite figure."""
    ranking = rank_candidates(candidates, standing)
    return next((candidate for candidate in ranking if math.isfinite(standing(candidate)[0])), None)


def rank_candidates(candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing]) -> list[Candidate]:
    """Return `candidates` from the best to the worst; behind the finite figures come infinite ones, then NaN."""

    def rank(candidate: Candidate) -> tuple[bool, float, list[str | int]]:
        figure, name = standing(candidate)
        return math.isnan(figure), 0.0 if math.isnan(figure) else figure, natural_key(name)

    return sorted(candidates, key=rank)
