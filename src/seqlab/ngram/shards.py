"""Counts of texts larger than memory: counted in parts of bounded size by any number of jobs, merged from disk.

A shard is an equal stretch of the training text. Its job counts block after block and writes a folder of parts, each
with the arrays of its tallies as .npy files. The merge reads all parts order by order and context by context,
memory-mapped, so that both stay below their limit of memory. The result equals `count_ngrams` of the whole text.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, replacing_folder, verified
from seqlab.ngram.counts import OrderCounts, check_countable, suffixes
from seqlab.ngram.tally import Piece, Tally, count_pieces

COUNTING = (120, 30)  # bytes of memory for each symbol of a block, at most: always, and for each order
UNIGRAM = 50  # bytes of memory for each entry of the vocabulary
MERGING = 120  # bytes of memory for each n-gram of a slice of the merge, at most
MEGABYTE = 1 << 20


def parse_shard(name: str) -> tuple[int, int]:
    """Return number and count of shards from a name such as 2-of-3; InputError for another name."""
    match = re.fullmatch(r"([0-9]+)-of-([0-9]+)", name)
    if not match:
        raise InputError(f"shard {name!r} is no name of a shard; write it as 2-of-3")
    return int(match[1]), int(match[2])


def list_pieces(segments: Sequence[NDArray[Any]], order: int, start: int, stop: int) -> list[Piece]:
    """Return the pieces that own the symbols from `start` to `stop` of the joined `segments`."""
    pieces, first = [], 0
    for segment in segments:
        begin, end = max(start - first, 0), min(stop - first, len(segment))
        if begin < end:
            pieces.append(Piece(segment[begin : end + order - 1], end - begin, begin == 0))
        first += len(segment)
    return pieces


def count_shard(
    folder: str | Path,
    segments: Sequence[NDArray[Any]],
    order: int,
    vocabulary: int,
    shard: int,
    shards: int,
    memory_mb: int,
) -> int:
    """Write the parts of shard number `shard` (1 to `shards`) to `folder`, with about `memory_mb` megabytes at most.

    `segments` are arrays of indices below `vocabulary`, best memory-mapped. Returns the number of parts. Raises
    InputError for a shard that does not exist, and as `count_ngrams`.
    """
    check_countable([len(segment) for segment in segments], order, vocabulary)
    if not 1 <= shard <= shards:
        raise InputError(f"shard {shard} of {shards} does not exist; shards are numbered from 1")
    symbols = sum(len(segment) for segment in segments)
    start, stop = ((shard - 1) * symbols // shards, shard * symbols // shards)
    block = max((memory_mb * MEGABYTE - UNIGRAM * vocabulary) // (COUNTING[0] + COUNTING[1] * order), 1)
    parts = max(-(-(stop - start) // block), 1)
    with replacing_folder(folder) as temporary:
        for part in range(parts):
            borders = (start + number * (stop - start) // parts for number in (part, part + 1))
            _write_part(temporary / f"part-{part + 1:06d}", list_pieces(segments, order, *borders), order, vocabulary)
    return parts


def _write_part(folder: Path, pieces: Sequence[Piece], order: int, vocabulary: int) -> None:
    folder.mkdir()
    for k, counted in enumerate(count_pieces(pieces, order, vocabulary), start=1):
        for name in (field.name for field in fields(Tally)):
            np.save(folder / f"{name}_{k}.npy", getattr(counted, name))


def merge_shards(
    output: str | Path, folders: Sequence[str | Path], order: int, vocabulary: int, memory_mb: int
) -> list[int]:
    """Merge the counts of all shards in `folders` into the folder `output`, with about `memory_mb` megabytes at most.

    Returns the number of different n-grams of each order.
    """
    parts = [part for folder in folders for part in sorted(Path(folder).glob("part-*"))]
    if not parts:
        raise InputError(f"there are no parts of counts in {', '.join(map(str, folders))}; count the shards first")
    rows = max(memory_mb * MEGABYTE // MERGING, len(parts))
    sizes, numbers = [vocabulary], [np.arange(vocabulary)] * len(parts)
    with replacing_folder(output) as merged, tempfile.TemporaryDirectory(dir=merged) as scratch:
        _merge_unigrams(parts, merged, vocabulary)
        for k in range(2, order + 1):
            numbers = _merge_order([_tally(part, k) for part in parts], numbers, k, merged, scratch, vocabulary, rows)
            _link(merged, k, vocabulary, rows)
            sizes.append(len(_tally(merged, k).key))
    return sizes


def read_counts(folder: str | Path, order: int, vocabulary: int) -> list[OrderCounts]:
    """Return the tables of orders 1 to `order` in the `folder` that `merge_shards` wrote, memory-mapped.

    Raises InputError where an array is missing or damaged.
    """
    try:
        return [_table(Path(folder), k, vocabulary) for k in range(1, order + 1)]
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, f"it is not a complete set of counts: {error}") from None


def _array(folder: Path, name: str, k: int) -> NDArray[Any]:
    path = verified(folder / f"{name}_{k}.npy")
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)  # slices of a plain array cost less


def _tally(folder: Path, k: int) -> Tally:
    return Tally(*(_array(folder, field.name, k) for field in fields(Tally)))


def _table(folder: Path, k: int, vocabulary: int) -> OrderCounts:
    counted = _tally(folder, k)
    return OrderCounts(counted.key, counted.count, counted.opens, _array(folder, "suffix", k), vocabulary)


def _merge_unigrams(parts: Sequence[Path], merged: Path, vocabulary: int) -> None:
    """Add up the unigrams, of which every part has all."""
    count, opens = np.zeros(vocabulary, dtype=np.int64), np.zeros(vocabulary, dtype=bool)
    for part in parts:
        unigrams = _tally(part, 1)
        count += unigrams.count
        opens |= unigrams.opens
    arrays = {"key": np.arange(vocabulary), "count": count, "opens": opens, "suffix": np.zeros_like(count)}
    for name, array in arrays.items():
        np.save(merged / f"{name}_1.npy", array)


def _merge_order(
    tallies: Sequence[Tally],
    contexts: Sequence[NDArray[np.int64]],
    k: int,
    merged: Path,
    scratch: str,
    vocabulary: int,
    rows: int,
) -> list[NDArray[np.int64]]:
    """Merge the n-grams of order k, at least 2; returns for every part the merged numbers of its n-grams.

    `contexts` are those numbers of the order below. The merged keys keep the order of the keys of each part.
    """
    names = [Path(scratch) / f"numbers_{k}_{part}.npy" for part in range(len(tallies))]
    with (
        _Growing(merged / f"key_{k}.npy", np.int64) as key,
        _Growing(merged / f"count_{k}.npy", np.int64) as count,
        _Growing(merged / f"opens_{k}.npy", np.bool_) as opens,
    ):
        for ranges in _slices(tallies, contexts, vocabulary, rows):
            part_keys = []
            for counted, context, (start, stop) in zip(tallies, contexts, ranges, strict=True):
                above, symbol = np.divmod(counted.key[start:stop], vocabulary)
                part_keys.append(context[above] * vocabulary + symbol)
            merged_keys, number = np.unique(np.concatenate(part_keys), return_inverse=True)
            number += key.length
            first = 0
            times, opening = np.zeros(len(merged_keys), dtype=np.int64), np.zeros(len(merged_keys), dtype=bool)
            for counted, name, (start, stop) in zip(tallies, names, ranges, strict=True):
                part_numbers = number[first : first + stop - start]
                first += stop - start
                times[part_numbers - key.length] += counted.count[start:stop]  # n-grams of a part differ
                opening[part_numbers - key.length] |= counted.opens[start:stop]
                with name.open("ab") as file:
                    part_numbers.tofile(file)
            key.append(merged_keys)
            count.append(times)
            opens.append(opening)
    return [_mapped(name, len(counted.key)) for name, counted in zip(names, tallies, strict=True)]


def _mapped(path: Path, length: int) -> NDArray[np.int64]:
    if not length:
        return np.zeros(0, dtype=np.int64)
    return np.memmap(path, dtype=np.int64, mode="r", shape=(length,)).view(np.ndarray)


def _slices(
    tallies: Sequence[Tally], contexts: Sequence[NDArray[np.int64]], vocabulary: int, rows: int
) -> Iterator[list[tuple[int, int]]]:
    """Yield ranges of the n-grams of each part with the same contexts, of about `rows` n-grams in total."""
    step = max(rows // len(tallies), 1)
    starts = [0] * len(tallies)
    sizes = [len(part.key) for part in tallies]
    while any(start < size for start, size in zip(starts, sizes, strict=True)):
        reached = [
            int(context[part.key[start + step] // vocabulary])
            for part, context, start, size in zip(tallies, contexts, starts, sizes, strict=True)
            if start + step < size
        ]
        stops = sizes
        if reached:
            stops = _before(tallies, contexts, vocabulary, min(reached))
            if stops == starts:  # a single context has more successors than a slice should hold
                stops = _before(tallies, contexts, vocabulary, min(reached) + 1)
        yield list(zip(starts, stops, strict=True))
        starts = stops


def _before(tallies: Sequence[Tally], contexts: Sequence[NDArray[np.int64]], vocabulary: int, border: int) -> list[int]:
    """Count the n-grams of each part whose context has a merged number below `border`."""
    return [
        int(np.searchsorted(part.key, np.searchsorted(context, border) * vocabulary))
        for part, context in zip(tallies, contexts, strict=True)
    ]


def _link(merged: Path, k: int, vocabulary: int, rows: int) -> None:
    key = _array(merged, "key", k)
    shorter = _table(merged, k - 1, vocabulary)
    with _Growing(merged / f"suffix_{k}.npy", np.int64) as suffix:
        for first in range(0, len(key), rows):
            suffix.append(suffixes(key[first : first + rows], shorter, vocabulary))


class _Growing:
    """A one-dimensional .npy file whose length is known after the last write."""

    def __init__(self, path: Path, dtype: Any) -> None:
        self.file, self.dtype, self.length = path.open("wb"), np.dtype(dtype), 0

    def __enter__(self) -> Self:
        self._write_header()
        return self

    def append(self, array: NDArray[Any]) -> None:
        """Append an array, (n,)."""
        array.astype(self.dtype, copy=False).tofile(self.file)
        self.length += len(array)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.seek(0)
        self._write_header()  # numpy reserves space for any length
        self.file.close()

    def _write_header(self) -> None:
        header = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": (self.length,)}
        np.lib.format.write_array_header_1_0(self.file, header)
