"""Where train, valid and test lie in a text."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError
from seqlab.files import read_json

NAMES = ("train", "valid", "test")


def contiguous(symbols: int, fractions: dict[str, float]) -> dict[str, list[list[int]]]:
    """Half-open ranges of `symbols` consecutive symbols: train first, then valid, then test.

        |------------- train -------------|-- valid --|-- test --|

    `fractions` names the share of each. Raises InputError where a share is not positive, they do not add up to 1, or
    the text is
    too short to give every split two symbols (one of context and one to score).
    """
    total = sum(fractions[name] for name in NAMES)
    if abs(total - 1) > 1e-9 or min(fractions[name] for name in NAMES) <= 0:
        raise InputError(f"split is {fractions}; train, valid and test must be positive and add up to 1")
    first = int(symbols * fractions["train"] + 1e-9)
    second = int(symbols * (fractions["train"] + fractions["valid"]) + 1e-9)
    if min(first, second - first, symbols - second) < 2:
        raise InputError(
            f"the text has only {symbols} symbols, too few for a train, valid and test split of {fractions}"
        )
    return {"train": [[0, first]], "valid": [[first, second]], "test": [[second, symbols]]}


def describe(
    segments: dict[str, list[list[int]]], ids: NDArray[np.unsignedinteger], tokens: list[str], unit: str
) -> dict[str, Any]:
    """The content of splits.json for contiguous `segments` of a text with these `ids` and `tokens`.

    A word is charged for the blank before it, in characters and in bytes.
    """
    characters = np.array([len(token) for token in tokens], dtype=np.int64)
    size = np.array([len(token.encode("utf-8")) for token in tokens], dtype=np.int64)
    if unit == "word":
        characters, size = characters + 1, size + 1
    ends = np.concatenate([[0], np.cumsum(characters)])
    blank = 1 if unit == "word" else 0  # the text of a word split starts at the word, not at the blank before it
    described = {}
    for name, ranges in segments.items():
        scored = np.concatenate([np.arange(start + 1, stop) for start, stop in ranges])
        described[name] = {
            "segments": ranges,
            "text": [[int(ends[start]), int(ends[stop]) - blank] for start, stop in ranges],
            "symbols": int(sum(stop - start for start, stop in ranges)),
            "scored": len(scored),
            "unknown": int((ids[scored] == 0).sum()),
            "characters": int(characters[scored].sum()),
            "bytes": int(size[scored].sum()),
        }
    return {"kind": "contiguous", "splits": described}


def read_splits(path: str | Path) -> dict[str, Any]:
    """The content of a splits.json; InputError where it lacks a split."""
    splits: dict[str, Any] = read_json(path)
    missing = [name for name in NAMES if name not in splits.get("splits", {})]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; delete it and run the workflow again")
    return splits


def segments_of(ids: NDArray[Any], splits: dict[str, Any], name: str) -> list[NDArray[Any]]:
    """The stretches of `ids` that make up the split `name`; nothing may be predicted across their borders."""
    return [ids[start:stop] for start, stop in splits["splits"][name]["segments"]]


def read_ids(path: str | Path, splits: dict[str, Any]) -> NDArray[Any]:
    """The ids in `path`, memory-mapped; InputError where the file is damaged or does not fit its splits."""
    try:
        ids: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run the workflow again") from None
    symbols = sum(split["symbols"] for split in splits["splits"].values())
    if ids.ndim != 1 or len(ids) != symbols:
        raise InputError(
            f"{path} holds {ids.size} symbols where splits.json tells of {symbols}; delete both and run again"
        )
    return ids
