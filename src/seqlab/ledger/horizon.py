"""Bits of symbols k steps ahead, for models of every family: horizon.csv."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS = ["family", "model", "steps", "symbols", "bits_per_symbol", "bits_per_symbol_std", "method"]
COLUMNS += ["sampling_error", "sampling_bias"]
EXACT, SAMPLED = "exact", "sampled"


def exact_rows(
    family: str, model: str, steps: Sequence[int], probabilities: Iterable[NDArray[np.float64]]
) -> list[list[Any]]:
    """The rows of a model that gives symbols k steps ahead these probabilities, (symbols,), for every k of `steps`."""
    return [exact_row(family, model, k, each) for k, each in zip(steps, probabilities, strict=True)]


def exact_row(family: str, model: str, steps: int, probability: NDArray[np.float64]) -> list[Any]:
    """The row of a model that gives symbols `steps` ahead these probabilities, (symbols,)."""
    with np.errstate(divide="ignore"):
        bits = -np.log2(probability)
    return [family, model, steps, len(bits), float(bits.mean()), np.nan, EXACT, 0.0, 0.0]


def sampled_row(
    family: str,
    model: str,
    steps: int,
    bits: NDArray[np.float64],
    error: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> list[Any]:
    """The row of a network whose replicas charge `bits`, (replicas, symbols), with an `error` and `bias` of sampling
    in each; errors of different symbols are independent.
    """
    spread = float(bits.mean(1).std(ddof=1)) if len(bits) > 1 else np.nan
    uncertain = float(np.sqrt((error**2).sum()) / error.size)
    method = SAMPLED if steps > 1 else EXACT
    return [
        family, model, steps, bits.shape[1], float(bits.mean()), spread, method, uncertain, float(bias.mean())
    ]  # fmt: skip
