"""Triton kernels for GPUs: one launch for each time step of a whole fleet, forward and backward.

A program computes a tile of rows and hidden units of one replica: the product with W_hh and everything after it. In a
CUDA graph a launch costs a few microseconds for any number of replicas, where cuDNN computes them in sequence. The
formulas are those of `seqlab.fleet.cells`; tanh(x) is 2 sigmoid(2 x) - 1. Arrays are (R, n, B, ...) in memory, so that
the products before and after the time loop need no copies. The factors of products are rounded to TF32 where that is
used; otherwise each is taken as the sum of two such numbers, so that a product is about as exact as in float32.
"""

import triton
import triton.language as tl


@triton.jit
def _tanh(value):
    return 2 * tl.sigmoid(2 * value) - 1


@triton.jit
def _tile(batch, size, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """Return the replica, rows and units of a program, and masks of the rows and units that exist."""
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    row = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    return tl.program_id(2).to(tl.int64), row[:, None], unit[None, :], (row < batch)[:, None], (unit < size)[None, :]


@triton.jit
def _read(start, mask):
    return tl.load(start, mask=mask, other=0.0)


# Forward, the arrays are hidden and memory (R, n + 1, B, h), gates (R, n, B, G h) and product (R, n, B, h). The terms
# of a sum are read before its product, and each gate has its own sum, so that operations overlap.


@triton.jit(do_not_specialize=["step"])
def _rnn_forward(
    projected,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    step,
    steps,
    batch,
    size,
    projected_step,
    projected_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask = replica * (steps + 1) + step, rows & units
    narrow = row * size + unit
    even_sum = _read(projected + step.to(tl.int64) * projected_step + replica * projected_replica + narrow, mask)
    odd_sum = tl.zeros((ROWS, UNITS), tl.float32)
    states, columns = hidden + place * batch * size + row * size, w_hh + replica * size * size + unit
    for start in range(0, size, 2 * DEPTH):
        even = start + tl.arange(0, DEPTH)
        odd = even + DEPTH
        state = _read(states + even[None, :], rows & (even < size)[None, :])
        column = _read(columns + even[:, None] * size, (even < size)[:, None] & units)
        even_sum = tl.dot(state, column, even_sum, input_precision=PRECISION)
        state = _read(states + odd[None, :], rows & (odd < size)[None, :])
        column = _read(columns + odd[:, None] * size, (odd < size)[:, None] & units)
        odd_sum = tl.dot(state, column, odd_sum, input_precision=PRECISION)
    tl.store(hidden + (place + 1) * batch * size + narrow, _tanh(even_sum + odd_sum), mask=mask)


@triton.jit(do_not_specialize=["step"])
def _gru_forward(
    projected,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    step,
    steps,
    batch,
    size,
    projected_step,
    projected_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask, wide = replica * (steps + 1) + step, rows & units, 3 * size
    narrow, broad = row * size + unit, row * wide + unit
    entering = projected + step.to(tl.int64) * projected_step + replica * projected_replica + broad
    reset_sum, update_sum = _read(entering, mask), _read(entering + size, mask)
    opening = _read(entering + 2 * size, mask)
    states, columns = hidden + place * batch * size, w_hh + replica * size * wide + unit
    earlier = _read(states + narrow, mask)
    candidate_product = tl.zeros((ROWS, UNITS), tl.float32)
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        state = _read(states + row * size + depth[None, :], rows & (depth < size)[None, :])
        column, within = columns + depth[:, None] * wide, (depth < size)[:, None] & units
        reset_sum = tl.dot(state, _read(column, within), reset_sum, input_precision=PRECISION)
        update_sum = tl.dot(state, _read(column + size, within), update_sum, input_precision=PRECISION)
        candidate_product = tl.dot(
            state, _read(column + 2 * size, within), candidate_product, input_precision=PRECISION
        )
    reset, update = tl.sigmoid(reset_sum), tl.sigmoid(update_sum)
    candidate = _tanh(opening + reset * candidate_product)
    tl.store(states + batch * size + narrow, candidate + update * (earlier - candidate), mask=mask)
    gate = gates + (replica * steps + step) * batch * wide + broad
    tl.store(gate, reset, mask=mask)
    tl.store(gate + size, update, mask=mask)
    tl.store(gate + 2 * size, candidate, mask=mask)
    tl.store(product + (replica * steps + step) * batch * size + narrow, candidate_product, mask=mask)


@triton.jit(do_not_specialize=["step"])
def _lstm_forward(
    projected,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    step,
    steps,
    batch,
    size,
    projected_step,
    projected_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask, wide = replica * (steps + 1) + step, rows & units, 4 * size
    narrow, broad = row * size + unit, row * wide + unit
    entering = projected + step.to(tl.int64) * projected_step + replica * projected_replica + broad
    enter_sum, forget_sum = _read(entering, mask), _read(entering + size, mask)
    draft_sum, leave_sum = _read(entering + 2 * size, mask), _read(entering + 3 * size, mask)
    cells = memory + place * batch * size + narrow
    cell = _read(cells, mask)
    states, columns = hidden + place * batch * size, w_hh + replica * size * wide + unit
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        state = _read(states + row * size + depth[None, :], rows & (depth < size)[None, :])
        column, within = columns + depth[:, None] * wide, (depth < size)[:, None] & units
        enter_sum = tl.dot(state, _read(column, within), enter_sum, input_precision=PRECISION)
        forget_sum = tl.dot(state, _read(column + size, within), forget_sum, input_precision=PRECISION)
        draft_sum = tl.dot(state, _read(column + 2 * size, within), draft_sum, input_precision=PRECISION)
        leave_sum = tl.dot(state, _read(column + 3 * size, within), leave_sum, input_precision=PRECISION)
    enter, forget, draft, leave = tl.sigmoid(enter_sum), tl.sigmoid(forget_sum), _tanh(draft_sum), tl.sigmoid(leave_sum)
    cell = forget * cell + enter * draft
    tl.store(states + batch * size + narrow, leave * _tanh(cell), mask=mask)
    tl.store(cells + batch * size, cell, mask=mask)
    gate = gates + (replica * steps + step) * batch * wide + broad
    tl.store(gate, enter, mask=mask)
    tl.store(gate + size, forget, mask=mask)
    tl.store(gate + 2 * size, draft, mask=mask)
    tl.store(gate + 3 * size, leave, mask=mask)


# Backward: gradients of the gates' sums at step t from those at t + 1. sums, (R, n + 1, B, G h), are the gradients of
# the sums that W_hh enters, zero after the last step; inside, (R, n, B, h), that of the candidate's sum of a GRU;
# carried, (R, B, h), the gradient that reaches the step before without a product.


@triton.jit(do_not_specialize=["step"])
def _rnn_backward(
    gradient,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    sums,
    inside,
    carried,
    step,
    steps,
    batch,
    size,
    gradient_step,
    gradient_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask = replica * (steps + 1) + step, rows & units
    narrow = row * size + unit
    even_sum = _read(gradient + step.to(tl.int64) * gradient_step + replica * gradient_replica + narrow, mask)
    odd_sum = tl.zeros((ROWS, UNITS), tl.float32)
    target = sums + place * batch * size
    output = _read(hidden + (place + 1) * batch * size + narrow, mask)
    later, columns = target + batch * size + row * size, w_hh + replica * size * size + unit * size
    for start in range(0, size, 2 * DEPTH):
        even = start + tl.arange(0, DEPTH)
        odd = even + DEPTH
        after = _read(later + even[None, :], rows & (even < size)[None, :])
        column = _read(columns + even[:, None], (even < size)[:, None] & units)
        even_sum = tl.dot(after, column, even_sum, input_precision=PRECISION)
        after = _read(later + odd[None, :], rows & (odd < size)[None, :])
        column = _read(columns + odd[:, None], (odd < size)[:, None] & units)
        odd_sum = tl.dot(after, column, odd_sum, input_precision=PRECISION)
    tl.store(target + narrow, (even_sum + odd_sum) * (1 - output * output), mask=mask)


@triton.jit(do_not_specialize=["step"])
def _gru_backward(
    gradient,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    sums,
    inside,
    carried,
    step,
    steps,
    batch,
    size,
    gradient_step,
    gradient_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask, wide = replica * (steps + 1) + step, rows & units, 3 * size
    narrow, broad = row * size + unit, row * wide + unit
    onward, beside = carried + replica * batch * size + narrow, (replica * steps + step) * batch
    reset_sum = _read(gradient + step.to(tl.int64) * gradient_step + replica * gradient_replica + narrow, mask)
    reset_sum += _read(onward, mask)
    gate = gates + beside * wide + broad
    reset, update, candidate = _read(gate, mask), _read(gate + size, mask), _read(gate + 2 * size, mask)
    reached = _read(product + beside * size + narrow, mask)
    earlier = _read(hidden + place * batch * size + narrow, mask)
    update_sum, candidate_sum = tl.zeros((ROWS, UNITS), tl.float32), tl.zeros((ROWS, UNITS), tl.float32)
    target = sums + place * batch * wide
    later, columns = target + batch * wide + row * wide, w_hh + replica * size * wide + unit * wide
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        after, after_mask = later + depth[None, :], rows & (depth < size)[None, :]
        column, within = columns + depth[:, None], (depth < size)[:, None] & units
        reset_sum = tl.dot(_read(after, after_mask), _read(column, within), reset_sum, input_precision=PRECISION)
        after, column = after + size, column + size
        update_sum = tl.dot(_read(after, after_mask), _read(column, within), update_sum, input_precision=PRECISION)
        after, column = after + size, column + size
        candidate_sum = tl.dot(
            _read(after, after_mask), _read(column, within), candidate_sum, input_precision=PRECISION
        )
    arrived = reset_sum + update_sum + candidate_sum
    slope = arrived * (1 - update) * (1 - candidate * candidate)
    tl.store(target + broad, slope * reached * reset * (1 - reset), mask=mask)
    tl.store(target + broad + size, arrived * (earlier - candidate) * update * (1 - update), mask=mask)
    tl.store(target + broad + 2 * size, slope * reset, mask=mask)
    tl.store(inside + beside * size + narrow, slope, mask=mask)
    tl.store(onward, arrived * update, mask=mask)


@triton.jit(do_not_specialize=["step"])
def _lstm_backward(
    gradient,
    w_hh,
    hidden,
    memory,
    gates,
    product,
    sums,
    inside,
    carried,
    step,
    steps,
    batch,
    size,
    gradient_step,
    gradient_replica,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    replica, row, unit, rows, units = _tile(batch, size, ROWS, UNITS)
    place, mask, wide = replica * (steps + 1) + step, rows & units, 4 * size
    narrow, broad = row * size + unit, row * wide + unit
    onward, gate = carried + replica * batch * size + narrow, gates + (replica * steps + step) * batch * wide + broad
    enter_sum = _read(gradient + step.to(tl.int64) * gradient_step + replica * gradient_replica + narrow, mask)
    enter, forget = _read(gate, mask), _read(gate + size, mask)
    draft, leave = _read(gate + 2 * size, mask), _read(gate + 3 * size, mask)
    cells = memory + place * batch * size + narrow
    earlier, bent, cell = _read(cells, mask), _tanh(_read(cells + batch * size, mask)), _read(onward, mask)
    forget_sum, draft_sum = tl.zeros((ROWS, UNITS), tl.float32), tl.zeros((ROWS, UNITS), tl.float32)
    leave_sum = tl.zeros((ROWS, UNITS), tl.float32)
    target = sums + place * batch * wide
    later, columns = target + batch * wide + row * wide, w_hh + replica * size * wide + unit * wide
    for start in range(0, size, DEPTH):
        depth = start + tl.arange(0, DEPTH)
        after, there_after = later + depth[None, :], rows & (depth < size)[None, :]
        column, within = columns + depth[:, None], (depth < size)[:, None] & units
        enter_sum = tl.dot(_read(after, there_after), _read(column, within), enter_sum, input_precision=PRECISION)
        after, column = after + size, column + size
        forget_sum = tl.dot(_read(after, there_after), _read(column, within), forget_sum, input_precision=PRECISION)
        after, column = after + size, column + size
        draft_sum = tl.dot(_read(after, there_after), _read(column, within), draft_sum, input_precision=PRECISION)
        after, column = after + size, column + size
        leave_sum = tl.dot(_read(after, there_after), _read(column, within), leave_sum, input_precision=PRECISION)
    arrived = (enter_sum + forget_sum) + (draft_sum + leave_sum)
    cell += arrived * leave * (1 - bent * bent)
    tl.store(target + broad, cell * draft * enter * (1 - enter), mask=mask)
    tl.store(target + broad + size, cell * earlier * forget * (1 - forget), mask=mask)
    tl.store(target + broad + 2 * size, cell * enter * (1 - draft * draft), mask=mask)
    tl.store(target + broad + 3 * size, arrived * bent * leave * (1 - leave), mask=mask)
    tl.store(onward, cell * forget, mask=mask)


FORWARD = {"rnn": _rnn_forward, "gru": _gru_forward, "lstm": _lstm_forward}
BACKWARD = {"rnn": _rnn_backward, "gru": _gru_backward, "lstm": _lstm_backward}
