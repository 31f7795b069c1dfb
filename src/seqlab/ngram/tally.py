"""Counts of n-grams by sorting: one sort of packed symbols sorts the n-grams of many orders.

The next symbols of every position are packed into one integer of 63 bits, nine of them for a vocabulary of 87. Sorted,
equal n-grams are neighbours, and so are those that share their first k symbols, for every k. Where an order does not
fit into an integer, the numbers of the n-grams counted so far replace their symbols, and the next sort continues from
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.machine.threads import map_ordered

PARTS_OF_THREAD = 2  # more than one, since they differ in size
BITS = 63  # of a packed n-gram: a signed integer that is not negative


@dataclass(frozen=True)
class Tally:
    """The G different n-grams of one order, sorted by key; arrays of shape (G,).

    An n-gram's number is its place here. Order 1 has a place for every entry of the vocabulary, seen or not.
    """

    key: NDArray[np.int64]  # number of the first k - 1 symbols in the order below * vocabulary size + last symbol
    count: NDArray[np.int64]  # occurrences
    opens: NDArray[np.bool_]  # occurs at the start of a segment, where it has no left neighbour


@dataclass(frozen=True)
class Piece:
    """A stretch of text; the n-grams that start at its first `owned` symbols are counted."""

    symbols: NDArray[Any]  # indices; those after the owned ones belong to the next piece and end n-grams of this one
    owned: int
    opens: bool  # starts where a segment starts


@dataclass(frozen=True)
class _Starts:
    """Start positions of n-grams, and the numbers of the n-grams in the order reached so far."""

    position: NDArray[np.int64]
    number: NDArray[np.int64]
    opening: NDArray[np.int64]  # indices into `position` of starts of segments
    numbers: int  # the count of different numbers


def count_pieces(pieces: Sequence[Piece], order: int, vocabulary: int) -> list[Tally]:
    """Count the n-grams of orders 1 to `order` that start in `pieces`, over indices below `vocabulary`.

    Takes about 50 bytes of memory for each symbol, and three times that above the order that fits into one integer.
    """
    return _count_starts(*_text(pieces, order), order, vocabulary)


def count_stretches(
    symbols: NDArray[Any], lengths: NDArray[np.int64], order: int, vocabulary: int, threads: int = 1
) -> list[Tally]:
    """Count the n-grams of orders 1 to `order` in consecutive segments of `symbols` with these `lengths`.

    Threads count n-grams that begin with different symbols; the result does not depend on how many there are.
    """
    text, starts = _padded(symbols, lengths, lengths, lengths > 0, order)
    if threads == 1 or not len(symbols):
        return _count_starts(text, starts, order, vocabulary)
    frequency = np.cumsum(np.bincount(symbols, minlength=vocabulary))
    shares = np.arange(1, threads * PARTS_OF_THREAD) * frequency[-1] // (threads * PARTS_OF_THREAD)
    borders = np.unique([0, *np.searchsorted(frequency, shares, side="right").tolist(), vocabulary])
    opens = np.zeros(len(starts.position), dtype=bool)
    opens[starts.opening] = True

    def count_part(part: tuple[int, int]) -> list[Tally]:
        is_in_part = (symbols >= part[0]) & (symbols < part[1])
        place = np.flatnonzero(is_in_part)
        opening = np.flatnonzero(opens[place])
        return _count_starts(text, _Starts(starts.position[place], np.zeros_like(place), opening, 1), order, vocabulary)

    parts = list(map_ordered(count_part, pairwise(borders.tolist()), threads))
    return [
        _join_tallies([part[k] for part in parts], [part[k - 1] for part in parts], k, vocabulary) for k in range(order)
    ]


def _join_tallies(parts: Sequence[Tally], contexts: Sequence[Tally], k: int, vocabulary: int) -> Tally:
    """Return the tally of order k + 1 of parts whose n-grams begin with different symbols; `contexts` are the tallies
    of the order below.
    """
    if k == 0:  # all parts have all unigrams
        counts, opens = sum(part.count for part in parts), np.any([part.opens for part in parts], axis=0)
        return Tally(parts[0].key, np.asarray(counts), opens)
    sizes = [len(tally.key) if k > 1 else 0 for tally in contexts]  # unigrams have the same numbers in all parts
    offsets = np.cumsum(sizes) - sizes
    return Tally(
        np.concatenate([part.key + offset * vocabulary for part, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.opens for part in parts]),
    )


def _count_starts(text: NDArray[Any], starts: _Starts, order: int, vocabulary: int) -> list[Tally]:
    width = vocabulary.bit_length()  # of a symbol: 0 stands for the end of the text, so all are one higher
    tallies: list[Tally] = []
    while len(tallies) < order:
        used = (starts.numbers - 1).bit_length()
        digits = min((BITS - used) // width, order - len(tallies))
        packed = _packed(text, starts, len(tallies), digits, width)
        counted, starts = _levels(
            packed, starts, digits, width, vocabulary, dense=not tallies, last=len(tallies) + digits == order
        )
        tallies += counted
    return tallies


def _text(pieces: Sequence[Piece], order: int) -> tuple[NDArray[Any], _Starts]:
    """Join and pad all pieces as `_padded` does."""
    lengths = np.array([len(piece.symbols) for piece in pieces], dtype=np.int64)
    owned = np.array([piece.owned for piece in pieces], dtype=np.int64)
    opens = np.array([piece.opens and piece.owned > 0 for piece in pieces], dtype=bool)
    symbols = [piece.symbols for piece in pieces] or [np.zeros(0)]
    return _padded(np.concatenate(symbols, dtype=np.uint32, casting="unsafe"), lengths, owned, opens, order)


def _padded(
    symbols: NDArray[Any], lengths: NDArray[np.int64], owned: NDArray[np.int64], opens: NDArray[np.bool_], order: int
) -> tuple[NDArray[Any], _Starts]:
    """Raise all symbols by one, and pad each piece with the zeros that an n-gram may read beyond its end."""
    begins = np.cumsum(lengths + order - 1) - (lengths + order - 1)
    text = np.zeros(int((lengths + order - 1).sum()) + order, dtype=np.uint32)
    text[_runs(begins, lengths)] = symbols + np.uint32(1)
    first = np.cumsum(owned) - owned  # of every piece among the positions
    position = _runs(begins, owned)
    return text, _Starts(position, np.zeros(len(position), dtype=np.int64), first[opens], 1)


def _runs(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join the ranges that begin at `begins` and have these `lengths`."""
    return np.arange(int(lengths.sum())) + np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)


