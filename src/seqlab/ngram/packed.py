"""Packed n-gram models: all arrays in one buffer, which is the file model.ngram and is memory-mapped from it.

The n-grams of every order are sorted by their context, then by their last symbol, so that the successors of a
context are neighbours. The buffer holds one section after the other, each from a multiple of 8 bytes on,
in little-endian order:

- for each order k: the last symbols of its n-grams in the fewest whole bytes that hold every index (from order 2 on),
  log10 of their probabilities (float32), log10 of their back-off weights (float32) and, with a further entry for the
  end, the number of the first successor of each in order k + 1 (uint32); the highest order has neither of the last two;
- the words in UTF-8 one after the other, their ends (int64), and their hash table (uint64).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.words import WordTable

MOST_NGRAMS = 2**32 - 1  # of an order, whose numbers are uint32
ALIGNMENT = 8
SAMPLES, SAMPLE_SIZE = 64, 4096  # stretches of a file that its quick checksum covers, and their bytes


@dataclass(frozen=True)
class Shape:
    """Numbers that determine the sections of a packed model."""

    ngrams: tuple[int, ...]  # of each order; those of order 1 are the vocabulary
    word_bytes: int
    slots: int

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.ngrams)

    @property
    def width(self) -> int:
        """Bytes of a symbol."""
        return max(1, -(-(self.ngrams[0] - 1).bit_length() // 8))

    def sections(self) -> Iterator[tuple[str, int, Any, int]]:
        """Yield name, order, type and number of entries of each section; order 0 stands for the words."""
        for k, size in enumerate(self.ngrams, start=1):
            if k > 1:
                yield "symbol", k, np.uint8, size * self.width
            yield "probability", k, np.float32, size
            if k < self.order:
                yield "backoff", k, np.float32, size
                yield "successors", k, np.uint32, size + 1
        yield "words", 0, np.uint8, self.word_bytes
        yield "ends", 0, np.int64, self.ngrams[0]
        yield "slots", 0, np.uint64, self.slots

    @cached_property
    def places(self) -> dict[tuple[str, int], tuple[int, Any, int]]:
        """Place in bytes, type and number of entries of the section of a name and an order."""
        places, place = {}, 0
        for name, k, kind, length in self.sections():
            places[name, k] = place, kind, length
            place += -(-length * np.dtype(kind).itemsize // ALIGNMENT) * ALIGNMENT
        return places

    @property
    def size(self) -> int:
        """Bytes of the whole buffer."""
        place, kind, length = list(self.places.values())[-1]
        return place + length * np.dtype(kind).itemsize


@dataclass(frozen=True)
class PackedModel:
    """A packed model; `data` has shape (shape.size,)."""

    shape: Shape
    data: NDArray[np.uint8]

    @classmethod
    def pack(cls, model: BackoffModel, table: WordTable) -> "PackedModel":
        """Return `model` with the words of its vocabulary. Raises InputError for a model that does not back off or has
        more than MOST_NGRAMS n-grams of an order.
        """
        if not model.backs_off:
            raise InputError("the model does not back off (add-k smoothing), so it can't be packed; use kn or mkn")
        sizes = tuple(map(len, model.key))
        if max(sizes) > MOST_NGRAMS:
            raise InputError(f"an order has {max(sizes):,} n-grams and the model file holds {MOST_NGRAMS:,}; prune it")
        used = int(table.ends[table.number - 1])
        shape = Shape(sizes, used, len(table.slots))
        packed = cls(shape, np.zeros(shape.size, dtype=np.uint8))
        for k, keys in enumerate(model.key, start=1):
            context, symbol = np.divmod(keys, model.vocabulary)
            if k > 1:
                columns = symbol.astype("<u8").view(np.uint8).reshape(-1, 8)[:, : shape.width]
                packed.section("symbol", k)[:] = columns.ravel()
                starts = packed.section("successors", k - 1)
                starts[:] = np.searchsorted(context, np.arange(len(starts)))
            packed.section("probability", k)[:] = _logarithm(model.probability[k - 1])
            if k < shape.order:
                packed.section("backoff", k)[:] = _logarithm(model.backoff[k - 1])
        packed.section("words", 0)[:] = table.words[:used]
        packed.section("ends", 0)[:] = table.ends[: table.number]
        packed.section("slots", 0)[:] = table.slots
        packed.data.flags.writeable = False  # as where it is mapped, so that functions are compiled once
        return packed

    @classmethod
    def map(cls, path: Path, shape: Shape) -> "PackedModel":
        """Return the model of this `shape` in the file `path`, memory-mapped."""
        return cls(shape, np.memmap(path, dtype=np.uint8, mode="r", shape=(shape.size,)).view(np.ndarray))

    def section(self, name: str, k: int) -> NDArray[Any]:
        """Return a section as an array; order 0 has the words."""
        place, kind, length = self.shape.places[name, k]
        return self.data[place : place + length * np.dtype(kind).itemsize].view(kind)

    @cached_property
    def table(self) -> WordTable:
        """The words of the vocabulary."""
        words, ends, slots = (self.section(name, 0) for name in ("words", "ends", "slots"))
        return WordTable(words, ends, slots, self.shape.ngrams[0])

    @cached_property
    def arguments(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint32], NDArray[np.int64], int]:
        """The arguments of compiled functions: bytes, float32 and uint32 views of the buffer, the layout, and the bytes
        of a symbol.

        The layout, (order, 4), has the places of symbol (in bytes), probability, backoff and successors (in entries).
        """
        whole = self.data[: len(self.data) // 4 * 4]
        layout = np.zeros((self.shape.order, 4), dtype=np.int64)
        names = ("symbol", "probability", "backoff", "successors")
        for (name, k), (place, kind, _) in self.shape.places.items():
            if k:
                layout[k - 1, names.index(name)] = place // np.dtype(kind).itemsize
        return self.data, whole.view(np.float32), whole.view(np.uint32), layout, self.shape.width

    def unpack(self) -> BackoffModel:
        """Return the model with its keys, and probabilities as exact as float32 holds their logarithms."""
        keys: list[NDArray[np.int64]] = [np.arange(self.shape.ngrams[0])]
        for k in range(2, self.shape.order + 1):
            symbol = np.zeros((self.shape.ngrams[k - 1], 8), dtype=np.uint8)
            symbol[:, : self.shape.width] = self.section("symbol", k).reshape(-1, self.shape.width)
            starts = self.section("successors", k - 1).astype(np.int64)
            counts = starts[1:] - starts[:-1]
            context = np.repeat(np.arange(len(counts)), counts)
            keys.append(context * self.shape.ngrams[0] + symbol.view("<i8").ravel())
        orders = range(1, self.shape.order + 1)
        probability = [10.0 ** self.section("probability", k).astype(np.float64) for k in orders]
        backoff = [10.0 ** self.section("backoff", k).astype(np.float64) for k in orders[:-1]]
        return BackoffModel(self.shape.ngrams[0], True, keys, probability, backoff)

    def digest(self) -> str:
        """Return the SHA-256 of SAMPLES stretches of the buffer, which is quick to compute whatever its size."""
        digest = hashlib.sha256(str(len(self.data)).encode())
        for place in np.linspace(0, max(len(self.data) - SAMPLE_SIZE, 0), SAMPLES, dtype=np.int64).tolist():
            digest.update(self.data[place : place + SAMPLE_SIZE].tobytes())
        return digest.hexdigest()


def _logarithm(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log10, minus infinity for zero; rounding may exceed 1 in a probability, and not in a weight."""
    with np.errstate(divide="ignore"):
        return np.log10(probability)
