"""Known source of a generated text as a model of that text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.sampling import Ahead, Positions, Texts
from seqlab.text.definitions import corpus_source, second_source
from seqlab.text.sources import Source, generate_text, stationary, symbol_ids
from seqlab.text.vocab import Vocab


def read_known_source(card_path: str | Path) -> Source:
    """Return the source named by the card of a run of family source; InputError where it names none."""
    card = read_card(card_path, "source")
    source = corpus_source(card["corpus"], card["settings"])
    if source is None:
        raise InputError(f"{card_path} names no source that generates texts; delete it and run the workflow again")
    return source


def read_second_text(card_path: str | Path) -> tuple[Source, str] | None:
    """Return the second text of the corpus of the card of a run of family source, with the source that generates it;
    None where the corpus has no second text.
    """
    card = read_card(card_path, "source")
    source, second = second_source(card["corpus"], card["settings"]), card["settings"].get("second_text")
    return None if source is None else (source, generate_text(source, second["length"], second["seed"]))


@dataclass(frozen=True)
class KnownSource:
    """A source with the vocabulary of its texts; see `seqlab.sampling.Foresight`."""

    source: Source
    vocab: Vocab

    def look_ahead(self, segments: Texts, positions: Positions, steps: Sequence[int], samples: int) -> list[Ahead]:
        """Return the exact bits of the symbols at `positions` given the segment up to k symbols before each, for every
        k of `steps`.

        The belief over states (see `symbol_bits`) is carried k - 1 symbols further, summed over the symbols between
        (module section 2.3).
        """
        ahead = _emissions_ahead(self.source, max(steps))
        probability = np.empty((len(steps), len(positions)))
        for number, segment in enumerate(segments):
            symbols = symbol_ids(self.source, self.vocab.text_of(segment))
            inside = [(column, place) for column, (of, place) in enumerate(positions) if of == number]
            beliefs = _beliefs(self.source, symbols, {place - k for _, place in inside for k in steps})
            for column, place in inside:
                for row, k in enumerate(steps):
                    probability[row, column] = beliefs[place - k] @ ahead[k - 1][:, symbols[place]]
        return list(map(Ahead.exact, steps, probability))


def _emissions_ahead(source: Source, longest: int) -> list[NDArray[np.float64]]:
    """Tables p(x_t+k | s_t+1) for k = 1 to `longest`, where s_t+1 is the state after symbol t: each (S, V)."""
    tables = [source.emission]
    for _ in range(longest - 1):
        following = tables[-1]
        tables.append(np.einsum("sv,svw->sw", source.emission, following[source.successor], optimize=True))
    return tables


def _beliefs(source: Source, segment: NDArray[Any], places: set[int]) -> dict[int, NDArray[np.float64]]:
    """Distributions over states after each of these `places` in `segment`."""
    belief, beliefs = stationary(source), {}
    for place, symbol in enumerate(segment[: max(places, default=-1) + 1].tolist()):
        joint = belief * source.emission[:, symbol]
        belief = np.bincount(source.successor[:, symbol], joint, len(belief)) / joint.sum()
        if place in places:
            beliefs[place] = belief
    return beliefs
