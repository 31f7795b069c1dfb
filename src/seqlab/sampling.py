"""Drawing the next symbol from a distribution."""

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError


def draw(
    probability: NDArray[np.floating], random: np.random.Generator, temperature: float = 1.0, top_k: int | None = None
) -> int:
    """An index drawn from `probability`, shape (vocabulary,), sharpened by `temperature` and cut to the `top_k`
    likeliest.

    Temperature 0 takes the likeliest symbol (the first of equals). Raises InputError for a negative temperature or a
    top_k below 1.
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise InputError(f"temperature is {temperature} and top_k {top_k}; they must be at least 0 and 1")
    if temperature == 0:
        return int(np.argmax(probability))
    with np.errstate(divide="ignore"):
        scores = np.log(np.asarray(probability, dtype=np.float64)) / temperature
    if top_k is not None and top_k < len(scores):
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    cumulated = np.cumsum(np.exp(scores - scores.max()))
    return int(np.searchsorted(cumulated, random.random() * cumulated[-1], side="right"))
