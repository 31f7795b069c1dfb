"""Counts of n-grams against counting with a dictionary."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ngram.counts import OrderCounts, continuation_counts, count_ngrams

VOCABULARY = 5
LINE_START, LINE_END = 1, 2

Ngram = tuple[int, ...]
orders = st.integers(1, 8)
streams = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=30), max_size=4)
lines = st.lists(
    st.lists(st.sampled_from([0, 3, 4]), max_size=8).map(lambda line: [LINE_START, *line, LINE_END]), max_size=6
)


def arrays(segments: Sequence[Sequence[int]]) -> list[np.ndarray]:
    return [np.array(segment, dtype=np.uint8) for segment in segments]


def with_room_for(segments: list[list[int]], order: int) -> list[list[int]]:
    """`segments` and one more that is long enough for an n-gram of `order`."""
    return [*segments, [LINE_START, *[3] * max(order - 2, 0), LINE_END]]


def ngrams_of(tables: Sequence[OrderCounts], vocabulary: int) -> list[list[Ngram]]:
    """The n-grams of every table as tuples of symbols, read from the keys."""
    rows = [[(symbol,) for symbol in range(vocabulary)]]
    for table in tables[1:]:
        keys = zip(table.context, table.key % vocabulary, strict=True)
        rows.append([(*rows[-1][context], int(symbol)) for context, symbol in keys])
    return rows


def brute_counts(segments: Sequence[Sequence[int]], order: int) -> Counter[Ngram]:
    return Counter(
        tuple(segment[start : start + order]) for segment in segments for start in range(len(segment) - order + 1)
    )


def left_neighbours(segments: Sequence[Sequence[int]], ngram: Ngram) -> set[int]:
    return {longer[0] for longer in brute_counts(segments, len(ngram) + 1) if longer[1:] == ngram}


def opens_a_segment(segments: Sequence[Sequence[int]], ngram: Ngram) -> bool:
    return any(tuple(segment[: len(ngram)]) == ngram for segment in segments)


@given(streams, orders)
def test_counts_are_those_of_a_dictionary(segments, order):
    segments = with_room_for(segments, order)
    tables = count_ngrams(arrays(segments), order, VOCABULARY)
    assert len(tables) == order
    for k, (table, ngrams) in enumerate(zip(tables, ngrams_of(tables, VOCABULARY), strict=True), start=1):
        found = {ngram: int(count) for ngram, count in zip(ngrams, table.count, strict=True) if k > 1 or count}
        assert found == brute_counts(segments, k)


@given(streams, orders)
def test_keys_are_sorted_so_that_they_can_be_searched(segments, order):
    for table in count_ngrams(arrays(with_room_for(segments, order)), order, VOCABULARY):
        assert (np.diff(table.key) > 0).all()


@given(streams, orders)
def test_suffix_is_the_ngram_without_its_first_symbol(segments, order):
    tables = count_ngrams(arrays(with_room_for(segments, order)), order, VOCABULARY)
    rows = ngrams_of(tables, VOCABULARY)
    for k in range(1, order):
        assert [rows[k - 1][suffix] for suffix in tables[k].suffix] == [ngram[1:] for ngram in rows[k]]


@given(streams, orders)
def test_opens_marks_what_stands_at_the_start_of_a_segment(segments, order):
    segments = with_room_for(segments, order)
    tables = count_ngrams(arrays(segments), order, VOCABULARY)
    for table, ngrams in zip(tables, ngrams_of(tables, VOCABULARY), strict=True):
        assert table.opens.tolist() == [opens_a_segment(segments, ngram) for ngram in ngrams]


@given(streams, orders)
def test_continuation_counts_of_a_stream(segments, order):
    segments = with_room_for(segments, order)
    tables = count_ngrams(arrays(segments), order, VOCABULARY)
    adjusted = continuation_counts(tables, lines=False)
    for counts, ngrams in zip(adjusted[:-1], ngrams_of(tables, VOCABULARY), strict=False):
        expected = [len(left_neighbours(segments, ngram)) + opens_a_segment(segments, ngram) for ngram in ngrams]
        assert counts.tolist() == expected
    assert adjusted[-1].tolist() == tables[-1].count.tolist()


@given(lines, orders)
def test_continuation_counts_of_lines(segments, order):
    segments = with_room_for(segments, order)
    tables = count_ngrams(arrays(segments), order, VOCABULARY)
    adjusted = continuation_counts(tables, lines=True)
    for k, (counts, ngrams) in enumerate(zip(adjusted, ngrams_of(tables, VOCABULARY), strict=True), start=1):
        occurrences = brute_counts(segments, k)
        for count, ngram in zip(counts, ngrams, strict=True):
            keeps_count = k == order or ngram[0] == LINE_START
            assert count == (occurrences[ngram] if keeps_count else len(left_neighbours(segments, ngram)))


@given(streams, orders)
def test_no_ngram_seen_in_a_stream_has_a_continuation_count_of_zero(segments, order):
    tables = count_ngrams(arrays(with_room_for(segments, order)), order, VOCABULARY)
    for table, counts in zip(tables, continuation_counts(tables, lines=False), strict=True):
        assert ((counts > 0) == (table.count > 0)).all()


def test_nothing_crosses_a_segment_border():
    tables = count_ngrams(arrays([[1, 2], [3, 1]]), 2, VOCABULARY)
    assert ngrams_of(tables, VOCABULARY)[1] == [(1, 2), (3, 1)]


def test_empty_and_short_segments_count_what_they_have():
    tables = count_ngrams(arrays([[], [1], [1, 2, 3], []]), 3, VOCABULARY)
    assert [table.count.sum() for table in tables] == [4, 2, 1]


def test_high_orders_need_no_wider_numbers():
    symbols = np.random.default_rng(1).integers(0, 50_000, 300)
    tables = count_ngrams([symbols], 20, 50_000)
    assert ngrams_of(tables, 50_000)[-1] == sorted(tuple(symbols[start : start + 20].tolist()) for start in range(281))


@given(streams, orders, st.integers(10, 40))
def test_counts_do_not_depend_on_how_many_symbols_fit_into_an_integer(segments, order, bits):
    segments = arrays(with_room_for(segments, order))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqlab.ngram.tally.BITS", bits)
        narrow = count_ngrams(segments, order, VOCABULARY)
    for one, other in zip(narrow, count_ngrams(segments, order, VOCABULARY), strict=True):
        for name in ("key", "count", "opens", "suffix"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("order", [0, -3])
def test_an_order_below_one_is_refused(order):
    with pytest.raises(InputError, match=f"order is {order};"):
        count_ngrams(arrays([[1, 2, 3]]), order, VOCABULARY)


@pytest.mark.parametrize("segments", [[[1, 2, 3]], [[1, 2, 3], [1, 2, 3]], [[1], [1, 2, 3]]])
def test_a_text_shorter_than_the_order_is_refused(segments):
    with pytest.raises(InputError, match=r"has 3 symbols, fewer than an n-gram of order 4"):
        count_ngrams(arrays(segments), 4, VOCABULARY)


def test_no_text_at_all_is_refused():
    with pytest.raises(InputError, match="has 0 symbols"):
        count_ngrams([], 1, VOCABULARY)


def test_a_vocabulary_of_one_is_refused():
    with pytest.raises(InputError, match="the vocabulary has 1 entry"):
        count_ngrams(arrays([[0, 0, 0]]), 2, 1)
