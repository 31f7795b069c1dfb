"""The ledger: bits of every symbol of a split under a model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqlab.io.arrays import read_arrays
from seqlab.io.files import damaged, replacing

SCORED_SPLITS = ("valid", "test")  # the splits that are scored


def write_scores(path: str | Path, bits: dict[str, NDArray[np.floating]]) -> None:
    """Write `bits[split]`, each of shape (replicas, scored symbols), as float32.

    Raise ValueError where a split is not two-dimensional, negative or NaN; infinite bits (probability zero) are
    allowed.
    """
    for split in SCORED_SPLITS:
        if bits[split].ndim != 2:
            raise ValueError(f"bits of {split} have {bits[split].ndim} dimensions, not (replicas, symbols)")
        if not (bits[split] >= -1e-6).all():  # also false for NaN; a probability of one may round to just above it
            raise ValueError(f"bits of {split} hold a NaN or a probability above one")
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, **{split: np.maximum(bits[split], 0).astype(np.float32) for split in SCORED_SPLITS}
        )


def read_scores(path: str | Path) -> dict[str, NDArray[np.float32]]:
    """Return the bits in a scores.npz by split, (replicas, scored symbols); InputError where the file is damaged."""
    arrays = read_arrays(path)
    for split in SCORED_SPLITS:
        if split not in arrays or arrays[split].ndim != 2 or arrays[split].dtype != np.float32:
            raise damaged(path, f"it has no bits of {split}")
    return {split: arrays[split] for split in SCORED_SPLITS}
