"""Symbols k steps ahead of what a known source has emitted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.text.known_source import known_source
from seqlab.text.sources import Source, stationary, symbol_ids
from seqlab.text.vocab import Vocab


def known_source_ahead(
    card_path: Path,
    vocab: Vocab,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    steps: Sequence[int],
) -> NDArray[np.float64]:
    """`probabilities_ahead` under the source that a card names, of `segments` that hold indices of `vocab`."""
    source = known_source(card_path)
    texts = [symbol_ids(source, vocab.text_of(segment)) for segment in segments]
    return probabilities_ahead(source, texts, places, steps)


def probabilities_ahead(
    source: Source, segments: Sequence[NDArray[Any]], places: Sequence[tuple[int, int]], steps: Sequence[int]
) -> NDArray[np.float64]:
    """The probability of the symbols at `places`, (segment, place in it), given the segment up to k symbols before
    each, for every k of `steps`: (steps, places). Exact: the belief over states (see `symbol_bits`) is carried k - 1
    symbols on, and what it does not know is summed over (module section 2.3).

    `segments` hold indices in the alphabet, and every place has `max(steps)` symbols before it.
    """
    ahead = _emissions_ahead(source, max(steps))
    found = np.empty((len(steps), len(places)))
    for number, segment in enumerate(segments):
        own = [(column, place) for column, (of, place) in enumerate(places) if of == number]
        beliefs = _beliefs(source, segment, {place - k for _, place in own for k in steps})
        for column, place in own:
            for row, k in enumerate(steps):
                found[row, column] = beliefs[place - k] @ ahead[k - 1][:, segment[place]]
    return found


def _emissions_ahead(source: Source, longest: int) -> list[NDArray[np.float64]]:
    """For k = 1 to `longest`, p(x_t+k | s_t+1), where s_t+1 is the state after symbol t: each (S, V)."""
    tables = [source.emission]
    for _ in range(longest - 1):
        following = tables[-1]
        tables.append(np.einsum("sv,svw->sw", source.emission, following[source.successor], optimize=True))
    return tables


def _beliefs(source: Source, segment: NDArray[Any], wanted: set[int]) -> dict[int, NDArray[np.float64]]:
    """The distribution over states after each of the `wanted` positions of `segment`."""
    belief, found = stationary(source), {}
    for position, symbol in enumerate(segment[: max(wanted, default=-1) + 1].tolist()):
        joint = belief * source.emission[:, symbol]
        belief = np.bincount(source.successor[:, symbol], joint, len(belief)) / joint.sum()
        if position in wanted:
            found[position] = belief
    return found
