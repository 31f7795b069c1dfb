"""Linear interpolation of models: the probability of a symbol is a weighted mean of what its parts give it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ledger.selection import choose_best, standing_of

GAP = 1e-7  # nats per symbol by which the weights may fall short of the best ones
ROUNDS = 20_000


def fit_weights(bits: NDArray[Any]) -> NDArray[np.float64]:
    """The weights, (parts,), under which a mixture charges least for the symbols of `bits`, (parts, symbols).

    Expectation maximisation (Jelinek & Mercer 1980): each round gives a part the mean share it has in the
    probabilities. The likelihood has one maximum, and w is within max_k mean(p_k / p_w) - 1 nats of it, where the
    rounds end. Raises InputError where every part gives some symbol no probability.
    """
    parts = len(bits)
    ratio = _relative(bits)
    if not (ratio > 0).any(axis=0).all():
        raise InputError("every part of a mixture gives some symbol of valid no probability; add a smoothed model")
    weights = np.full(parts, 1 / parts)
    for _ in range(ROUNDS):
        share = (ratio / (weights @ ratio)).mean(1)
        if share.max() - 1 < GAP:
            break
        weights *= share
    return weights / weights.sum()


def mixture_bits(bits: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bits of every symbol, (symbols,), under a mixture of parts with `bits` (parts, symbols) and `weights`
    (parts,).
    """
    least = np.asarray(bits, dtype=np.float64).min(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed: NDArray[np.float64] = least - np.log2(weights @ _relative(bits))
    return np.where(np.isinf(least), np.inf, mixed)


def _relative(bits: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities of each symbol as shares of the highest, which cannot underflow; zero where all are zero."""
    exact = np.asarray(bits, dtype=np.float64)
    least = exact.min(0)
    relative: NDArray[np.float64] = np.exp2(np.where(np.isinf(least), 0.0, least) - exact)
    return relative


def rows_of(scores: Sequence[tuple[str, list[int], NDArray[Any]]]) -> tuple[list[str], NDArray[Any]]:
    """Names and bits, (parts, symbols), of all replicas of the models in `scores`: name, seeds, (replicas, symbols).

    Raises InputError where the models were scored on different numbers of symbols.
    """
    names, rows = [], []
    for model, seeds, bits in scores:
        names += [f"{model} seed {seed}" for seed in seeds] or [model]
        rows.append(bits)
    lengths = {bits.shape[1] for bits in rows}
    if len(lengths) > 1:
        told = ", ".join(f"{model} {bits.shape[1]}" for model, _, bits in scores)
        raise InputError(f"parts of a mixture were scored on different texts ({told} symbols); run the workflow again")
    return names, np.concatenate(rows)


def chosen_parts(parts: Sequence[str], metrics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the metrics of the models that `parts` mean: a model by its name, or `best ngram`, the best of that family
    on validation.

    Raises InputError where there is no such model, or no finite one in the family.
    """
    chosen = []
    for part in parts:
        key, value = ("family", part.removeprefix("best ")) if part.startswith("best ") else ("model", part)
        candidates = [candidate for candidate in metrics if candidate[key] == value]
        model = choose_best(candidates, standing_of) if key == "family" else next(iter(candidates), None)
        if model is None:
            raise InputError(f"a mixture has the part {part!r}, for which there is no model with finite bits on valid")
        chosen.append(model)
    return chosen
