"""One step of each cell that torch.nn does not have, as its paper writes it: slow, plain, for one replica.

A definition takes the input of a step, (B, i), the weights of a layer, (rows, columns), and the state before, and
returns the output, (B, h), and the state after. All signs of gates and orders of columns are those of `seqlab`.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

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


def step_deltanet(x: Tensor, weights: dict[str, Tensor], state: State, beta_max: float = 1.0) -> tuple[Tensor, State]:
    """Yang et al. 2024, Eq. 1, with beta up to `beta_max` (Grazzi et al. 2025); the matrix of each head in a loop."""
    rows, heads, units, _ = state[0].shape
    sums = x @ weights["W_xh"] + weights["b_h"]
    q, k, v = (part.view(rows, heads, units) for part in functional.silu(sums[:, :-heads]).chunk(3, -1))
    q, k = (part / (part.square().sum(-1, keepdim=True) + 1e-4).sqrt() for part in (q, k))
    beta = beta_max * torch.sigmoid(sums[:, -heads:])
    outputs, after = [], []
    for row in range(rows):
        for head in range(heads):
            key, rate = k[row, head], beta[row, head]
            s = state[0][row, head] @ (torch.eye(units).to(x) - rate * torch.outer(key, key))
            s = s + rate * torch.outer(v[row, head], key)
            o = s @ q[row, head]
            outputs.append(o / (o.square().mean() + 0.1).sqrt() * weights["s_o"][0])
            after.append(s)
    return torch.stack(outputs).view(rows, -1) @ weights["W_oh"], (torch.stack(after).view_as(state[0]),)


def step_mogrifier(x: Tensor, weights: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    """Melis et al. 2020, Eq. 1 and 2 with five rounds, then an LSTM."""
    h, c = state
    x = 2 * torch.sigmoid(h @ weights["Q1"]) * x
    h = 2 * torch.sigmoid(x @ weights["R2"]) * h
    x = 2 * torch.sigmoid(h @ weights["Q3"]) * x
    h = 2 * torch.sigmoid(x @ weights["R4"]) * h
    x = 2 * torch.sigmoid(h @ weights["Q5"]) * x
    i, f, z, o = (x @ weights["W_xh"] + h @ weights["W_hh"] + weights["b_h"]).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, (h, c)


DEFINITIONS: dict[str, Definition] = {
    "mingru": step_mingru,
    "minlstm": step_minlstm,
    "slstm": step_slstm,
    "deltanet": step_deltanet,
    "mogrifier": step_mogrifier,
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
