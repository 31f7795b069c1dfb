"""Linear interpolation of models."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ledger.selection import choose_best, standing_of

WEIGHT_TOLERANCE = 1e-7  # nats per symbol by which the weights may miss the optimum
MAX_ROUNDS = 20_000


def fit_weights(bits: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weights, (parts,), of the mixture with the highest likelihood on `bits`, (parts, symbols).

    Expectation maximisation (Jelinek & Mercer 1980): the new weight of a part is its mean share in the probabilities.
    The likelihood has one maximum, and w is within max_k mean(p_k / p_w) - 1 nats of it, which ends the rounds.
    Raise InputError where some symbol has probability zero under all parts.
    """
    parts = len(bits)
    ratio = _relative(bits)
    if not (ratio > 0).any(axis=0).all():
        raise InputError("a symbol of valid has probability zero under every part of a mixture; add a smoothed model")
    weights = np.full(parts, 1 / parts)
    for _ in range(MAX_ROUNDS):
        share = (ratio / (weights @ ratio)).mean(1)
        if share.max() - 1 < WEIGHT_TOLERANCE:
            break
        weights *= share
    return weights / weights.sum()


def mixture_bits(bits: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits of every symbol, (symbols,), under a mixture of parts with `bits`, (parts, symbols), and
    `weights`, (parts,).
    """
    least = np.asarray(bits, dtype=np.float64).min(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed: NDArray[np.float64] = least - np.log2(weights @ _relative(bits))
    return np.where(np.isinf(least), np.inf, mixed)


def _relative(bits: NDArray[Any]) -> NDArray[np.float64]:
    """Return the probabilities of each symbol relative to the highest, which avoids underflow; zero where all are."""
    exact = np.asarray(bits, dtype=np.float64)
    least = exact.min(0)
    relative: NDArray[np.float64] = np.exp2(np.where(np.isinf(least), 0.0, least) - exact)
    return relative


def stack_replicas(scores: Sequence[tuple[str, list[int], NDArray[Any]]]) -> tuple[list[str], NDArray[Any]]:
    """Return names and bits, (parts, symbols), of all replicas of the models in `scores`: name, seeds, bits.

    Raise InputError where the models were scored on different numbers of symbols.
    """
    names, rows = [], []
    for model, seeds, bits in scores:
        names += [f"{model} seed {seed}" for seed in seeds] or [model]
        rows.append(bits)
    lengths = {bits.shape[1] for bits in rows}
    if len(lengths) > 1:
        counts = ", ".join(f"{model} {bits.shape[1]}" for model, _, bits in scores)
        raise InputError(
            f"parts of a mixture were scored on different texts ({counts} symbols); run the workflow again"
        )
    return names, np.concatenate(rows)


def choose_parts(parts: Sequence[str], metrics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the metrics of the models in `parts`: names of models, or `best ngram` for the best of that family on
    validation.

    Raise InputError where there is no such model, or no finite one in the family.
    """
    chosen = []
    for part in parts:
        key, value = ("family", part.removeprefix("best ")) if part.startswith("best ") else ("model", part)
        candidates = [candidate for candidate in metrics if candidate[key] == value]
        model = choose_best(candidates, standing_of) if key == "family" else next(iter(candidates), None)
        if model is None:
            raise InputError(f"a mixture has the part {part!r}, but no finite model fits it; correct mixtures")
        chosen.append(model)
    return chosen