def _packed(text: NDArray[Any], starts: _Starts, skip: int, digits: int, width: int) -> NDArray[np.int64]:
    """Pack the number of each start and the `digits` symbols after the first `skip` into one integer."""
    packed = starts.number.copy()
    begin, size = (int(starts.position[0]), len(starts.position)) if len(starts.position) else (0, 0)
    straight = size > 0 and starts.position[-1] - begin + 1 == size  # one stretch of text: a slice is faster
    for j in range(skip, skip + digits):
        packed <<= width
        packed |= text[begin + j : begin + j + size] if straight else text[starts.position + j]
    return packed


def _levels(
    packed: NDArray[np.int64], starts: _Starts, digits: int, width: int, vocabulary: int, dense: bool, last: bool
) -> tuple[list[Tally], _Starts]:
    """Return the tallies of the next `digits` orders, and the starts with their numbers in the highest of them."""
    if last:
        place, ordered = None, np.sort(packed)
    else:
        place = np.argsort(packed)
        ordered = packed[place]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else ordered
    levels = [(ordered[first], np.diff(np.append(first, len(ordered))))]
    successors = []  # of every packed integer of a level, their count in the level before it
    for _ in range(digits - 1):  # from the longest to the shortest
        longer, count = levels[-1]
        shorter = longer >> width
        start = np.flatnonzero(np.diff(shorter, prepend=-1))
        successors.append(np.diff(np.append(start, len(longer))))
        levels.append((shorter[start], np.add.reduceat(count, start) if len(start) else count))
    opening = _distinct(np.sort(packed[starts.opening]))

    tallies: list[Tally] = []
    numbers = np.arange(starts.numbers)  # of the contexts of a level
    for level, (value, count) in enumerate(reversed(levels)):
        symbol = (value & ((1 << width) - 1)) - 1
        whole = symbol >= 0  # the others reach beyond the end of the text
        # The first level of a stage names its contexts by their numbers, the others by the packed integers below.
        context = value >> width if level == 0 else np.repeat(numbers, successors[digits - 1 - level])
        opens = np.zeros(len(value), dtype=bool)
        opens[np.searchsorted(value, _distinct(opening >> (width * (digits - 1 - level))))] = True
        key = context[whole] * vocabulary + symbol[whole]
        counted = Tally(key, count[whole], opens[whole])
        numbers = np.cumsum(whole) - 1
        if dense and level == 0:
            counted, numbers = _dense(counted, vocabulary), symbol
        tallies.append(counted)

    if place is None:
        return tallies, starts
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(ordered))))
    number = np.empty(len(packed), dtype=np.int64)
    number[place] = np.where(whole[group], numbers[group], -1)
    return tallies, _remaining_starts(starts, number, len(tallies[-1].key))


def _distinct(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the different values of a sorted array."""
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _dense(sparse: Tally, vocabulary: int) -> Tally:
    """Return the unigrams with a place for every entry of the vocabulary."""
    dense = Tally(np.arange(vocabulary), np.zeros(vocabulary, dtype=np.int64), np.zeros(vocabulary, dtype=bool))
    dense.count[sparse.key], dense.opens[sparse.key] = sparse.count, sparse.opens
    return dense


def _remaining_starts(starts: _Starts, number: NDArray[np.int64], numbers: int) -> _Starts:
    """Return the starts whose n-grams end within their text."""
    is_inside = number >= 0
    opening = starts.opening[is_inside[starts.opening]]
    return _Starts(starts.position[is_inside], number[is_inside], np.cumsum(is_inside)[opening] - 1, max(numbers, 1))
