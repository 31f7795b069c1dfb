"""Counts of the n-grams of all orders up to n, as arrays.

The n-grams of order k are numbered by their rank among all keys (context, symbol), where the context is the number of
the first k - 1 symbols in the table of order k - 1. So a key is one integer whatever the order, there is no limit to
the order, and an n-gram is found by one binary search per order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.machine.threads import map_ordered
from seqlab.ngram.tally import Piece, Tally, count_pieces, count_stretches


@dataclass(frozen=True)
class OrderCounts(Tally):
    """The G different n-grams of one order, sorted by key. All arrays have shape (G,)."""

    suffix: NDArray[np.int64]  # number of the last k - 1 symbols in the order below
    vocabulary: int

    @property
    def context(self) -> NDArray[np.int64]:
        """The number of the first k - 1 symbols in the order below."""
        return self.key // self.vocabulary


def count_ngrams(segments: Sequence[NDArray[Any]], order: int, vocabulary: int) -> list[OrderCounts]:
    """Count the n-grams of orders 1 to `order` in `segments`, arrays (symbols,) of indices below `vocabulary`; no
    n-gram crosses a segment border.

    The table of order 1 is dense: it has a row for every vocabulary entry, seen or not. Raises InputError for an order
    below 1, a vocabulary of fewer than two entries, or a text shorter than the order.
    """
    check_countable([len(segment) for segment in segments], order, vocabulary)
    pieces = [Piece(np.asarray(segment), len(segment), True) for segment in segments]
    return link_tables(count_pieces(pieces, order, vocabulary), vocabulary)


def count_lines(
    symbols: NDArray[Any], starts: NDArray[Any], order: int, vocabulary: int, threads: int
) -> list[OrderCounts]:
    """Count as `count_ngrams` in segments of `symbols`, (symbols,), that begin at the places `starts`."""
    lengths = np.diff(starts, append=len(symbols)).astype(np.int64)
    check_countable(lengths.tolist(), order, vocabulary)
    return link_tables(count_stretches(symbols, lengths, order, vocabulary, threads), vocabulary, threads)


def check_countable(lengths: Sequence[int], order: int, vocabulary: int) -> None:
    """Raise InputError where segments of these `lengths` hold no n-grams of `order`, or too few for a model."""
    if order < 1:
        raise InputError(f"n-gram order is {order}; it must be at least 1")
    if vocabulary < 2:
        raise InputError(f"the vocabulary has {vocabulary} entry; a model needs at least two symbols to choose from")
    if (longest := max(lengths, default=0)) < order:
        raise InputError(f"the training text has {longest} symbols, fewer than an n-gram of order {order}")


def link_tables(tallies: Sequence[Tally], vocabulary: int, threads: int = 1) -> list[OrderCounts]:
    """Return the tables with the number of the last k - 1 symbols of every n-gram."""
    tables: list[OrderCounts] = []
    for counted in tallies:
        suffix = np.zeros(vocabulary, dtype=np.int64)
        if tables:
            parts = np.array_split(counted.key, threads)
            suffix = np.concatenate(
                list(map_ordered(partial(suffixes, shorter=tables[-1], vocabulary=vocabulary), parts, threads))
            )
        tables.append(OrderCounts(counted.key, counted.count, counted.opens, suffix, vocabulary))
    return tables


def suffixes(key: NDArray[np.int64], shorter: OrderCounts, vocabulary: int) -> NDArray[np.int64]:
    """Numbers in `shorter` of the last k - 1 symbols of n-grams of order k, shape as `key`; all are there."""
    context, symbol = np.divmod(key, vocabulary)
    suffix_key = shorter.suffix[context] * vocabulary + symbol
    # Searched in the order of their highest 16 bits, which numpy sorts by radix: neighbours share cache lines.
    highest = len(shorter.key) * vocabulary
    order = np.argsort((suffix_key >> max(highest.bit_length() - 16, 0)).astype(np.uint16), kind="stable")
    number = np.empty_like(suffix_key)
    number[order] = np.searchsorted(shorter.key, suffix_key[order])
    return number


def continuation_counts(tables: Sequence[OrderCounts], lines: bool) -> list[NDArray[np.int64]]:
    """Adjusted counts of Kneser-Ney: below the highest order, the number of different left neighbours of an n-gram.

    In a stream (`lines` false) the start of a segment counts as one more left neighbour, so that no n-gram seen has
    count zero. With lines, whose segments open with `<s>`, an n-gram that opens a line keeps its number of occurrences,
    as KenLM and SRILM do (Heafield 2013, section 3.3; Chen & Goodman 1998, section 3).
    """
    adjusted = []
    for table, longer in pairwise(tables):
        neighbours = np.bincount(longer.suffix, minlength=len(table.key))
        adjusted.append(np.where(table.opens, table.count, neighbours) if lines else neighbours + table.opens)
    return [*adjusted, tables[-1].count]
