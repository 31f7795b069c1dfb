"""How often every n-gram of every order up to n occurs, as arrays.

The n-grams of order k are numbered by their rank among all keys (context, symbol), where the context is the number of
the first k - 1 symbols in the table of order k - 1. So a key is one integer whatever the order, there is no limit to
the order,
and an n-gram is found by one binary search per order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError


@dataclass(frozen=True)
class OrderCounts:
    """The G different n-grams of one order, sorted by key. All arrays have shape (G,)."""

    key: NDArray[np.int64]  # context * vocabulary size + last symbol
    context: NDArray[np.int64]  # number of the first k - 1 symbols in the order below
    suffix: NDArray[np.int64]  # number of the last k - 1 symbols in the order below
    count: NDArray[np.int64]  # occurrences
    opens: NDArray[np.bool_]  # occurs at the start of a segment, where it has no left neighbour


def count_ngrams(segments: Sequence[NDArray[Any]], order: int, vocabulary: int) -> list[OrderCounts]:
    """Counts for orders 1 to `order` in `segments`, arrays of indices below `vocabulary`; no n-gram crosses a segment
    border.

    The table of order 1 is dense: it has a row for every vocabulary entry, seen or not.
    Raises InputError for an order below 1, a vocabulary of fewer than two entries, or a text shorter than the order.
    """
    if order < 1:
        raise InputError(f"n-gram order is {order}; it must be at least 1")
    if vocabulary < 2:
        raise InputError(f"the vocabulary has {vocabulary} entry; a model needs at least two symbols to choose from")
    lengths = np.array([len(segment) for segment in segments], dtype=np.int64)
    if lengths.max(initial=0) < order:
        raise InputError(
            f"the training text has {lengths.max(initial=0)} symbols, fewer than an n-gram of order {order}"
        )
    symbols = np.concatenate([np.asarray(segment, dtype=np.int64) for segment in segments])
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    left = np.repeat(first + lengths, lengths) - np.arange(len(symbols))  # symbols from here to the segment's end

    tables = [_unigrams(symbols, first[lengths > 0], vocabulary)]
    number = symbols  # of the n-gram of the current order that starts at each position
    for k in range(2, order + 1):
        number = np.where(left >= k - 1, number, -1)
        table, number = _longer(
            tables[-1], number, symbols, np.flatnonzero(left >= k), first[lengths >= k], k, vocabulary
        )
        tables.append(table)
    return tables


def _unigrams(symbols: NDArray[np.int64], first: NDArray[np.int64], vocabulary: int) -> OrderCounts:
    opens = np.zeros(vocabulary, dtype=bool)
    opens[symbols[first]] = True
    empty = np.zeros(vocabulary, dtype=np.int64)
    return OrderCounts(np.arange(vocabulary), empty, empty, np.bincount(symbols, minlength=vocabulary), opens)


def _longer(
    shorter: OrderCounts,
    number: NDArray[np.int64],
    symbols: NDArray[np.int64],
    positions: NDArray[np.int64],
    first: NDArray[np.int64],
    k: int,
    vocabulary: int,
) -> tuple[OrderCounts, NDArray[np.int64]]:
    """The table of order k, and for each position the number of the n-gram of order k that starts there (-1 for
    none).
    """
    keys = number[positions] * vocabulary + symbols[positions + k - 1]
    key, where, rank, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    longer = np.full(len(symbols), -1, dtype=np.int64)
    longer[positions] = rank
    opens = np.zeros(len(key), dtype=bool)
    opens[longer[first]] = True
    return OrderCounts(key, key // vocabulary, number[positions[where] + 1], count, opens), longer


def continuation_counts(tables: Sequence[OrderCounts], lines: bool) -> list[NDArray[np.int64]]:
    """The adjusted counts of Kneser-Ney: below the highest order, how many different symbols stand to the left of an
    n-gram.

    In a stream (`lines` false) the start of a segment counts as one more left neighbour, so that no n-gram seen has
    count zero. With
    lines, whose segments open with `<s>`, an n-gram that opens a line keeps its number of occurrences, as KenLM
    and SRILM do (Heafield 2013, section 3.3; Chen & Goodman 1998, section 3).
    """
    adjusted = []
    for table, longer in pairwise(tables):
        neighbours = np.bincount(longer.suffix, minlength=len(table.key))
        adjusted.append(np.where(table.opens, table.count, neighbours) if lines else neighbours + table.opens)
    return [*adjusted, tables[-1].count]
