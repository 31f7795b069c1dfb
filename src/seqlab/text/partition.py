"""How a sequence of T symbols is cut into subsequences of n for training (module section 5.3).

Random, with offset d; here T = 12, n = 3, d = 1, so m = floor((12 - 1 - 1) / 3) = 3:

    x0 [x1 x2 x3] [x4 x5 x6] [x7 x8 x9] x10 x11        inputs
        x0 x1 [x2 x3 x4] [x5 x6 x7] [x8 x9 x10] x11    targets, one to the right

Sequential: the same stretch is laid out as B parallel streams, and batch k holds the k-th subsequence of each stream,
so that the
hidden state can be carried on from batch to batch; B = 2, n = 2:

    stream 0:  [x1 x2] [x3 x4] ..      batch 0 = {x1 x2, x6 x7}, batch 1 = {x3 x4, x8 x9}
    stream 1:  [x6 x7] [x8 x9] ..
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError

MODES = ("sequential", "random")


def random_starts(symbols: int, steps: int, offset: int) -> NDArray[np.int64]:
    """Starts of the m = floor((T - d - 1) / n) subsequences x_d, x_{d+n}, ..., counted from x_0, shape (m,).

    The targets of a subsequence starting at s are the symbols s + 1 .. s + n, so every target
    occurs at most once. Raises InputError where not one subsequence fits.
    """
    if not 0 <= offset < steps:
        raise ValueError(f"offset {offset} is outside [0, {steps})")
    count = (symbols - offset - 1) // steps
    if count < 1:
        raise InputError(
            f"the training text has {symbols} symbols, fewer than one subsequence of {steps} with its targets; "
            "use a longer text or a smaller rnn.training.steps"
        )
    return offset + steps * np.arange(count, dtype=np.int64)


@dataclass(frozen=True)
class Batches:
    """What one replica trains on in one epoch: `starts` (batches, B) of the subsequences and their `lengths` (batches,
    B).

    A subsequence is padded to n where it is shorter, and a missing one has length 0.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def random_batches(symbols: int, steps: int, batch_size: int, random: np.random.Generator) -> Batches:
    """All subsequences of a random offset in random order, `batch_size` at a time; the last batch may hold fewer."""
    starts = random.permutation(random_starts(symbols, steps, int(random.integers(steps))))
    batches = -(-len(starts) // batch_size)
    padded = np.zeros(batches * batch_size, dtype=np.int64)
    padded[: len(starts)] = starts
    lengths = np.zeros_like(padded)
    lengths[: len(starts)] = steps
    return Batches(padded.reshape(batches, batch_size), lengths.reshape(batches, batch_size))


def sequential_batches(
    symbols: int, steps: int, batch_size: int, random: np.random.Generator, spans: NDArray[np.int64] | None = None
) -> Batches:
    """`batch_size` parallel streams behind a random offset, cut into consecutive subsequences; the last one may be
    shorter.

    With `spans`, at least as many as there are batches, each batch has a length of its own. At most `batch_size - 1`
    symbols at the end are left out of an epoch, and other ones in each.
    """
    offset = int(random.integers(steps))
    length = (symbols - offset - 1) // batch_size  # targets in each stream
    if length < 1:
        raise InputError(
            f"the training text has {symbols} symbols, too few for {batch_size} parallel streams; "
            "use a longer text or a smaller rnn.training.batch_size"
        )
    if spans is None:
        spans = np.full(-(-length // steps), steps, dtype=np.int64)
    ends = np.cumsum(spans)
    batches = int(np.searchsorted(ends, length)) + 1
    within = (ends - spans)[:batches, None]
    starts = offset + length * np.arange(batch_size, dtype=np.int64)[None, :] + within
    lengths = np.broadcast_to(np.minimum(spans[:batches, None], length - within), starts.shape)
    return Batches(starts, np.ascontiguousarray(lengths))


def random_spans(symbols: int, steps: int, batch_size: int, epoch: int) -> NDArray[np.int64]:
    """Lengths of the batches of an epoch, at least enough for all its symbols, from steps / 2 to steps: (batches,).

    They depend on the epoch alone, so that all replicas of a fleet, and one that is alone, cut in the same way. (Merity
    et al. 2018 draw around two lengths, for the same reason: other symbols stand at the seams in each epoch.)
    """
    shortest = (steps + 1) // 2
    batches = -(-symbols // batch_size) // shortest + 1
    return np.random.default_rng(epoch).integers(shortest, steps + 1, batches)


def epoch_batches(
    mode: str,
    symbols: int,
    steps: int,
    batch_size: int,
    random: np.random.Generator,
    spans: NDArray[np.int64] | None = None,
) -> Batches:
    """The batches of one epoch in the given `mode`; draws from `random` and from nothing else. `spans` are for
    "sequential".
    """
    if mode == "random":
        return random_batches(symbols, steps, batch_size, random)
    return sequential_batches(symbols, steps, batch_size, random, spans)
