"""Archives of arrays (.npz)."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz by name; InputError where the file is damaged or larger than the memory."""
    try:
        with zipfile.ZipFile(verified(path)) as archive:
            if (size := sum(member.file_size for member in archive.infolist())) > (room := read_memory_size()):
                raise InputError(
                    f"{path} unpacks to {size:,} bytes, but this machine has {room:,} bytes of memory; use a larger one"
                )
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (FileNotFoundError, InputError):
        raise
    except Exception as error:  # zipfile, zlib and numpy raise different classes
        raise damaged(path, error) from None


def read_memory_size() -> int:
    """Return the memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
