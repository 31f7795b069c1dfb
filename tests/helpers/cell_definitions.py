"""One step of each cell that torch.nn does not have, as its paper writes it: slow, plain, for one replica.

A definition takes the input of a step, (B, i), the weights of a layer, (rows, columns), and the state before, and
returns the output, (B, h), and the state after. All signs of gates and orders of columns are those of `seqlab`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

State = tuple[Tensor, ...]
Definition = Callable[[Tensor, dict[str, Tensor], State], tuple[Tensor, State]]


def step_mingru(x: Tensor, weights: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    """Feng et al. 2024, section 3.1."""
    update, candidate = (x @ weights["W_xh"] + weights["b_h"]).chunk(2, -1)
    z = torch.sigmoid(update)
    h = (1 - z) * state[0] + z * candidate
    return h, (h,)


def step_minlstm(x: Tensor, weights: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    """Feng et al. 2024, section 3.2, with gates scaled to a sum of one."""
    i, f, candidate = (x @ weights["W_xh"] + weights["b_h"]).chunk(3, -1)
    i, f = torch.sigmoid(i), torch.sigmoid(f)
    h = f / (f + i) * state[0] + i / (f + i) * candidate
    return h, (h,)


def step_slstm(x: Tensor, weights: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    """Beck et al. 2024, Eq. 8 to 17, the forget gate a sigmoid; the first stabiliser is the input gate's exponent."""
    h, c, n, m = state
    i, f, z, o = (x @ weights["W_xh"] + h @ weights["W_hh"] + weights["b_h"]).chunk(4, -1)
    kept = torch.log(torch.sigmoid(f)) + m
    m = torch.where(n == 0, i, torch.maximum(kept, i)).detach()
    i, f = torch.exp(i - m), torch.where(n == 0, 0.0, torch.exp(kept - m))
    c, n = f * c + i * torch.tanh(z), f * n + i
    h = torch.sigmoid(o) * c / n
    return h, (h, c, n, m)


DEFINITIONS: dict[str, Definition] = {
    "mingru": step_mingru,
    "minlstm": step_minlstm,
    "slstm": step_slstm,
}


def run_definition(
    cell: str, inputs: Tensor, state: State, weights: dict[str, Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Compute a layer as `seqlab.fleet.stack.run_layer` does: inputs (n, R, B, i), outputs (n, R, B, h)."""
    outputs, states = [], []
    for replica in range(inputs.shape[1]):
        after, of_replica = tuple(part[replica] for part in state), {n: v[replica] for n, v in weights.items()}
        steps = []
        for x in inputs[:, replica]:
            output, after = DEFINITIONS[cell](x, of_replica, after)
            steps.append(output)
        outputs.append(torch.stack(steps))
        states.append(after)
    return torch.stack(outputs, 1), tuple(torch.stack(parts) for parts in zip(*states, strict=True))
