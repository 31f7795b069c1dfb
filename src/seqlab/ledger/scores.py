"""The ledger: how many bits every symbol of a split cost a model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError
from seqlab.files import replacing

SPLITS = ("valid", "test")  # what is scored; train is what models have seen


def write_scores(path: str | Path, bits: dict[str, NDArray[np.floating]]) -> None:
    """Write `bits[split]`, each of shape (replicas, scored symbols), as float32.

    Raises ValueError where a split is missing, not two-dimensional, negative or NaN: a model that
    gives such bits is broken, and infinite bits (probability zero) are the only odd value allowed.
    """
    for split in SPLITS:
        if bits[split].ndim != 2:
            raise ValueError(f"bits of {split} have {bits[split].ndim} dimensions, not (replicas, symbols)")
        if not (bits[split] >= -1e-6).all():  # also false for NaN; a probability of one may round to just above it
            raise ValueError(f"bits of {split} hold a NaN or a probability above one")
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **{split: np.maximum(bits[split], 0).astype(np.float32) for split in SPLITS})


def read_scores(path: str | Path) -> dict[str, NDArray[np.float32]]:
    """The arrays written by `write_scores`; InputError where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {split: arrays[split] for split in SPLITS}
    except (ValueError, KeyError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise InputError(f"{path} is damaged ({error}); delete it and run the workflow again") from None
    except Exception as error:  # zipfile and zlib raise their own kinds for a truncated archive
        raise InputError(f"{path} is damaged ({error}); delete it and run the workflow again") from None
