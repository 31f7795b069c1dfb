"""Loops over bytes, words and n-grams, compiled by numba.

The functions release the interpreter's lock, so that threads run them at the same time. numba compiles each at its
first call and keeps the result in `__pycache__`, or in its own cache where that folder is read-only. They are in one
file, because numba compiles a function again where its own file changes, and not where that of a function in it does.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, float64, int64, njit, types, uint64
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic
from numpy.typing import NDArray

from seqlab.machine.compilation import compiling

BLANK, TAB, LINE_FEED, CARRIAGE_RETURN = 32, 9, 10, 13  # separators of words, as in KenLM
START_SYMBOL, END_SYMBOL = 1, 2  # indices of `<s>` and `</s>` in models of lines
SYMBOL, PROBABILITY, BACKOFF, SUCCESSORS = range(4)  # columns of the layout of a packed model
HASH_START, HASH_FACTOR = uint64(0xCBF29CE484222325), uint64(0x100000001B3)  # of FNV-1a (Fowler, Noll & Vo 1991)
NUMBER_LENGTH = 16  # bytes of a formatted number at most
SIGNIFICANT = 100_000_000  # the smallest integer with nine digits, the significant ones of a number
SPLITTER = 134_217_729.0  # 2 ** 27 + 1, which halves the digits of a double (Dekker 1971)
inlined: Any = njit(inline="always", nogil=True)
compiled: Any = compiling()
declare_intrinsic: Any = intrinsic
set_item: Any = tuple_setitem


@inlined
def _is_separator(byte):
    return byte in (BLANK, LINE_FEED, TAB, CARRIAGE_RETURN)


@inlined
def _spread(code):
    """Return a hash of which the lowest and the highest bits depend on all bits of `code`."""
    code ^= code >> uint64(32)
    code *= uint64(0x9E3779B97F4A7C15)
    return code ^ (code >> uint64(29))


@compiled
def hash_words(words: NDArray[Any], ends: NDArray[Any], slots: NDArray[Any], number: int) -> None:
    """Fill the empty hash table `slots`, (a power of two,), with the first `number` words.

    Word i is `words[ends[i - 1] : ends[i]]`, bytes. A slot holds the upper half of the hash and, below it, the index of
    the word plus one; words of length zero, which stand for marks, have no slot.
    """
    mask = uint64(len(slots) - 1)
    for index in range(number):
        start = ends[index - 1] if index else 0
        if start == ends[index]:
            continue
        code = HASH_START
        for place in range(start, ends[index]):
            code = (code ^ uint64(words[place])) * HASH_FACTOR
        code = _spread(code)
        slot = code & mask
        while slots[slot]:
            slot = (slot + uint64(1)) & mask
        slots[slot] = (code >> uint64(32)) << uint64(32) | uint64(index + 1)


@inlined
def _find_word(text, start, stop, code, words, ends, slots):
    """Return the index of the word `text[start:stop]`, or -1, and its slot, or the empty slot where it belongs."""
    mask = uint64(len(slots) - 1)
    slot = code & mask
    while slots[slot]:
        if slots[slot] >> uint64(32) == code >> uint64(32):
            index = int64(slots[slot] & uint64(0xFFFFFFFF)) - 1
            first = ends[index - 1] if index else 0
            if ends[index] - first == stop - start:
                place = start
                while place < stop and words[first + place - start] == text[place]:
                    place += 1
                if place == stop:
                    return index, slot
        slot = (slot + uint64(1)) & mask
    return -1, slot


@inlined
def _read_word(text, place):
    """Return the end of the word that starts at `place`, and its hash."""
    code = HASH_START
    while place < len(text) and not _is_separator(text[place]):
        code = (code ^ uint64(text[place])) * HASH_FACTOR
        place += 1
    return place, _spread(code)


@compiled
def add_words(text: NDArray[Any], words: NDArray[Any], ends: NDArray[Any], slots: NDArray[Any], number: int) -> int:
    """Add the words of `text`, bytes of whole lines, to a vocabulary of `number` words and return its new size.

    The arrays are those of `hash_words` and have room for the new words.
    """
    place = 0
    while place < len(text):
        if _is_separator(text[place]):
            place += 1
            continue
        start = place
        place, code = _read_word(text, start)
        index, slot = _find_word(text, start, place, code, words, ends, slots)
        if index < 0:
            first = ends[number - 1] if number else 0
            for offset in range(place - start):
                words[first + offset] = text[start + offset]
            ends[number] = first + place - start
            slots[slot] = (code >> uint64(32)) << uint64(32) | uint64(number + 1)
            number += 1
    return number


@compiled
def index_words(
    text: NDArray[Any],
    words: NDArray[Any],
    ends: NDArray[Any],
    slots: NDArray[Any],
    lines: bool,
    symbols: NDArray[Any],
) -> int:
    """Write the indices of the words of `text`, bytes of whole lines, to `symbols` and return their number.

    With `lines`, every line begins with START_SYMBOL and ends with END_SYMBOL. The vocabulary is that of `hash_words`;
    other words get 0.
    """
    size = 0
    place = 0
    opens = lines
    while place < len(text):
        if opens:
            symbols[size] = START_SYMBOL
            size += 1
            opens = False
        if _is_separator(text[place]):
            if lines and text[place] == LINE_FEED:
                symbols[size] = END_SYMBOL
                size += 1
                opens = True
            place += 1
            continue
        start = place
        place, code = _read_word(text, start)
        index, _ = _find_word(text, start, place, code, words, ends, slots)
        symbols[size] = max(index, 0)
        size += 1
    if lines and not opens:  # the last line has no line end
        symbols[size] = END_SYMBOL
        size += 1
    return size


@inlined
def _read_symbol(data, place, width):
    value = int64(data[place])
    if width > 1:
        value |= int64(data[place + 1]) << 8
        if width > 2:
            value |= int64(data[place + 2]) << 16
            if width > 3:
                value |= int64(data[place + 3]) << 24
    return value


@inlined
def find_successor(data, numbers, layout, width, k, context, symbol):
    """Return the number of the n-gram (context, symbol) of order k, at least 2, or -1."""
    first = layout[k - 2, SUCCESSORS]
    low = int64(numbers[first + context])
    stop = high = int64(numbers[first + context + 1])
    begin = layout[k - 1, SYMBOL]
    while low < high:
        middle = (low + high) >> 1
        if _read_symbol(data, begin + middle * width, width) < symbol:
            low = middle + 1
        else:
            high = middle
    if low < stop and _read_symbol(data, begin + low * width, width) == symbol:
        return low
    return -1


@compiled
def score_symbols(
    data: NDArray[Any],
    floats: NDArray[Any],
    numbers: NDArray[Any],
    layout: NDArray[Any],
    width: int,
    symbols: NDArray[Any],
    lines: bool,
    positions: NDArray[Any],
    logarithms: NDArray[Any],
    orders: NDArray[Any],
) -> None:
    """Write log10 of the probability of every symbol, and the order of the n-gram that gave it.

    `symbols`, `logarithms` and `orders` have shape (symbols,). With `lines`, START_SYMBOL begins a line and has the
    order 0; otherwise all symbols are one stream. `positions` are the places of all symbols with one before them, in
    any order, and are overwritten: neighbours that look up neighbouring n-grams share cache lines.
    """
    order = len(layout)
    for place in range(len(symbols)):
        is_start = lines and symbols[place] == START_SYMBOL
        logarithms[place] = 0.0 if is_start else float64(floats[layout[0, PROBABILITY] + symbols[place]])
        orders[place] = 0 if is_start else 1
    contexts = np.empty(len(positions), dtype=np.int64)
    for i in range(len(positions)):
        contexts[i] = symbols[positions[i] - 1]
    count = len(positions)
    for k in range(2, order + 1):
        kept = 0
        for i in range(count):
            place, context = positions[i], contexts[i]
            number = find_successor(data, numbers, layout, width, k, context, int64(symbols[place]))
            if number < 0:
                logarithms[place] += float64(floats[layout[k - 2, BACKOFF] + context])
                continue
            logarithms[place] = float64(floats[layout[k - 1, PROBABILITY] + number])
            orders[place] = k
            if place + 1 < len(symbols) and not (lines and symbols[place + 1] == START_SYMBOL):
                positions[kept] = place + 1
                contexts[kept] = number
                kept += 1
        count = kept


@inlined
def _copy(texts, ends, index, out, place):
    """Copy text number `index` of those that end at `ends` in `texts` to `out`, and return the place after it."""
    for byte in range(ends[index - 1] if index else 0, ends[index]):
        out[place] = texts[byte]
        place += 1
    return place


@inlined
def _write_number(out, place, value):
    """Write `value` as `%.9g` does and return the place after it; -1, without writing, where it needs an exponent."""
    size = abs(value)
    if size == 0.0:
        if np.signbit(value):
            out[place] = 45
            place += 1
        out[place] = 48
        return place + 1
    if size < 1e-4 or size >= 100.0:
        return -1
    if size >= 1.0:
        point, scale = (2, 1e7) if size >= 10.0 else (1, 1e8)
    elif size >= 0.1:
        point, scale = 0, 1e9
    elif size >= 0.01:
        point, scale = -1, 1e10
    elif size >= 0.001:
        point, scale = -2, 1e11
    else:
        point, scale = -3, 1e12
    product = size * scale
    digits = int64(product)
    rest = product - digits
    if rest == 0.5:  # the exact product decides, product + error (Dekker 1971)
        part = size * SPLITTER
        high = part - (part - size)
        low = size - high
        part = scale * SPLITTER
        scale_high = part - (part - scale)
        scale_low = scale - scale_high
        error = low * scale_low - (((product - high * scale_high) - low * scale_high) - high * scale_low)
        digits += error > 0.0 or (error == 0.0 and digits % 2 == 1)
    elif rest > 0.5:
        digits += 1
    if digits == 10 * SIGNIFICANT:
        digits = SIGNIFICANT
        point += 1
    length = 9
    while digits % 10 == 0 and length > max(point, 1):
        digits //= 10
        length -= 1
    if value < 0:
        out[place] = 45
        place += 1
    if point <= 0:
        out[place] = 48
        out[place + 1] = 46
        place += 2
        for _ in range(-point):
            out[place] = 48
            place += 1
        for offset in range(length - 1, -1, -1):
            out[place + offset] = 48 + digits % 10
            digits //= 10
        return place + length
    fraction = length - point
    if fraction > 0:
        for offset in range(fraction, 0, -1):
            out[place + point + offset] = 48 + digits % 10
            digits //= 10
        out[place + point] = 46
    for offset in range(point - 1, -1, -1):
        out[place + offset] = 48 + digits % 10
        digits //= 10
    return place + point + (1 + fraction if fraction > 0 else 0)


@compiled
def format_ngrams(
    out: NDArray[Any],
    symbols: NDArray[Any],
    words: NDArray[Any],
    ends: NDArray[Any],
    columns: NDArray[Any],
    odd: NDArray[Any],
    odd_texts: NDArray[Any],
    odd_ends: NDArray[Any],
) -> int:
    """Write lines of an ARPA file for n-grams of one order, and return the number of bytes.

    `symbols` are (n, order), and word i is `words[ends[i - 1] : ends[i]]`. `columns`, (n, 1 or 2), are the numbers
    before and after the words. Numbers that need an exponent are texts in `odd_texts`, which end at `odd_ends`; `odd`
    are their places, n-gram by n-gram, ascending.
    """
    place = 0
    next_odd = 0
    for row in range(len(symbols)):
        for column in range(2):
            if column < columns.shape[1]:
                if next_odd < len(odd) and odd[next_odd] == row * columns.shape[1] + column:
                    place = _copy(odd_texts, odd_ends, next_odd, out, place)
                    next_odd += 1
                else:
                    place = _write_number(out, place, columns[row, column])
                out[place] = TAB
                place += 1
            if column == 0:
                for level in range(symbols.shape[1]):
                    place = _copy(words, ends, symbols[row, level], out, place)
                    out[place] = BLANK
                    place += 1
                out[place - 1] = TAB
        out[place - 1] = LINE_FEED
    return place


@compiled
def score_ngrams(
    data: NDArray[Any],
    floats: NDArray[Any],
    numbers: NDArray[Any],
    layout: NDArray[Any],
    width: int,
    symbols: NDArray[Any],
    logarithms: NDArray[Any],
) -> None:
    """Write log10 of the probability of the last symbol of each n-gram after the others; `symbols` are (n, k)."""
    order = symbols.shape[1]
    for row in range(len(symbols)):
        last = int64(symbols[row, order - 1])
        logarithm = float64(floats[layout[0, PROBABILITY] + last])
        for k in range(2, order + 1):  # the context of the last k - 1 symbols before the last one
            context = int64(symbols[row, order - k])
            for m in range(2, k):
                if context >= 0:
                    context = find_successor(
                        data, numbers, layout, width, m, context, int64(symbols[row, order - k + m - 1])
                    )
            if context >= 0:
                number = find_successor(data, numbers, layout, width, k, context, last)
                if number >= 0:
                    logarithm = float64(floats[layout[k - 1, PROBABILITY] + number])
                else:
                    logarithm += float64(floats[layout[k - 2, BACKOFF] + context])
        logarithms[row] = logarithm


@declare_intrinsic
def _pointer_of(_context: Any, address: Any) -> Any:
    """Return the pointer of an address."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), generate


@compiled
def step(address, state, symbol):
    """Return log10 p(symbol | state) and the next state, both states tuples of integers.

    `address` is that of the table of a `seqlab.ngram.stepping.Stepper`. numba takes longer to check arrays as arguments
    than a step takes.
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
