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


def rank_candidates(candidates: Iterable[Candidate], standing: Callable[[Candidate], Standing]) -> list[Candidate]:
    """Return `candidates` from best to worst: finite figures, then infinite ones, then NaN."""

    def rank(candidate: Candidate) -> tuple[bool, float, list[str | int]]:
        figure, name = standing(candidate)
        return math.isnan(figure), 0.0 if math.isnan(figure) else figure, natural_key(name)

    return sorted(candidates, key=rank)
