"""Archives of arrays (.npz), read to their last byte."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz by name; InputError where the file is damaged, or unpacks to more than the memory holds.

    Every member is read to its end, for only there is it held against its checksum in the archive (CRC-32): numpy.load
    stops where the shape of an array says that it ends, and a damaged shape can say anything.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if (size := sum(member.file_size for member in archive.infolist())) > (room := memory()):
                raise InputError(
                    f"{path} unpacks to {size:,} bytes, and this machine has a memory of {room:,}; take another"
                )
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
    except (FileNotFoundError, InputError):
        raise
    except Exception as error:  # zipfile, zlib and numpy each have their own kinds
        raise damaged(path, error) from None


def memory() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _array(member: bytes) -> NDArray[Any]:
    file = io.BytesIO(member)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError("an array is longer than its shape")
    return array
