"""Interface of a model to be audited, and runs, mixtures of runs and n-gram models with this interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ledger.mixture import mixture_bits
from seqlab.sampling import SymbolModel, Texts

Bits = NDArray[np.float64]


class Precision(NamedTuple):
    """Rounding errors that a law forgives: of a sum of probabilities, and of bits."""

    total: float
    bits: float


DOUBLE = Precision(1e-9, 1e-6)
SINGLE = Precision(1e-6, 1e-4)  # float32 networks, and models of other programs
PRINTED = Precision(1e-5, 1e-6)  # probabilities that a file holds with seven digits


class Candidate(Protocol):
    """A model to be audited.

    Three methods are optional: `bits(ids)` returns the bits of every symbol but the first, (symbols - 1,),
    `score_together(texts)` those of many texts, scored in one batch, and `read_places(text, places)` what
    `log2_probabilities` returns after the first symbols of a text, for several numbers of symbols. Without `bits`
    every symbol costs what `log2_probabilities` says.
    """

    def symbols(self) -> list[str]:
        """Return the names of the V symbols of the vocabulary."""

    def log2_probabilities(self, prefix: list[int]) -> Any:
        """Return the binary logarithm of the probability of every symbol after `prefix`, (V,); `prefix` holds at least
        one symbol.
        """


@dataclass(frozen=True)
class ModelCandidate:
    """Model of seqlab with a single replica, and the names of its symbols."""

    names: list[str]
    model: SymbolModel

    def symbols(self) -> list[str]:
        """Return the names of the symbols."""
        return self.names

    def log2_probabilities(self, prefix: list[int]) -> Bits:
        """Return the binary logarithm of the probability of every symbol after `prefix`, (V,)."""
        with np.errstate(divide="ignore"):  # a probability of zero is -inf
            logarithms: Bits = np.log2(self.model.read(prefix).probability[0])
        return logarithms

    def read_places(self, text: list[int], places: Sequence[int]) -> list[Bits]:
        """Return `log2_probabilities` after the first symbols of `text`, by their number, reading step by step."""
        reading, logarithms = self.model.read(text[:1]), []
        with np.errstate(divide="ignore"):
            for place in range(1, max(places) + 1):
                if place in places:
                    logarithms.append(np.log2(reading.probability[0]))
                reading = reading.followed([0], text[place : place + 1])
        return logarithms

    def bits(self, ids: list[int]) -> Bits:
        """Return the bits of every symbol but the first, (symbols - 1,)."""
        bits: Bits = self.model.score([np.array(ids)])[0]
        return bits

    def score_together(self, texts: Texts) -> list[Bits]:
        """Return the bits of every symbol but the first of each text."""
        ends = np.cumsum([len(text) - 1 for text in texts])
        return np.split(self.model.score(texts)[0], ends[:-1])


@dataclass(frozen=True)
class MixtureCandidate:
    """Linear mixture of `parts` on one vocabulary with `weights`, (parts,)."""

    parts: Sequence[ModelCandidate]
    weights: Bits

    def symbols(self) -> list[str]:
        """Return the names of the symbols."""
        return self.parts[0].symbols()

    def log2_probabilities(self, prefix: list[int]) -> Bits:
        """Return the binary logarithm of the probability of every symbol after `prefix`, (V,)."""
        return -self._mix([-part.log2_probabilities(prefix) for part in self.parts])

    def read_places(self, text: list[int], places: Sequence[int]) -> list[Bits]:
        """Return `log2_probabilities` after the first symbols of `text`, by their number, reading step by step."""
        parts = [part.read_places(text, places) for part in self.parts]
        return [-self._mix([-logarithms for logarithms in of_place]) for of_place in zip(*parts, strict=True)]

    def bits(self, ids: list[int]) -> Bits:
        """Return the bits of every symbol but the first, (symbols - 1,)."""
        return self._mix([part.bits(ids) for part in self.parts])

    def score_together(self, texts: Texts) -> list[Bits]:
        """Return the bits of every symbol but the first of each text."""
        return list(map(self._mix, zip(*(part.score_together(texts) for part in self.parts), strict=True)))

    def _mix(self, bits: Sequence[Bits]) -> Bits:
        return mixture_bits(np.stack(bits), self.weights)


def has_bits(candidate: Candidate) -> bool:
    """Return whether the candidate charges bits by a method of its own."""
    return hasattr(candidate, "bits")


def read_distribution(candidate: Candidate, prefix: Sequence[int]) -> Bits:
    """Return the binary logarithm of the probability of every symbol after `prefix`, (V,); InputError for another
    shape.
    """
    logarithms = np.asarray(candidate.log2_probabilities(list(prefix)), dtype=np.float64)
    size = len(candidate.symbols())
    if logarithms.shape != (size,):
        raise InputError(
            f"log2_probabilities returns the shape {logarithms.shape} after {len(prefix)} symbols; return a value for "
            f"each of the {size} symbols"
        )
    return logarithms


def read_distributions(candidate: Candidate, text: Sequence[int], places: Sequence[int]) -> dict[int, Bits]:
    """Return `read_distribution` after the first symbols of `text`, by their number, for each of `places` in rising
    order: step by step where the candidate has steps, so that they are compared with other forms of the recurrence.
    """
    if hasattr(candidate, "read_places"):
        return dict(zip(places, candidate.read_places(list(text), places), strict=True))
    return {place: read_distribution(candidate, text[:place]) for place in places}


def charge_bits(candidate: Candidate, ids: Sequence[int]) -> Bits:
    """Return the bits of every symbol of `ids` but the first: (symbols - 1,) of a fair model, whose number is a law.

    Raise InputError for bits that are no array of one dimension.
    """
    if not has_bits(candidate):
        return np.array([-read_distribution(candidate, ids[:place])[ids[place]] for place in range(1, len(ids))])
    bits = np.asarray(candidate.bits(list(ids)), dtype=np.float64)  # type: ignore[attr-defined]
    if bits.ndim != 1 or not len(bits):
        raise InputError(
            f"bits returns the shape {bits.shape} for {len(ids)} symbols; return a value for each but the first"
        )
    return bits


def charge_texts(candidate: Candidate, texts: Sequence[Sequence[int]]) -> list[Bits]:
    """Return the bits of each of `texts` as `charge_bits`, in one batch where the candidate has batches.

    Raise InputError for a batch of another number of texts.
    """
    if not hasattr(candidate, "score_together"):
        return [charge_bits(candidate, text) for text in texts]
    scored = [np.asarray(bits, dtype=np.float64) for bits in candidate.score_together([np.array(t) for t in texts])]
    if len(scored) != len(texts):
        raise InputError(f"score_together returns {len(scored)} arrays for {len(texts)} texts; return one for each")
    return scored
