"""Some symbols of a split, the same for every model that is asked about them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int]  # the number of a segment, and where in it


def positions(segments: Sequence[NDArray[Any]], longest: int, number: int) -> list[Place]:
    """At most `number` places, evenly spaced, that have `longest` symbols before them in their segment.

    They are the same for every context, so that what they cost can be compared.
    """
    found = [(number, place) for number, segment in enumerate(segments) for place in range(longest, len(segment))]
    wanted = np.unique(np.linspace(0, len(found) - 1, min(number, len(found))).round().astype(int))
    return [found[place] for place in wanted]


def places_of(segments: Sequence[NDArray[Any]], places: Sequence[Place]) -> NDArray[np.int64]:
    """Where in the ledger of a split the symbols at `places` stand: indices, (len(places),)."""
    starts = np.concatenate([[0], np.cumsum([len(segment) - 1 for segment in segments])])
    return np.array([starts[number] + place - 1 for number, place in places], dtype=np.int64)
