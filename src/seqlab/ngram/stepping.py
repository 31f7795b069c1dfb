"""Steps of decoders: the probability of one symbol after a state, from Python, in less than a microsecond."""

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic

from seqlab.ngram.compiled import compiled, follow

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
    following = np.empty(len(state), dtype=np.int64)
    log10, _ = follow(data, floats, numbers, layout, width, state, symbol, following)
    result = state
    for place in range(len(state)):
        result = set_item(result, place, following[place])
    return log10, result


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
    """The steps of a model: its places in memory, and the indices of its words."""

    def __init__(self, model: "NgramModel") -> None:
        self.data, _, _, layout, width = model.packed.arguments
        head = [self.data.ctypes.data, len(self.data), model.order, width]
        self.table = np.concatenate([np.array([head], dtype=np.int64), layout])
        self.address = self.table.ctypes.data
        self.indices = _Indices(model)
