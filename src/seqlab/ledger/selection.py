"""Choosing among models by what they charge for valid; test is never read for it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

Where = TypeVar("Where")  # a run, or whatever else tells models apart and sorts them


def valid_perplexity(metrics: dict[str, Any]) -> float:
    """The mean over seeds of a model's perplexity on valid."""
    return float(np.mean([row["perplexity"] for row in metrics["scores"] if row["split"] == "valid"]))


def best_on_valid(
    ledger: Iterable[tuple[dict[str, Any], Where]], family: str | None = None
) -> tuple[dict[str, Any], Where] | None:
    """The model with the lowest perplexity on valid, of all or of one `family`; None where there is none.

    `ledger` holds the metrics of models, each with a run, which is handed back beside them. Of equals it is the first
    by name.
    """
    own = [(metrics, run) for metrics, run in ledger if family in (None, metrics["family"])]
    return min(own, key=lambda one: (valid_perplexity(one[0]), one[0]["model"], one[1]), default=None)


def rows_of_best(
    ledger: Iterable[tuple[dict[str, Any], Where]], rows_of: Callable[[dict[str, Any], Where], list[list[Any]]]
) -> list[list[Any]]:
    """The rows of the best on valid of each family that has any: sources first, then all in the order of that figure.

    `rows_of` makes the rows of one model of the `ledger`, which is as in `best_on_valid`. It has none for a model that
    can't be asked; then the next of its family is.
    """
    found: dict[str, list[list[Any]]] = {}
    for metrics, run in sorted(ledger, key=lambda one: _sources_then_best(one[0])):
        if not found.get(metrics["family"]):
            found[metrics["family"]] = rows_of(metrics, run)
    return [row for rows in found.values() for row in rows]


def _sources_then_best(metrics: dict[str, Any]) -> tuple[bool, float, str]:
    return metrics["family"] != "source", valid_perplexity(metrics), metrics["model"]
