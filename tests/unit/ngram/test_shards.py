"""Counts of a text cut into shards and blocks, against counting it in one go."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.ngram import shards as module
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.shards import count_shard, list_pieces, merge_shards, read_counts

VOCABULARY = 5
streams = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=40), max_size=4)


def in_shards(folder, segments, order, vocabulary, shards, memory_mb=100):
    folders = [folder / f"{shard}-of-{shards}" for shard in range(1, shards + 1)]
    for shard, place in enumerate(folders, start=1):
        count_shard(place, segments, order, vocabulary, shard, shards, memory_mb)
    sizes = merge_shards(folder / "merged", folders, order, vocabulary, memory_mb)
    tables = read_counts(folder / "merged", order, vocabulary)
    assert sizes == [len(table.key) for table in tables]
    return tables


def assert_same(tables, others):
    assert len(tables) == len(others)
    for table, other in zip(tables, others, strict=True):
        for name in ("key", "count", "opens", "suffix"):
            np.testing.assert_array_equal(getattr(table, name), getattr(other, name), err_msg=name)


@settings(max_examples=40)
@given(streams, st.integers(1, 6), st.sampled_from([1, 3, 7]), st.integers(1, 30), st.integers(1, 30))
def test_shards_and_blocks_of_any_size_give_the_same_counts(tmp_path_factory, segments, order, shards, block, rows):
    segments = [np.array(segment, dtype=np.uint8) for segment in [*segments, [1, *[3] * 6]]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COUNTING", (module.MEGABYTE // block, 0))  # so that one megabyte holds so few symbols
        patch.setattr(module, "UNIGRAM", 0)
        patch.setattr(module, "MERGING", module.MEGABYTE // rows)
        tables = in_shards(tmp_path_factory.mktemp("counts"), segments, order, VOCABULARY, shards, memory_mb=1)
    assert_same(tables, count_ngrams(segments, order, VOCABULARY))


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_a_longer_text_has_the_same_counts_in_shards(tmp_path, shards):
    symbols = (np.random.default_rng(1).zipf(1.3, 20_000) % 300).astype(np.uint16)
    tables = in_shards(tmp_path, [symbols], 12, 300, shards)
    assert_same(tables, count_ngrams([symbols], 12, 300))


@pytest.mark.parametrize(("order", "vocabulary"), [(2, 60_000), (5, 60_000), (5, 80), (12, 80)])
def test_no_more_memory_is_used_than_allowed(tmp_path, order, vocabulary):
    symbols = np.random.default_rng(1).integers(0, vocabulary, 200_000).astype(np.uint16)  # next to no n-gram twice
    in_shards(tmp_path / "few", [symbols[:50]], order, vocabulary, 1)  # modules are imported before memory is measured
    tracemalloc.start()
    count_shard(tmp_path / "1-of-1", [symbols], order, vocabulary, 1, 1, memory_mb=12)
    counting = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    merge_shards(tmp_path / "merged", [tmp_path / "1-of-1"], order, vocabulary, memory_mb=12)
    merging = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(list((tmp_path / "1-of-1").iterdir())) > 2
    assert max(counting, merging) < 12 * 2**20


def test_every_symbol_is_owned_once():
    segments = [np.arange(7), np.arange(0), np.arange(5)]
    pieces = [piece for start in range(12) for piece in list_pieces(segments, 3, start, start + 1)]
    assert [int(piece.symbols[0]) for piece in pieces] == [*range(7), *range(5)]
    assert [piece.opens for piece in pieces] == [True] + [False] * 6 + [True] + [False] * 4
    assert [len(piece.symbols) for piece in pieces] == [3, 3, 3, 3, 3, 2, 1, 3, 3, 3, 2, 1]


def test_more_shards_than_symbols_do_no_harm(tmp_path):
    segments = [np.array([1, 2, 1], dtype=np.uint8)]
    assert_same(in_shards(tmp_path, segments, 2, 3, 7), count_ngrams(segments, 2, 3))


def test_a_shard_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(InputError, match="shard 4 of 3 does not exist"):
        count_shard(tmp_path / "counts", [np.array([1, 2, 1])], 2, 3, 4, 3, 1)
    assert not list(tmp_path.iterdir())


def test_damaged_counts_are_refused(tmp_path):
    in_shards(tmp_path, [np.array([1, 2, 1, 2])], 2, 3, 1)
    (tmp_path / "merged/key_2.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"merged/key_2\.npy is damaged \(its SHA-256"):
        read_counts(tmp_path / "merged", 2, 3)
