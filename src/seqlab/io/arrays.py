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
    """The arrays of an .npz by name; InputError where the file is damaged, or unpacks to more than the memory holds."""
    try:
        with zipfile.ZipFile(verified(path)) as archive:
            if (size := sum(member.file_size for member in archive.infolist())) > (room := memory()):
                raise InputError(
                    f"{path} unpacks to {size:,} bytes, and this machine has a memory of {room:,}; take another"
                )
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (FileNotFoundError, InputError):
        raise
    except Exception as error:  # zipfile, zlib and numpy each have their own kinds
        raise damaged(path, error) from None


def memory() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
