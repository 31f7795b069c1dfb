"""General compressors as language models: bits that a text adds to the compressed training text."""

import bz2
import gzip
import lzma
from collections.abc import Callable

from seqlab.io.errors import InputError


def _zstd(data: bytes) -> bytes:
    import zstandard  # part of the standard library from Python 3.14 on

    return zstandard.ZstdCompressor(level=22).compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
    "bz2": lambda data: bz2.compress(data, 9),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    "zstd": _zstd,
}


def count_compressed_bits(compressor: str, train: bytes, text: bytes) -> int:
    """Return the bits of `text` after `train`: the compressed size of both together less that of `train`."""
    if compressor not in COMPRESSORS:
        raise InputError(f"the compressor {compressor!r} is unknown; allowed are {', '.join(COMPRESSORS)}")
    compress = COMPRESSORS[compressor]
    return 8 * (len(compress(train + text)) - len(compress(train)))
