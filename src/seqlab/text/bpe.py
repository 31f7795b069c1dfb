"""Byte-pair encoding: pieces of words, learnt from the train split, that can write any text.

A piece is a string of the characters whose code points are its bytes, as a token of the unit byte is.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from seqlab.io.errors import InputError

Merge = Sequence[str]  # two pieces that become one
_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(256) if byte not in set(_PRINTABLE)]
# tokenizers writes a byte as a printable character: that of its number, or else the next free one from U+0100 on
_WRITTEN = {chr(byte): chr(byte) for byte in _PRINTABLE} | {chr(b): chr(256 + n) for n, b in enumerate(_OTHERS)}
_TO_WRITTEN = str.maketrans(_WRITTEN)
_FROM_WRITTEN = str.maketrans({written: byte for byte, written in _WRITTEN.items()})


class BytePairs:
    """A byte-pair encoding (Sennrich et al. 2016; on bytes, Radford et al. 2019): merges in order.

    Words are split first, each with the blank before it, and no piece crosses their borders.
    """

    def __init__(self, merges: Sequence[Merge]) -> None:
        from tokenizers import Tokenizer, models, pre_tokenizers  # heavy, so loaded here

        self.merges: list[Merge] = [(first, second) for first, second in merges]
        written = [(first.translate(_TO_WRITTEN), second.translate(_TO_WRITTEN)) for first, second in self.merges]
        pieces = dict.fromkeys([*_WRITTEN.values(), *(first + second for first, second in written)])
        numbers = {piece: number for number, piece in enumerate(pieces)}
        try:
            self._tokenizer: Any = Tokenizer(models.BPE(numbers, written))
        except Exception as error:  # tokenizers raises no subclass
            raise InputError(f"the merges are not those of a byte-pair encoding ({error}); learn them anew") from None
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)

    @classmethod
    def learn(cls, texts: Iterable[str], number: int) -> "BytePairs":
        """Learn at most `number` merges, each of the pair that is most frequent in `texts` after the merges before it;
        fewer where no pair is left.
        """
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers

        tokenizer: Any = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        every_byte = list(_WRITTEN.values())  # otherwise bytes that `texts` lack would be dropped from other texts
        trainer = trainers.BpeTrainer(vocab_size=256 + number, initial_alphabet=every_byte, show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        return cls(_learnt(tokenizer))

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of `text` in order; joined they are its UTF-8."""
        return [piece.translate(_FROM_WRITTEN) for piece in self._tokenizer.encode(text).tokens]

    def vocabulary(self, texts: Iterable[str]) -> list[str]:
        """Return every byte in `texts`, then every piece of the merges."""
        used = sorted(set(chain.from_iterable(text.encode("utf-8") for text in texts)))
        joined = (first + second for first, second in self.merges)
        return list(dict.fromkeys([*map(chr, used), *joined]))


def _learnt(tokenizer: Any) -> list[Merge]:
    """Return the merges that `tokenizer` has learnt, in order; they are in its JSON alone."""
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(first.translate(_FROM_WRITTEN), second.translate(_FROM_WRITTEN)) for first, second in merges]
