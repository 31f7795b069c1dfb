"""Steps of decoders: the probability of one symbol after a state, from Python, in less than a microsecond."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numba import types

from seqlab.ngram.compiled import END_SYMBOL, step

if TYPE_CHECKING:
    from seqlab.ngram.language import NgramModel


class _Indices(dict[str, int]):
    """Indices of words; a word is looked up in the model once."""

    def __init__(self, model: "NgramModel") -> None:
        self.model = model

    def __missing__(self, token: str) -> int:
        index = self.model.find_token(token)
        if index:
            self[token] = index
        return index


class Stepper:
    """The steps of a model: its places in memory, the indices of its words, and `step` for its order."""

    def __init__(self, model: "NgramModel") -> None:
        self.data, _, _, layout, width = model.packed.arguments
        head = [self.data.ctypes.data, len(self.data), model.order, width]
        self.table = np.concatenate([np.array([head], dtype=np.int64), layout])
        self.indices = _Indices(model)
        state = types.UniTuple(types.int64, max(model.order - 1, 1))
        self.step = step.compile((types.int64, state, types.int64))  # without the checks of types at every call

    def follow(self) -> Callable[[tuple[int, ...], str], tuple[float, tuple[int, ...]]]:
        """Return the function that `NgramModel.follow` documents; it keeps the model in memory."""
        step_of_order, address, indices = self.step, self.table.ctypes.data, self.indices

        def follow(state: tuple[int, ...], token: str, _memory: Stepper = self) -> tuple[float, tuple[int, ...]]:
            return step_of_order(address, state, indices[token])

        return follow

    def end(self, state: tuple[int, ...]) -> float:
        """Return log10 of the probability of the end of a line."""
        log10: float = self.step(self.table.ctypes.data, state, END_SYMBOL)[0]
        return log10
