"""Vocabulary: the mapping between tokens and their indices."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, write_json
from seqlab.text.bpe import Merge
from seqlab.text.tokens import join_tokens, tokenize

UNKNOWN = "<unk>"  # the name of entry 0; a token of the text with this name has another entry


class Vocab:
    """Tokens and their indices (module section 4, step 3).

    Index 0 is `<unk>`, the symbol for all other tokens, then come the reserved tokens in their order, then all tokens
    seen at least `min_freq` times by falling frequency, equally frequent ones by code point. `<unk>` as a word of the
    text, as in Penn Treebank and WikiText, is an ordinary token with a second entry. `unit` and `merges` are those of
    the tokenisation.
    """

    def __init__(
        self,
        tokens: Iterable[str] = (),
        min_freq: int = 1,
        reserved_tokens: Sequence[str] = (),
        unit: str = "char",
        merges: Sequence[Merge] = (),
    ) -> None:
        if min_freq < 1:
            raise InputError(f"min_freq is {min_freq}; it must be at least 1")
        if len(set(reserved_tokens)) != len(reserved_tokens):
            raise InputError(f"reserved tokens {list(reserved_tokens)} hold a token twice; list each once")
        frequency = Counter(tokens)
        reserved = set(reserved_tokens)
        seen = sorted(frequency.items(), key=lambda item: (-item[1], item[0]))
        frequent = [token for token, count in seen if count >= min_freq and token not in reserved]
        self.min_freq, self.unit, self.merges = min_freq, unit, list(merges)
        self.tokens = [UNKNOWN, *reserved_tokens, *frequent]
        self.index = {token: index for index, token in enumerate(self.tokens[1:], start=1)}
        unknown = sum(count for token, count in frequency.items() if token not in self.index)
        self.counts = [unknown, *(frequency[token] for token in self.tokens[1:])]

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.index

    def __getitem__(self, tokens: str | Sequence[str]) -> Any:
        """Return the index of a token, or the list of indices of a sequence of tokens; 0 for unknown tokens."""
        if isinstance(tokens, str):
            return self.index.get(tokens, 0)
        return [self[token] for token in tokens]

    def to_tokens(self, indices: int | Iterable[int]) -> Any:
        """Return the token of an index, or the list of tokens of several; IndexError outside the vocabulary."""
        if isinstance(indices, (int, np.integer)):
            if not 0 <= indices < len(self):
                raise IndexError(f"index {indices} is outside a vocabulary of {len(self)} entries")
            return self.tokens[indices]
        return [self.to_tokens(int(index)) for index in indices]

    def encode(self, tokens: Sequence[str]) -> NDArray[np.unsignedinteger]:
        """Return the indices of `tokens` as an array of the smallest unsigned type for the vocabulary, (tokens,)."""
        kind = np.min_scalar_type(len(self) - 1)
        return np.fromiter(map(self.index.get, tokens, repeat(0)), dtype=kind, count=len(tokens))

    def tokenize(self, text: str) -> list[str]:
        """Tokenise `text` with the unit and the merges of the vocabulary."""
        return tokenize(text, self.unit, self.merges)

    def text_of(self, indices: Iterable[int]) -> str:
        """Return the text of `indices`."""
        return join_tokens(self.to_tokens(indices), self.unit)

    def save(self, path: str | Path) -> None:
        """Write vocab.json (contract in docs/files.md)."""
        content = {"unit": self.unit, "tokens": self.tokens, "counts": self.counts, "min_freq": self.min_freq}
        write_json(path, content | ({"merges": self.merges} if self.merges else {}))

    @classmethod
    def load(cls, path: str | Path) -> "Vocab":
        """Read vocab.json; InputError where the file holds no vocabulary."""
        content = read_json(path)
        vocab = cls()
        try:
            vocab.tokens, vocab.counts, vocab.min_freq = content["tokens"], content["counts"], content["min_freq"]
            vocab.unit, vocab.merges = content["unit"], content.get("merges", [])
            vocab.index = {token: index for index, token in enumerate(list(vocab.tokens)[1:], start=1)}
            sizes = {len(vocab.index) + 1, len(vocab.tokens), len(vocab.counts)}
        except (KeyError, TypeError):
            raise damaged(path, "it is not a vocabulary") from None
        texts = isinstance(vocab.tokens, list) and all(isinstance(token, str) for token in vocab.tokens)
        if not texts or vocab.tokens[:1] != [UNKNOWN] or len(sizes) != 1:
            raise damaged(path, f"{UNKNOWN} must come first and each token occur once")
        return vocab
