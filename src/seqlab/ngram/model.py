"""Back-off n-gram model: a probability for each kept n-gram, a back-off weight for each context."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.arrays import read_arrays
from seqlab.io.files import damaged, replacing
from seqlab.sampling import Ahead, Positions, Progress, Texts, ignore_progress

BLOCK = 1 << 16  # symbols scored together: their arrays fit into the cache of a processor


@dataclass(frozen=True)
class BackoffModel:
    """A model of orders 1 to n; list entry k - 1 belongs to order k. Keys are as in `seqlab.ngram.counts`.

    The probability of a symbol after a context h is `probability` where (h, symbol) is kept, else `backoff` of h times
    the probability after the context without its first symbol. Where `backs_off` is false (add-k), the second factor is
    the uniform distribution instead, and a context never seen gives the uniform distribution too.
    """

    vocabulary: int
    backs_off: bool
    key: list[NDArray[np.int64]]
    probability: list[NDArray[np.float64]]
    backoff: list[NDArray[np.float64]]  # one list fewer: the longest n-grams are no contexts

    @property
    def order(self) -> int:
        """The highest order, n."""
        return len(self.key)

    @property
    def parameters(self) -> int:
        """The number of n-grams kept, all orders together."""
        return sum(len(key) for key in self.key)

    def find(self, order: int, context: NDArray[np.int64], symbol: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the n-grams (context, symbol) of `order`, -1 where context or n-gram is not kept."""
        target = context * self.vocabulary + symbol
        keys = self.key[order - 1]
        place = np.minimum(np.searchsorted(keys, target), len(keys) - 1)
        return np.where((context >= 0) & (keys[place] == target), place, -1)

    def symbols(self, order: int, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the symbols of the n-grams of `order` with these numbers, (n, order)."""
        columns = np.empty((len(number), order), dtype=np.int64)
        for k in range(order, 0, -1):
            number, columns[:, k - 1] = np.divmod(self.key[k - 1][number], self.vocabulary)
        return columns

    @property
    def seeds(self) -> list[int | None]:
        """The seed None of the single replica."""
        return [None]

    def select_replica(self, number: int) -> "BackoffModel":
        """Return the model, which has a single replica."""
        return self

    def read(self, prompt: Sequence[int], replica: int = 0) -> "NgramReading":
        """Return the reading of `prompt`."""
        return NgramReading(self, [list(prompt)])

    def score(self, segments: Texts, progress: Progress = ignore_progress) -> NDArray[np.float64]:
        """Return the bits of every symbol but the first of each segment, (1, symbols)."""
        with np.errstate(divide="ignore"):  # a probability of zero costs infinitely many bits
            bits: NDArray[np.float64] = -np.log2(symbol_probabilities(self, segments))
        progress(len(bits))
        return bits[None]

    def score_stretches(self, stretches: Texts) -> list[NDArray[np.float64]]:
        """Return the bits of every symbol but the first of each stretch, (1, symbols) for each."""
        return [self.score([stretch]) for stretch in stretches]

    def look_ahead(self, segments: Texts, positions: Positions, steps: Sequence[int], samples: int) -> list[Ahead]:
        """Return the exact bits of the symbols at `positions`, summed over the symbols between; empty for a model of
        too many contexts, or one that does not back off.
        """
        from seqlab.ngram.ahead import (
            is_feasible,
            probabilities_ahead,
        )  # needs scipy, which a served model does not install

        if not is_feasible(self):
            return []
        return list(map(Ahead.exact, steps, probabilities_ahead(self, segments, positions, steps)))

    def save(self, path: str | Path) -> None:
        """Write model.npz; `key_k`, `probability_k` and `backoff_k` are the arrays of order k."""
        arrays: dict[str, Any] = {
            "vocabulary": np.array(self.vocabulary),
            "backs_off": np.array(self.backs_off),
        }
        for k in range(1, self.order + 1):
            arrays |= {f"key_{k}": self.key[k - 1], f"probability_{k}": self.probability[k - 1]}
            if k < self.order:
                arrays[f"backoff_{k}"] = self.backoff[k - 1]
        with replacing(path) as temporary:
            np.savez(temporary, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "BackoffModel":
        """Return the model in `path`; InputError where the file is damaged."""
        arrays = read_arrays(path)
        order = sum(name.startswith("key_") for name in arrays)
        try:
            model = cls(
                int(arrays["vocabulary"]),
                bool(arrays["backs_off"]),
                [arrays[f"key_{k}"] for k in range(1, order + 1)],
                [arrays[f"probability_{k}"] for k in range(1, order + 1)],
                [arrays[f"backoff_{k}"] for k in range(1, order)],
            )
            sizes = [model.vocabulary, *map(len, model.key[1:])]
            lengths = [list(map(len, values)) for values in (model.key, model.probability, model.backoff)]
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, f"it is not a complete n-gram model: {error}") from None
        if lengths != [sizes, sizes, sizes[:-1]]:
            raise damaged(path, f"its arrays have the lengths {lengths}")
        return model


def symbol_probabilities(model: BackoffModel, segments: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """The probability of every symbol but the first of each segment given up to n - 1 symbols before it, in order.

    `segments` hold indices; the result has shape (sum of (length - 1),).
    """
    lengths = np.array([len(segment) for segment in segments], dtype=np.int64)
    symbols = np.concatenate(segments, dtype=np.int64, casting="unsafe")
    place = np.arange(len(symbols)) - np.repeat(np.cumsum(lengths) - lengths, lengths)  # in the segment
    probability = np.empty(len(symbols))
    for first in range(0, len(symbols), BLOCK):
        start, stop = max(first - model.order, 0), first + BLOCK  # contexts reach back into the block before
        probability[first:stop] = _probabilities(model, symbols[start:stop], place[start:stop])[first - start :]
    scored: NDArray[np.float64] = probability[place > 0]
    return scored


def _probabilities(model: BackoffModel, symbols: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probability of every symbol given those before it in its segment; `place` counts from the start of that."""
    probability: NDArray[np.float64] = model.probability[0][symbols]
    # Positions whose context is kept in the current order; few are left in the highest. They are sorted by their first
    # two symbols, and so are the keys that they look up, at every order: neighbours share cache lines.
    position = 1 + np.flatnonzero(place[1:] > 0)
    coarse = (symbols >> max(model.vocabulary.bit_length() - 16, 0)).astype(np.uint16)  # numpy sorts 16 bits by radix
    position = position[np.lexsort((coarse[position], coarse[position - 1]))]
    context = symbols[position - 1]
    continues = np.append(place > 0, False)  # true where the symbol before is in the same segment
    for k in range(2, model.order + 1):
        if not model.backs_off:
            probability[place >= k - 1] = 1 / model.vocabulary
        number = model.find(k, context, symbols[position])
        probability[position] *= model.backoff[k - 2][context]
        is_kept = number >= 0
        position, context = position[is_kept], number[is_kept]
        probability[position] = model.probability[k - 1][context]
        longer = continues[position + 1]  # this n-gram is the context of the symbol after it
        position, context = position[longer] + 1, context[longer]
    return probability


def distribution(model: BackoffModel, context: Sequence[int]) -> NDArray[np.float64]:
    """The probabilities of all symbols after `context`, shape (vocabulary,); only its last n - 1 symbols matter."""
    history = list(context)[-(model.order - 1) :] if model.order > 1 else []
    result = model.probability[0]
    for k in range(2, len(history) + 2):
        number = np.array([history[-(k - 1)]])
        for j, symbol in enumerate(history[len(history) - k + 2 :], start=2):
            number = model.find(j, number, np.array([symbol]))
        if not model.backs_off:
            result = np.full(model.vocabulary, 1 / model.vocabulary)
        if number[0] < 0:
            continue  # a context not kept: a longer one may be, and add-k must still become uniform
        first, last = np.searchsorted(
            model.key[k - 1], [number[0] * model.vocabulary, (number[0] + 1) * model.vocabulary]
        )
        result = model.backoff[k - 2][number[0]] * result
        result[model.key[k - 1][first:last] % model.vocabulary] = model.probability[k - 1][first:last]
    return result


@dataclass(frozen=True)
class NgramReading:
    """Texts read by an n-gram model; see `seqlab.sampling.Reading`."""

    model: BackoffModel
    texts: list[list[int]]

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of every next symbol of each text, (texts, vocabulary)."""
        return np.stack([distribution(self.model, text) for text in self.texts])

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "NgramReading":
        """Return the reading of `texts`, each followed by its symbol; only the last n - 1 symbols are kept."""
        length = max(self.model.order - 1, 1)
        return NgramReading(
            self.model, [[*self.texts[text], symbol][-length:] for text, symbol in zip(texts, symbols, strict=True)]
        )
