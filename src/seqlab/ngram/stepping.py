"""Steps of decoders: the probability of one symbol after a state, from Python, in less than a microsecond."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import carray, float64, types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic

from seqlab.ngram.compiled import BACKOFF, END_SYMBOL, PROBABILITY, compiled, find_successor

if TYPE_CHECKING:
    from seqlab.ngram.language import NgramModel


declare_intrinsic: Any = intrinsic
set_item: Any = tuple_setitem


@declare_intrinsic
def _pointer_of(_context: Any, address: Any) -> Any:
    """Return the pointer of an address."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), generate


@compiled
def step(address, state, symbol):
    """Return log10 p(symbol | state) and the next state, both states tuples of integers.

    `address` is that of a table of `Stepper`. numba takes longer to check arrays as arguments than a step takes.
    """
    head = carray(_pointer_of(address), (4,), np.int64)
    size, order, width = head[1], head[2], head[3]
    layout = carray(_pointer_of(address), (order + 1, 4), np.int64)[1:]
    data = carray(_pointer_of(head[0]), (size,), np.uint8)
    floats = carray(_pointer_of(head[0]), (size // 4,), np.float32)
    numbers = carray(_pointer_of(head[0]), (size // 4,), np.uint32)
    log10 = float64(floats[layout[0, PROBABILITY] + symbol])
    following = state
    if order > 1:
        following = set_item(following, 0, symbol)
    for k in range(2, order + 1):
        number = -1
        context = state[k - 2]
        if context >= 0:
            number = find_successor(data, numbers, layout, width, k, context, symbol)
            if number >= 0:
                log10 = float64(floats[layout[k - 1, PROBABILITY] + number])
            else:
                log10 += float64(floats[layout[k - 2, BACKOFF] + context])
        if k < order:
            following = set_item(following, k - 1, number)
    return log10, following


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
