"""General compressors as language models: what a text adds to the size of the training text."""

import bz2
import gzip
import lzma
from collections.abc import Callable

from seqlab.io.errors import InputError


def _zstd(data: bytes) -> bytes:
    import zstandard  # loaded only where it is used; Python 3.14 has it in its own library

    return zstandard.ZstdCompressor(level=22).compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": lambda data: bz2.compress(data, 9),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    "zstd": _zstd,
}


def compressed_bits(compressor: str, train: bytes, text: bytes) -> int:
    """Bits that `text` costs after `train`: the size of both compressed together less that of `train` compressed."""
    if compressor not in COMPRESSORS:
        raise InputError(f"the compressor {compressor!r} is unknown; allowed are {', '.join(COMPRESSORS)}")
    compress = COMPRESSORS[compressor]
    return 8 * (len(compress(train + text)) - len(compress(train)))
