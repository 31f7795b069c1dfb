"""Compressors as language models."""

import bz2
import gzip
import lzma

import numpy as np
import pytest
import zstandard

from seqlab.ledger.compressors import COMPRESSORS, count_compressed_bits

DECOMPRESS = {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress, "zstd": zstandard.decompress}


def noise(symbols: int, seed: int) -> bytes:
    return "".join(np.random.default_rng(seed).choice(list("abcdefgh"), symbols)).encode()


@pytest.mark.parametrize("name", COMPRESSORS)
def test_nothing_is_lost(name):
    data = noise(3000, 1)
    assert DECOMPRESS[name](COMPRESSORS[name](data)) == data


@pytest.mark.parametrize("name", COMPRESSORS)
def test_the_cost_is_what_the_text_adds_in_bits(name):
    compress, train, text = COMPRESSORS[name], noise(3000, 1), noise(1000, 2)
    expected = 8 * (len(compress(train + text)) - len(compress(train)))
    assert count_compressed_bits(name, train, text) == expected > 0


@pytest.mark.parametrize("name", COMPRESSORS)
def test_noise_costs_about_its_entropy(name):
    # Eight equally frequent symbols carry three bits each; no compressor can do better.
    bits = count_compressed_bits(name, noise(20_000, 1), noise(10_000, 2))
    assert 3.0 <= bits / 10_000 < 3.6


@pytest.mark.parametrize("name", COMPRESSORS)
def test_the_training_text_makes_its_like_cheaper(name):
    words = noise(100, 1).replace(b"h", b" ").split()
    random = np.random.default_rng(2)
    train, like = (b" ".join(random.choice(words, count)) for count in (3000, 300))
    assert count_compressed_bits(name, train, like) < 0.8 * count_compressed_bits(name, b"", like)
