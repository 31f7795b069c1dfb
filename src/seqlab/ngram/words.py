"""Words of texts as indices: a hash table of words that grows with a text, or that of a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

LONGEST_RATIO = 2  # slots of the hash table for every word, at least


def size_of_slots(words: int) -> int:
    """Return the number of slots of a hash table for `words`: a power of two, at least twice as many."""
    return 1 << max(LONGEST_RATIO * words - 1, 1).bit_length()


@dataclass
class WordTable:
    """The first `number` words: word i is `words[ends[i - 1] : ends[i]]`, UTF-8; the arrays may have room for more.

    `slots`, a power of two of them, are the hash table of `seqlab.ngram.compiled.hash_words`. Marks, such as `<s>`, are
    words of length zero, so that no word of a text is taken for one.
    """

    words: NDArray[np.uint8]
    ends: NDArray[np.int64]
    slots: NDArray[np.uint64]
    number: int

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> "WordTable":
        """Return the table of `texts`, in their order; a mark is an empty text."""
        from seqlab.ngram.compiled import hash_words

        words = np.frombuffer(b"".join(texts), dtype=np.uint8).copy()
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        slots = np.zeros(size_of_slots(len(texts)), dtype=np.uint64)
        hash_words(words, ends, slots, len(texts))
        return cls(words, ends, slots, len(texts))

    def texts(self) -> list[bytes]:
        """Return all words in the order of their indices."""
        joined = self.words.tobytes()
        ends = [0, *self.ends[: self.number].tolist()]
        return [joined[start:stop] for start, stop in pairwise(ends)]

    def index(self, block: bytes, lines: bool) -> NDArray[np.uint32]:
        """Return the indices of the words of `block`, whole lines, 0 for unknown words.

        With `lines`, every line begins with index 1 and ends with index 2, the marks `<s>` and `</s>`.
        """
        from seqlab.ngram.compiled import index_words

        text = np.frombuffer(block, dtype=np.uint8)
        symbols = np.empty(2 * len(text) + 2 if lines else len(text) // 2 + 1, dtype=np.uint32)
        return symbols[: index_words(text, self.words, self.ends, self.slots, lines, symbols)].copy()

    def add(self, block: bytes) -> None:
        """Add the words of `block` that the table lacks."""
        from seqlab.ngram.compiled import add_words

        self._make_room(len(block))
        text = np.frombuffer(block, dtype=np.uint8)
        self.number = add_words(text, self.words, self.ends, self.slots, self.number)

    def _make_room(self, size: int) -> None:
        """Enlarge the arrays for any text of `size` bytes."""
        from seqlab.ngram.compiled import hash_words

        used, words = int(self.ends[self.number - 1]) if self.number else 0, self.number + size // 2 + 1
        if len(self.words) < used + size:
            self.words = np.concatenate([self.words[:used], np.zeros(used + 2 * size, dtype=np.uint8)])
        if len(self.ends) < words:
            self.ends = np.concatenate([self.ends[: self.number], np.zeros(2 * words, dtype=np.int64)])
        if len(self.slots) < size_of_slots(words):
            self.slots = np.zeros(size_of_slots(2 * words), dtype=np.uint64)
            hash_words(self.words, self.ends, self.slots, self.number)
