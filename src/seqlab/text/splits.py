"""Splits of a text into train, valid and test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError, quote
from seqlab.io.files import damaged, read_json, verified
from seqlab.io.runs import SPLIT_NAMES
from seqlab.io.schemas import check, read_schema
from seqlab.text.bpe import BytePairs, Merge
from seqlab.text.tokens import BYTE_UNITS, join_tokens, to_bytes, tokenize

FILES_KIND = "files"  # the kind of split of a text with a file for each split
SEPARATOR = "\x1c"  # between the joined files of such a text; the file separator of ASCII


Segments = dict[str, list[list[int]]]  # half-open ranges of each split


def cut_text(text: str, unit: str, split: dict[str, Any], merges: Sequence[Merge] = ()) -> tuple[list[str], Segments]:
    """Cut a clean text: return its tokens and the ranges of train, valid and test among them (docs/splits.md).

    Pieces of unit bpe, of `merges`, are split where characters are: no piece crosses a border. Raises InputError as
    `divide_text` and, for the kind files, unless there are three texts of two symbols.
    """
    if unit == "bpe":
        return _cut_again(*cut_text(text, "char", split), unit, merges)
    parts = tokenize_parts(text, unit, split.get("kind", "contiguous"))
    tokens = [token for part in parts for token in part]
    if split.get("kind") != FILES_KIND:
        return tokens, divide_text(len(tokens), split, unit)
    if len(parts) != len(SPLIT_NAMES):
        raise InputError(
            f"split.kind is files, but the text has {len(parts)} files; name {', '.join(SPLIT_NAMES)} in its block of "
            "config/corpora.yaml, or choose another split.kind"
        )
    segments, start = {}, 0
    for name, part in zip(SPLIT_NAMES, parts, strict=True):
        if len(part) < 2:
            raise InputError(f"the {name} file has {len(part)} symbols; it needs one of context and one to score")
        segments[name] = [[start, start + len(part)]]
        start += len(part)
    return tokens, segments


def _cut_again(
    characters: list[str], segments: Segments, unit: str, merges: Sequence[Merge]
) -> tuple[list[str], Segments]:
    """Tokenise every segment separately; return the tokens and their ranges."""
    tokens: list[str] = []
    ranges_of: Segments = {name: [] for name in segments}
    for start, stop, name in sorted((start, stop, name) for name, ranges in segments.items() for start, stop in ranges):
        pieces = tokenize("".join(characters[start:stop]), unit, merges)
        if len(pieces) < 2:
            raise InputError(
                f"a segment of {name} has a single piece of unit {unit}; use a longer text or fewer merges"
            )
        ranges_of[name].append([len(tokens), len(tokens) + len(pieces)])
        tokens += pieces
    return tokens, ranges_of


def learn_pieces(text: str, split: dict[str, Any], merges: int) -> tuple[list[str], Sequence[Merge]]:
    """Learn the pieces of unit bpe, and at most `merges` merges, from the train split of `text` alone."""
    characters, segments = cut_text(text, "char", split)
    train = ["".join(characters[start:stop]) for start, stop in segments["train"]]
    pairs = BytePairs.learn(train, merges)
    return pairs.vocabulary(train), pairs.merges


def tokenize_parts(text: str, unit: str, kind: str) -> list[list[str]]:
    """Tokenise the files of a clean text: three for the kind of split files, one for the others."""
    return [tokenize(part, unit) for part in (text.split(SEPARATOR) if kind == FILES_KIND else [text])]


def check_preparation(preparation: dict[str, Any], unit: str) -> None:
    """Raise InputError for the first invalid key of `preparation`, the settings of a cut into `unit`s."""
    check(preparation, read_schema("preparation"), "--preparation:")
    if unit == "bpe" and "merges" not in preparation:
        raise InputError("--preparation: key 'merges' is missing; add it")


def divide_text(symbols: int, split: dict[str, Any], unit: str = "char") -> Segments:
    """Return half-open ranges of train, valid and test in one text of `symbols` symbols of `unit`; `split` holds the
    kind and its keys.

    Raises InputError where the shares are not positive or do not add up to 1, or the text is too short to give every
    split two symbols (one of context and one to score).
    """
    shares = {name: split[name] for name in SPLIT_NAMES}
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) <= 0:
        raise InputError(f"split is {shares}; train, valid and test must be positive and add up to 1")
    kind = split.get("kind", "contiguous")
    if kind not in SPLIT_KINDS:
        raise InputError(f"split.kind is {kind!r}; allowed are {', '.join([*SPLIT_KINDS, FILES_KIND])}")
    segments = SPLIT_KINDS[kind](symbols, split)
    if min(stop - start for ranges in segments.values() for start, stop in ranges) < 2:
        remedy = "; without blanks between words, take the unit char, byte or bpe" if unit == "word" else ""
        shortage = f"the text has only {symbols} symbols, too few for a train, valid and test split of {shares}"
        raise InputError(shortage + remedy)
    return segments


def split_contiguously(symbols: int, split: dict[str, Any]) -> Segments:
    """Split a text into three ranges: train, valid, test.

    |------------- train -------------|-- valid --|-- test --|
    """
    first = int(symbols * split["train"] + 1e-9)
    second = int(symbols * (split["train"] + split["valid"]) + 1e-9)
    return {"train": [[0, first]], "valid": [[first, second]], "test": [[second, symbols]]}


def split_into_streams(symbols: int, split: dict[str, Any]) -> Segments:
    """Split a text as char-rnn does (Karpathy, Johnson & Li 2015): parallel streams, each cut along time.

    stream 1  |------- train -------|- valid -|- test -|
    stream 2  |------- train -------|- valid -|- test -|      one stream begins where the one before ends
    ...

    The text is cut to a multiple of `streams` times `block` symbols; whole blocks go to train and valid by their shares
    rounded down, the rest to test.
    """
    streams, block = split["streams"], split["block"]
    blocks = symbols // (streams * block)
    train, valid = int(blocks * split["train"] + 1e-9), int(blocks * split["valid"] + 1e-9)
    if min(train, valid, blocks - train - valid) < 1:
        raise InputError(
            f"the text has only {symbols} symbols, too few for {streams} streams of blocks of {block}; "
            "use a longer text or smaller split.streams and split.block"
        )
    borders = {"train": (0, train), "valid": (train, train + valid), "test": (train + valid, blocks)}
    starts = [stream * blocks * block for stream in range(streams)]
    return {
        name: [[start + first * block, start + last * block] for start in starts]
        for name, (first, last) in borders.items()
    }


SPLIT_KINDS = {"contiguous": split_contiguously, "char_rnn_streams": split_into_streams}


def describe_splits(
    kind: str, segments: Segments, ids: NDArray[np.unsignedinteger], tokens: Sequence[str], unit: str
) -> dict[str, Any]:
    """Return the content of splits.json for `segments` of a text with these `ids` and `tokens`.

    The blank before a word counts, in characters and in bytes; a byte that begins no character counts as no character.
    `words` counts stretches without white space, those cut by the borders of a segment included.
    """
    if unit in BYTE_UNITS:
        size = np.array([len(token) for token in tokens], dtype=np.int64)
        begins = (np.frombuffer(to_bytes(tokens, unit), dtype=np.uint8) & 0xC0) != 0x80
        characters = np.add.reduceat(begins.astype(np.int64), np.cumsum(size) - size)
    else:
        blank = int(unit == "word")
        characters = np.array([len(token) for token in tokens], dtype=np.int64) + blank
        size = np.array([len(token.encode("utf-8")) for token in tokens], dtype=np.int64) + blank
    described = {}
    for name, ranges in segments.items():
        scored = np.concatenate([np.arange(start + 1, stop) for start, stop in ranges])
        described[name] = {
            "segments": ranges,
            "symbols": int(sum(stop - start for start, stop in ranges)),
            "scored": len(scored),
            "unknown": int((ids[scored] == 0).sum()),
            "characters": int(characters[scored].sum()),
            "bytes": int(size[scored].sum()),
            "words": sum(_words(tokens[start + 1 : stop], unit) for start, stop in ranges),
        }
    return {"kind": kind, "symbols": len(ids), "splits": described}


def _words(tokens: Sequence[str], unit: str) -> int:
    """Count the stretches without white space in `tokens`, whole or in part; at least one, since it is a divisor."""
    return max(1, len(join_tokens(tokens, unit).split()))


def read_splits(path: str | Path) -> dict[str, Any]:
    """Read splits.json; InputError where it lacks a split, or a split lies outside the text."""
    splits = read_json(path, "splits")
    for name, split in splits["splits"].items():
        if not all(start < stop <= splits["symbols"] for start, stop in split["segments"]):
            raise damaged(
                path, f"its split {name} has the segments {quote(split['segments'])} of {splits['symbols']} symbols"
            )
    return splits


def segments_of(ids: NDArray[Any], splits: dict[str, Any], name: str) -> list[NDArray[Any]]:
    """Return the segments of the split `name`, each (symbols,); no prediction crosses their borders."""
    return [ids[start:stop] for start, stop in splits["splits"][name]["segments"]]


def read_segments(ids_path: str | Path, splits_path: str | Path) -> dict[str, list[NDArray[Any]]]:
    """Read the segments of each split, by name, memory-mapped; InputError as `read_splits` and `read_ids`."""
    splits = read_splits(splits_path)
    ids = read_ids(ids_path, splits)
    return {name: segments_of(ids, splits, name) for name in SPLIT_NAMES}


def read_ids(path: str | Path, splits: dict[str, Any]) -> NDArray[Any]:
    """Read the ids in `path`, (symbols,), memory-mapped; InputError where the file is damaged or of other splits."""
    try:
        ids: NDArray[Any] = np.load(verified(path), mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        raise damaged(path, "it is not an array of numbers") from None
    if not np.issubdtype(ids.dtype, np.integer):
        raise damaged(path, f"it holds {ids.dtype}")
    if ids.ndim != 1 or len(ids) != splits["symbols"]:
        raise damaged(path, f"it holds {ids.size} symbols, and splits.json beside it has {splits['symbols']}")
    return ids
