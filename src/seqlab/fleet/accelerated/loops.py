"""Time loops of recurrent layers, compiled by numba, forward and backward, for all replicas one after the other.

They are for small layers, where a call of torch takes longer than its arithmetic. Arrays are contiguous and of float32,
with the axes of `seqlab.fleet.cells`. Sums may be taken in any order, but what is not finite stays so.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seqlab.machine.compilation import compiling

Array = NDArray[np.float32]
ORDER: Any = {"contract", "reassoc", "nsz", "arcp"}  # what the compiler may do; not to assume that numbers are finite
in_any_order: Any = compiling(fastmath=ORDER, error_model="numpy")
inlined: Any = njit(inline="always", nogil=True)
HALF = np.float32(0.5)
LIMIT = np.float32(7.90531110763549805)  # from which tanh is 1 in float32
# coefficients of x, x^3, ... x^13 over those of 1, x^2, x^4, x^6, with an error of a few units in the last place: the
# rational approximation of Eigen (Eigen/src/Core/MathFunctionsImpl.h, generic_fast_tanh_float)
UPPER = np.array(
    [
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    ],
    dtype=np.float32,
)
LOWER = np.array(
    [1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03], dtype=np.float32
)
U13, U11, U9, U7, U5, U3, U1 = UPPER
L6, L4, L2, L0 = LOWER


@inlined
def tanh(x):
    """Return tanh(x); that of NaN is NaN."""
    x = LIMIT if x > LIMIT else x
    x = -LIMIT if x < -LIMIT else x
    square = x * x
    upper = (((((U13 * square + U11) * square + U9) * square + U7) * square + U5) * square + U3) * square + U1
    lower = ((L6 * square + L4) * square + L2) * square + L0
    return x * upper / lower


@inlined
def sigmoid(x):
    """Return 1 / (1 + exp(-x))."""
    return HALF + HALF * tanh(HALF * x)


@in_any_order
def add_product(first: Array, second: Array, total: Array) -> None:
    """Add `first`, (a, b), times `second`, (b, c), to `total`, (a, c).

    Four rows are multiplied by four rows at once, so that what is loaded is used often.
    """
    rows, depth = first.shape
    columns = second.shape[1]
    whole_rows, whole_depth = rows // 4 * 4, depth // 4 * 4
    for row in range(0, whole_rows, 4):
        t0, t1, t2, t3 = total[row], total[row + 1], total[row + 2], total[row + 3]
        f0, f1, f2, f3 = first[row], first[row + 1], first[row + 2], first[row + 3]
        for k in range(0, whole_depth, 4):
            s0, s1, s2, s3 = second[k], second[k + 1], second[k + 2], second[k + 3]
            f00, f01, f02, f03 = f0[k], f0[k + 1], f0[k + 2], f0[k + 3]
            f10, f11, f12, f13 = f1[k], f1[k + 1], f1[k + 2], f1[k + 3]
            f20, f21, f22, f23 = f2[k], f2[k + 1], f2[k + 2], f2[k + 3]
            f30, f31, f32, f33 = f3[k], f3[k + 1], f3[k + 2], f3[k + 3]
            for j in range(columns):
                v0, v1, v2, v3 = s0[j], s1[j], s2[j], s3[j]
                t0[j] += f00 * v0 + f01 * v1 + f02 * v2 + f03 * v3
                t1[j] += f10 * v0 + f11 * v1 + f12 * v2 + f13 * v3
                t2[j] += f20 * v0 + f21 * v1 + f22 * v2 + f23 * v3
                t3[j] += f30 * v0 + f31 * v1 + f32 * v2 + f33 * v3
        for k in range(whole_depth, depth):
            s0 = second[k]
            f00, f10, f20, f30 = f0[k], f1[k], f2[k], f3[k]
            for j in range(columns):
                v0 = s0[j]
                t0[j] += f00 * v0
                t1[j] += f10 * v0
                t2[j] += f20 * v0
                t3[j] += f30 * v0
    for row in range(whole_rows, rows):
        t0, f0 = total[row], first[row]
        for k in range(depth):
            s0, f00 = second[k], f0[k]
            for j in range(columns):
                t0[j] += f00 * s0[j]


@in_any_order
def rnn_forward(outputs: Array, w_hh: Array, first: Array) -> None:
    """Turn `outputs`, which hold X_t W_xh + b_h, (n, R, B, h), into H_t."""
    steps, replicas, rows, size = outputs.shape
    for replica in range(replicas):
        hidden = first[replica]
        for step in range(steps):
            total = outputs[step, replica]
            add_product(hidden, w_hh[replica], total)
            for row in range(rows):
                values = total[row]
                for j in range(size):
                    values[j] = tanh(values[j])
            hidden = total


@in_any_order
def rnn_backward(before: Array, outputs: Array, w_back: Array, carried: Array) -> None:
    """Turn `before`, which holds the gradients of H_t, (n, R, B, h), into those of the sums inside tanh.

    `w_back` is W_hh with its axes exchanged; `carried`, (R, B, h), becomes the gradient of the first state.
    """
    steps, replicas, rows, size = outputs.shape
    for replica in range(replicas):
        onward = carried[replica]
        for step in range(steps - 1, -1, -1):
            sums, output = before[step, replica], outputs[step, replica]
            for row in range(rows):
                of_sum, value, arrived = sums[row], output[row], onward[row]
                for j in range(size):
                    of_sum[j] = (of_sum[j] + arrived[j]) * (1 - value[j] * value[j])
                    arrived[j] = 0
            add_product(sums, w_back[replica], onward)


@in_any_order
def gru_forward(gates: Array, products: Array, w_hh: Array, first: Array, outputs: Array) -> None:
    """Turn `gates`, which hold X_t W_xh + b_h, (n, R, B, 3 h), into reset, update and candidate, and write H_t.

    `products`, zeros of the same shape, becomes H_{t-1} W_hh.
    """
    steps, replicas, rows, size = outputs.shape
    for replica in range(replicas):
        hidden = first[replica]
        for step in range(steps):
            product = products[step, replica]
            add_product(hidden, w_hh[replica], product)
            for row in range(rows):
                values, sums = gates[step, replica, row], product[row]
                reset, update, candidate = values[:size], values[size : 2 * size], values[2 * size :]
                of_reset, of_update, of_candidate = sums[:size], sums[size : 2 * size], sums[2 * size :]
                earlier, output = hidden[row], outputs[step, replica, row]
                for j in range(size):
                    opened, kept = sigmoid(reset[j] + of_reset[j]), sigmoid(update[j] + of_update[j])
                    drafted = tanh(candidate[j] + opened * of_candidate[j])
                    reset[j], update[j], candidate[j] = opened, kept, drafted
                    output[j] = drafted + kept * (earlier[j] - drafted)
            hidden = outputs[step, replica]


@in_any_order
def gru_backward(
    gates: Array,
    products: Array,
    outputs: Array,
    gradient: Array,
    first: Array,
    w_back: Array,
    sums: Array,
    inside: Array,
    carried: Array,
) -> None:
    """Write the gradients of H_{t-1} W_hh, `sums` (n, R, B, 3 h), and of what the input adds to the candidate, `inside`
    (n, R, B, h), from those of H_t, `gradient`. The rest is as in `rnn_backward`.
    """
    steps, replicas, rows, size = outputs.shape
    for replica in range(replicas):
        onward = carried[replica]
        for step in range(steps - 1, -1, -1):
            earlier = outputs[step - 1, replica] if step else first[replica]
            for row in range(rows):
                values, product = gates[step, replica, row], products[step, replica, row, 2 * size :]
                reset, update, candidate = values[:size], values[size : 2 * size], values[2 * size :]
                total = sums[step, replica, row]
                of_reset, of_update, of_product = total[:size], total[size : 2 * size], total[2 * size :]
                of_output, of_candidate = gradient[step, replica, row], inside[step, replica, row]
                arrived, before = onward[row], earlier[row]
                for j in range(size):
                    opened, kept, drafted, whole = reset[j], update[j], candidate[j], of_output[j] + arrived[j]
                    drafting = whole * (1 - kept) * (1 - drafted * drafted)
                    of_candidate[j] = drafting
                    of_reset[j] = drafting * product[j] * opened * (1 - opened)
                    of_update[j] = whole * (before[j] - drafted) * kept * (1 - kept)
                    of_product[j] = drafting * opened
                    arrived[j] = whole * kept
            add_product(sums[step, replica], w_back[replica], onward)


@in_any_order
def lstm_forward(gates: Array, w_hh: Array, first: Array, memory: Array, cells: Array, outputs: Array) -> None:
    """Turn `gates`, which hold X_t W_xh + b_h, (n, R, B, 4 h), into the gates; write memory cells and H_t."""
    steps, replicas, rows, size = outputs.shape
    for replica in range(replicas):
        hidden, before = first[replica], memory[replica]
        for step in range(steps):
            add_product(hidden, w_hh[replica], gates[step, replica])
            for row in range(rows):
                values, cell = gates[step, replica, row], cells[step, replica, row]
                enter, forget = values[:size], values[size : 2 * size]
                draft, leave = values[2 * size : 3 * size], values[3 * size :]
                earlier, output = before[row], outputs[step, replica, row]
                for j in range(size):
                    entered, kept = sigmoid(enter[j]), sigmoid(forget[j])
                    drafted, left = tanh(draft[j]), sigmoid(leave[j])
                    enter[j], forget[j], draft[j], leave[j] = entered, kept, drafted, left
                    value = kept * earlier[j] + entered * drafted
                    cell[j] = value
                    output[j] = left * tanh(value)
            hidden, before = outputs[step, replica], cells[step, replica]


@in_any_order
def lstm_backward(
    gates: Array,
    cells: Array,
    gradient: Array,
    memory: Array,
    w_back: Array,
    sums: Array,
    carried: Array,
    carried_cell: Array,
) -> None:
    """Write the gradients of the sums inside the gates, `sums` (n, R, B, 4 h), from those of H_t, `gradient`.

    `carried_cell`, (R, B, h), holds the gradient of the last memory cells and becomes that of the first. The rest is as
    in `rnn_backward`.
    """
    steps, replicas, rows, size = cells.shape
    for replica in range(replicas):
        onward, onward_cell = carried[replica], carried_cell[replica]
        for step in range(steps - 1, -1, -1):
            before = cells[step - 1, replica] if step else memory[replica]
            for row in range(rows):
                values, total = gates[step, replica, row], sums[step, replica, row]
                enter, forget = values[:size], values[size : 2 * size]
                draft, leave = values[2 * size : 3 * size], values[3 * size :]
                of_enter, of_forget = total[:size], total[size : 2 * size]
                of_draft, of_leave = total[2 * size : 3 * size], total[3 * size :]
                cell, earlier, of_output = cells[step, replica, row], before[row], gradient[step, replica, row]
                arrived, arrived_cell = onward[row], onward_cell[row]
                for j in range(size):
                    entered, kept, drafted, left = enter[j], forget[j], draft[j], leave[j]
                    whole, bent = of_output[j] + arrived[j], tanh(cell[j])
                    of_cell = arrived_cell[j] + whole * left * (1 - bent * bent)
                    of_enter[j] = of_cell * drafted * entered * (1 - entered)
                    of_forget[j] = of_cell * earlier[j] * kept * (1 - kept)
                    of_draft[j] = of_cell * entered * (1 - drafted * drafted)
                    of_leave[j] = whole * bent * left * (1 - left)
                    arrived_cell[j] = of_cell * kept
                    arrived[j] = 0
            add_product(sums[step, replica], w_back[replica], onward)
