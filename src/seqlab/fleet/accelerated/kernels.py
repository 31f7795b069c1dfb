"""Triton kernels for GPUs: one launch for each time step of a whole fleet, forward and backward.

A program computes some hidden units of some rows of one replica: the product with W_hh and everything after it. In a
CUDA graph a launch costs a few microseconds, whatever the number of replicas, where cuDNN takes one after the other.
The formulas are those of `seqlab.fleet.cells`; tanh(x) is 2 sigmoid(2 x) - 1. Arrays are (R, n, B, ...) in memory, so
that the products before and after the time loop need no copies. The factors of products are rounded to TF32 where that
is used; otherwise each is taken as the sum of two such numbers, so that a product is about as exact as in float32.
"""

import triton
import triton.language as tl


@triton.jit
def _tanh(value):
    return 2 * tl.sigmoid(2 * value) - 1


@triton.jit
def _tile(batch, size, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """The replica, rows and units of a program, and which of its rows and units there are."""
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    row = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    return tl.program_id(2).to(tl.int64), row[:, None], unit[None, :], (row < batch)[:, None], (unit < size)[None, :]


@triton.jit
def _read(start, there):
    return tl.load(start, mask=there, other=0.0)


# Forward, the arrays are hidden and memory (R, n + 1, B, h), gates (R, n, B, G h) and product (R, n, B, h). What is
# added to a product is read before it, and each gate has a sum of its own, so that little waits for another.


@triton.jit(do_not_specialize=["step"])
def _rnn_forward(
    projected, w_hh, hidden, memory, gates, product, step, steps, batch, size, projected_step, projected_replica,
    ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there = replica * (steps + 1) + step, rows & units
    narrow = row * size + unit
    one = _read(projected + step.to(tl.int64) * projected_step + replica * projected_replica + narrow, there)
    two = tl.zeros((ROWS, UNITS), tl.float32)
    states, columns = hidden + place * batch * size + row * size, w_hh + replica * size * size + unit
    for start in range(0, size, 2 * DEPTH):
        near = start + tl.arange(0, DEPTH)
        far = near + DEPTH
        state = _read(states + near[None, :], rows & (near < size)[None, :])
        column = _read(columns + near[:, None] * size, (near < size)[:, None] & units)
        one = tl.dot(state, column, one, input_precision=PRECISION)
        state = _read(states + far[None, :], rows & (far < size)[None, :])
        column = _read(columns + far[:, None] * size, (far < size)[:, None] & units)
        two = tl.dot(state, column, two, input_precision=PRECISION)
    tl.store(hidden + (place + 1) * batch * size + narrow, _tanh(one + two), mask=there)


@triton.jit(do_not_specialize=["step"])
def _gru_forward(
    projected, w_hh, hidden, memory, gates, product, step, steps, batch, size, projected_step, projected_replica,
    ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there, wide = replica * (steps + 1) + step, rows & units, 3 * size
    narrow, broad = row * size + unit, row * wide + unit
    entering = projected + step.to(tl.int64) * projected_step + replica * projected_replica + broad
    one, two = _read(entering, there), _read(entering + size, there)
    opening = _read(entering + 2 * size, there)
    states, columns = hidden + place * batch * size, w_hh + replica * size * wide + unit
    earlier = _read(states + narrow, there)
    three = tl.zeros((ROWS, UNITS), tl.float32)
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        state = _read(states + row * size + depth[None, :], rows & (depth < size)[None, :])
        column, within = columns + depth[:, None] * wide, (depth < size)[:, None] & units
        one = tl.dot(state, _read(column, within), one, input_precision=PRECISION)
        two = tl.dot(state, _read(column + size, within), two, input_precision=PRECISION)
        three = tl.dot(state, _read(column + 2 * size, within), three, input_precision=PRECISION)
    reset, update = tl.sigmoid(one), tl.sigmoid(two)
    candidate = _tanh(opening + reset * three)
    tl.store(states + batch * size + narrow, candidate + update * (earlier - candidate), mask=there)
    kept = gates + (replica * steps + step) * batch * wide + broad
    tl.store(kept, reset, mask=there)
    tl.store(kept + size, update, mask=there)
    tl.store(kept + 2 * size, candidate, mask=there)
    tl.store(product + (replica * steps + step) * batch * size + narrow, three, mask=there)


@triton.jit(do_not_specialize=["step"])
def _lstm_forward(
    projected, w_hh, hidden, memory, gates, product, step, steps, batch, size, projected_step, projected_replica,
    ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there, wide = replica * (steps + 1) + step, rows & units, 4 * size
    narrow, broad = row * size + unit, row * wide + unit
    entering = projected + step.to(tl.int64) * projected_step + replica * projected_replica + broad
    one, two = _read(entering, there), _read(entering + size, there)
    three, four = _read(entering + 2 * size, there), _read(entering + 3 * size, there)
    cells = memory + place * batch * size + narrow
    cell = _read(cells, there)
    states, columns = hidden + place * batch * size, w_hh + replica * size * wide + unit
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        state = _read(states + row * size + depth[None, :], rows & (depth < size)[None, :])
        column, within = columns + depth[:, None] * wide, (depth < size)[:, None] & units
        one = tl.dot(state, _read(column, within), one, input_precision=PRECISION)
        two = tl.dot(state, _read(column + size, within), two, input_precision=PRECISION)
        three = tl.dot(state, _read(column + 2 * size, within), three, input_precision=PRECISION)
        four = tl.dot(state, _read(column + 3 * size, within), four, input_precision=PRECISION)
    enter, forget, draft, leave = tl.sigmoid(one), tl.sigmoid(two), _tanh(three), tl.sigmoid(four)
    cell = forget * cell + enter * draft
    tl.store(states + batch * size + narrow, leave * _tanh(cell), mask=there)
    tl.store(cells + batch * size, cell, mask=there)
    kept = gates + (replica * steps + step) * batch * wide + broad
    tl.store(kept, enter, mask=there)
    tl.store(kept + size, forget, mask=there)
    tl.store(kept + 2 * size, draft, mask=there)
    tl.store(kept + 3 * size, leave, mask=there)


# Backward: gradients of the gates' sums at step t from those at t + 1. sums, (R, n + 1, B, G h), is what was multiplied
# by W_hh, zero behind the last step; inside, (R, n, B, h), the candidate's sum of a GRU; carried, (R, B, h), what goes
# on to the step before without a product.


@triton.jit(do_not_specialize=["step"])
def _rnn_backward(
    given, w_hh, hidden, memory, gates, product, sums, inside, carried, step, steps, batch, size, given_step,
    given_replica, ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there = replica * (steps + 1) + step, rows & units
    narrow = row * size + unit
    one = _read(given + step.to(tl.int64) * given_step + replica * given_replica + narrow, there)
    two = tl.zeros((ROWS, UNITS), tl.float32)
    found = sums + place * batch * size
    output = _read(hidden + (place + 1) * batch * size + narrow, there)
    later, columns = found + batch * size + row * size, w_hh + replica * size * size + unit * size
    for start in range(0, size, 2 * DEPTH):
        near = start + tl.arange(0, DEPTH)
        far = near + DEPTH
        after = _read(later + near[None, :], rows & (near < size)[None, :])
        column = _read(columns + near[:, None], (near < size)[:, None] & units)
        one = tl.dot(after, column, one, input_precision=PRECISION)
        after = _read(later + far[None, :], rows & (far < size)[None, :])
        column = _read(columns + far[:, None], (far < size)[:, None] & units)
        two = tl.dot(after, column, two, input_precision=PRECISION)
    tl.store(found + narrow, (one + two) * (1 - output * output), mask=there)


@triton.jit(do_not_specialize=["step"])
def _gru_backward(
    given, w_hh, hidden, memory, gates, product, sums, inside, carried, step, steps, batch, size, given_step,
    given_replica, ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there, wide = replica * (steps + 1) + step, rows & units, 3 * size
    narrow, broad = row * size + unit, row * wide + unit
    onward, beside = carried + replica * batch * size + narrow, (replica * steps + step) * batch
    one = _read(given + step.to(tl.int64) * given_step + replica * given_replica + narrow, there)
    one += _read(onward, there)
    kept = gates + beside * wide + broad
    reset, update, candidate = _read(kept, there), _read(kept + size, there), _read(kept + 2 * size, there)
    reached = _read(product + beside * size + narrow, there)
    earlier = _read(hidden + place * batch * size + narrow, there)
    two, three = tl.zeros((ROWS, UNITS), tl.float32), tl.zeros((ROWS, UNITS), tl.float32)
    found = sums + place * batch * wide
    later, columns = found + batch * wide + row * wide, w_hh + replica * size * wide + unit * wide
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        after, there_after = later + depth[None, :], rows & (depth < size)[None, :]
        column, within = columns + depth[:, None], (depth < size)[:, None] & units
        one = tl.dot(_read(after, there_after), _read(column, within), one, input_precision=PRECISION)
        after, column = after + size, column + size
        two = tl.dot(_read(after, there_after), _read(column, within), two, input_precision=PRECISION)
        after, column = after + size, column + size
        three = tl.dot(_read(after, there_after), _read(column, within), three, input_precision=PRECISION)
    arrived = one + two + three
    slope = arrived * (1 - update) * (1 - candidate * candidate)
    tl.store(found + broad, slope * reached * reset * (1 - reset), mask=there)
    tl.store(found + broad + size, arrived * (earlier - candidate) * update * (1 - update), mask=there)
    tl.store(found + broad + 2 * size, slope * reset, mask=there)
    tl.store(inside + beside * size + narrow, slope, mask=there)
    tl.store(onward, arrived * update, mask=there)


@triton.jit(do_not_specialize=["step"])
def _lstm_backward(
    given, w_hh, hidden, memory, gates, product, sums, inside, carried, step, steps, batch, size, given_step,
    given_replica, ROWS: tl.constexpr, UNITS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, there, wide = replica * (steps + 1) + step, rows & units, 4 * size
    narrow, broad = row * size + unit, row * wide + unit
    onward, kept = carried + replica * batch * size + narrow, gates + (replica * steps + step) * batch * wide + broad
    one = _read(given + step.to(tl.int64) * given_step + replica * given_replica + narrow, there)
    enter, forget = _read(kept, there), _read(kept + size, there)
    draft, leave = _read(kept + 2 * size, there), _read(kept + 3 * size, there)
    cells = memory + place * batch * size + narrow
    earlier, bent, cell = _read(cells, there), _tanh(_read(cells + batch * size, there)), _read(onward, there)
    two, three = tl.zeros((ROWS, UNITS), tl.float32), tl.zeros((ROWS, UNITS), tl.float32)
    four = tl.zeros((ROWS, UNITS), tl.float32)
    found = sums + place * batch * wide
    later, columns = found + batch * wide + row * wide, w_hh + replica * size * wide + unit * wide
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        after, there_after = later + depth[None, :], rows & (depth < size)[None, :]
        column, within = columns + depth[:, None], (depth < size)[:, None] & units
        one = tl.dot(_read(after, there_after), _read(column, within), one, input_precision=PRECISION)
        after, column = after + size, column + size
        two = tl.dot(_read(after, there_after), _read(column, within), two, input_precision=PRECISION)
        after, column = after + size, column + size
        three = tl.dot(_read(after, there_after), _read(column, within), three, input_precision=PRECISION)
        after, column = after + size, column + size
        four = tl.dot(_read(after, there_after), _read(column, within), four, input_precision=PRECISION)
    arrived = (one + two) + (three + four)
    cell += arrived * leave * (1 - bent * bent)
    tl.store(found + broad, cell * draft * enter * (1 - enter), mask=there)
    tl.store(found + broad + size, cell * earlier * forget * (1 - forget), mask=there)
    tl.store(found + broad + 2 * size, cell * enter * (1 - draft * draft), mask=there)
    tl.store(found + broad + 3 * size, arrived * bent * leave * (1 - leave), mask=there)
    tl.store(onward, cell * forget, mask=there)


FORWARD = {"rnn": _rnn_forward, "gru": _gru_forward, "lstm": _lstm_forward}
BACKWARD = {"rnn": _rnn_backward, "gru": _gru_backward, "lstm": _lstm_backward}
