"""Triton kernels for GPUs: one launch for each time step of a whole fleet, forward and backward.

A program computes some hidden units of some rows of one replica: the product with W_hh and everything after it. In a
CUDA graph a launch costs a few microseconds, whatever the number of replicas, where cuDNN takes one after the other.
The formulas are those of `seqlab.rnn.cells`; tanh(x) is 2 sigmoid(2 x) - 1. Arrays are (R, n, B, ...) in memory, so
that the products before and after the time loop need no copies. The factors of products are rounded to TF32 where that
is used; otherwise each is taken as the sum of two such numbers, so that a product is about as exact as in float32.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.devices import tf32_is_used

State = tuple[Tensor, ...]  # as in `seqlab.rnn.cells`
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
ROWS, UNITS, DEPTH = 16, 32, 64  # of a program: rows and units of its tile, and how far a product reaches at once
WARPS, STAGES = 4, 3  # of a program; all five were the fastest of some on an H200
MOST_BELOW = 320  # units of all replicas together, below which cuDNN is faster, which keeps W_hh on the chip
MOST_UNITS = {"rnn": 256, "gru": 128, "lstm": 128}  # up to which it does


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


class _Steps(torch.autograd.Function):
    """A layer: projected (n, R, B, G h), W_hh (R, h, G h), the states (R, B, h)."""

    @staticmethod
    def forward(ctx: Any, cell: str, projected: Tensor, w_hh: Tensor, first: Tensor, memory: Tensor | None) -> Any:
        projected, w_hh = _dense(projected), w_hh.contiguous()
        steps, replicas, batch, wide = projected.shape
        size = first.shape[-1]
        hidden = projected.new_empty(replicas, steps + 1, batch, size)
        hidden[:, 0] = first
        cells = torch.empty_like(hidden) if memory is not None else hidden
        if memory is not None:
            cells[:, 0] = memory
        gates = projected.new_empty(replicas, steps, batch, wide) if cell != "rnn" else hidden
        product = projected.new_empty(replicas, steps, batch, size) if cell == "gru" else hidden
        grid, options = _tiles(size, batch, replicas)
        for step in range(steps):
            FORWARD[cell][grid](
                projected, w_hh, hidden, cells, gates, product, step, steps, batch, size, *projected.stride()[:2],
                **options,
            )  # fmt: skip
        ctx.cell = cell
        ctx.save_for_backward(w_hh, hidden, cells, gates, product)
        outputs = hidden[:, 1:].transpose(0, 1)
        return (outputs, cells[:, -1]) if memory is not None else outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor, last: Tensor | None = None) -> Any:
        cell: str = ctx.cell
        w_hh, hidden, cells, gates, product = ctx.saved_tensors
        replicas, steps, batch, size = hidden.shape[0], hidden.shape[1] - 1, hidden.shape[2], hidden.shape[3]
        wide = GATES[cell] * size
        given = _dense(given)
        sums = hidden.new_empty(replicas, steps + 1, batch, wide)
        sums[:, steps] = 0
        inside = hidden.new_empty(replicas, steps, batch, size) if cell == "gru" else hidden
        carried = hidden.new_zeros(replicas, batch, size) if last is None else last.contiguous().clone()
        grid, options = _tiles(size, batch, replicas)
        for step in reversed(range(steps)):
            BACKWARD[cell][grid](
                given, w_hh, hidden, cells, gates, product, sums, inside, carried, step, steps, batch, size,
                *given.stride()[:2], **options,
            )  # fmt: skip
        before, earlier = sums[:, :-1], hidden[:, :-1]
        weight = earlier.reshape(replicas, steps * batch, size).mT @ before.reshape(replicas, steps * batch, wide)
        arrived = None
        if ctx.needs_input_grad[3]:
            arrived = sums[:, 0] @ w_hh.mT + (carried if cell == "gru" else 0)
        if cell == "gru":
            before[..., 2 * size :] = inside  # the input's part of the candidate is not reset
        return None, before.transpose(0, 1), weight, arrived, carried if cell == "lstm" else None


def is_faster(cell: str, w_hh: Tensor) -> bool:
    """Whether these kernels are faster than cuDNN, replica after replica, for W_hh, (R, h, G h)."""
    replicas, size, _ = w_hh.shape
    return cell in GATES and (size > MOST_UNITS[cell] or replicas * size >= MOST_BELOW)


def step_layer(cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """As the layers of `seqlab.rnn.cells`, in float32, or TF32 where that is used."""
    apply: Any = _Steps.apply
    if cell == "lstm":
        outputs, memory = apply(cell, projected, w_hh, *state)
        return outputs, (outputs[-1], memory)
    outputs = apply(cell, projected, w_hh, state[0], None)
    return outputs, (outputs[-1],)


def _dense(values: Tensor) -> Tensor:
    """`values`, (n, R, B, i), with whole matrices (B, i), in whichever order."""
    return values if values.stride()[2:] == (values.shape[3], 1) else values.contiguous()


def _tiles(size: int, batch: int, replicas: int) -> tuple[tuple[int, int, int], dict[str, Any]]:
    """The programs of a launch, and its options."""
    options: dict[str, Any] = {"ROWS": ROWS, "UNITS": UNITS, "DEPTH": DEPTH, "num_warps": WARPS, "num_stages": STAGES}
    grid = triton.cdiv(size, UNITS), triton.cdiv(batch, ROWS), replicas
    return grid, options | {"PRECISION": "tf32" if tf32_is_used() else "tf32x3"}
