"""Delta rule with a matrix state (DeltaNet): a time loop, and blocks of steps by products of matrices."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from seqlab.fleet.cells.cell import Cell, Shapes, State
from seqlab.fleet.products import affine

HEADS = 4  # of a layer, as in the published experiments
BLOCK_STEPS = 64  # of the scan at most
PUBLISHED_BETA_MAX = 1.0
KEY_EPSILON, OUTPUT_EPSILON = 1e-4, 0.1  # added to squares under roots; a dropped input has a key of zero
RATE_BIAS, RATE_SPREAD = 2.0, 4.0  # of the sums of the rates at the start

Recurrence = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def count_units(hidden: int) -> int:
    """Return the units d of each head of a layer with `hidden` units: a quarter, rounded up."""
    return math.ceil(hidden / HEADS)


def deltanet_layer(
    projected: Tensor,
    state: State,
    w_oh: Tensor,
    scale: Tensor,
    precision: torch.dtype | None = None,
    beta_max: float | None = None,
) -> tuple[Tensor, State]:
    """DeltaNet (Schlag, Irie & Schmidhuber 2021), the layer of Yang et al. 2024 without its short convolutions.

    Each head has queries q, keys k and values v, column vectors of d units, a rate beta and a matrix S:

        S_t = S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T          o_t = S_t q_t

    q and k are SiLUs of their sums, scaled to the unit sphere; v is a SiLU; beta is `beta_max` times a sigmoid. With
    `beta_max` 1, the default, as published, S only forgets along k; with 2 its sign may change, because the eigenvalue
    1 - beta is negative (Grazzi et al. 2025). The outputs of a head are divided by their root mean square and
    multiplied by `scale`, (R, 1, d); the product of all heads with `w_oh`, (R, heads d, h), is the output. Small
    outputs stay small, by a larger OUTPUT_EPSILON than the published 1e-5, so that their errors don't grow.

    `projected` is (n, R, B, 3 heads d + heads), in the order q, k, v, beta, and the state (R, B, heads, d, d). Returns
    as `rnn_layer`.
    """
    return _deltanet(_loop_steps, projected, state, w_oh, scale, precision, beta_max)


def deltanet_scan(
    projected: Tensor,
    state: State,
    w_oh: Tensor,
    scale: Tensor,
    precision: torch.dtype | None = None,
    beta_max: float | None = None,
) -> tuple[Tensor, State]:
    """Compute `deltanet_layer` in blocks of steps."""
    return _deltanet(_scan_blocks, projected, state, w_oh, scale, precision, beta_max)


def _deltanet(
    recurrence: Recurrence,
    projected: Tensor,
    state: State,
    w_oh: Tensor,
    scale: Tensor,
    precision: torch.dtype | None,
    beta_max: float | None,
) -> tuple[Tensor, State]:
    (before,) = state
    heads, units = before.shape[2:4]
    *parts, rate = projected.split([heads * units] * 3 + [heads], -1)
    queries, keys, values = (_by_head(functional.silu(part), heads) for part in parts)
    rates = _by_head(torch.sigmoid(rate) * (PUBLISHED_BETA_MAX if beta_max is None else beta_max), heads)
    queries, keys = (part * (part.square().sum(-1, keepdim=True) + KEY_EPSILON).rsqrt() for part in (queries, keys))
    outputs, after = recurrence(queries, keys, values, rates, before.flatten(0, 2))
    outputs = outputs * (outputs.square().mean(-1, keepdim=True) + OUTPUT_EPSILON).rsqrt()
    outputs = outputs.view(*before.shape[:3], -1, units).permute(3, 0, 1, 2, 4) * scale[:, :, None]
    return affine(outputs.flatten(3), w_oh, w_oh.new_zeros(1, 1, 1), precision), (after.view_as(before),)


def _by_head(values: Tensor, heads: int) -> Tensor:
    """Reorder values of all steps, (n, R, B, heads d), as one matrix for each head: (R B heads, n, d)."""
    return values.unflatten(-1, (heads, -1)).permute(1, 2, 3, 0, 4).flatten(0, 2)


def _loop_steps(queries: Tensor, keys: Tensor, values: Tensor, rates: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs, (heads, n, d), and the last S, (heads, d, d), for the heads of all replicas and rows of a batch."""
    outputs = []
    for query, key, value, rate in zip(*(part.unbind(1) for part in (queries, keys, values, rates)), strict=True):
        written = rate * (value - (before @ key[..., None])[..., 0])
        before = before + written[..., None] * key[:, None]
        outputs.append((before @ query[..., None])[..., 0])
    return torch.stack(outputs, 1), before


def _scan_blocks(queries: Tensor, keys: Tensor, values: Tensor, rates: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Compute `_loop_steps` in blocks.

    What step t writes, u_t = beta_t (v_t - S_{t-1} k_t), depends within a block on S before it and on the u before t:
    with rows for steps, (I + A) U = beta (V - K S^T) for the part A of beta K K^T below the diagonal, a triangular
    system (Yang et al. 2024, section 3.2). It is solved by substitution: an inverse by powers of A would overflow where
    keys repeat and beta is near 2.
    """
    blocks = math.ceil(keys.shape[1] / BLOCK_STEPS)
    outputs = []
    for query, key, value, rate in zip(
        *(part.chunk(blocks, 1) for part in (queries, keys, values, rates)), strict=True
    ):
        system = (rate * (key @ key.mT)).tril(-1)
        target = rate * (value - key @ before.mT)
        written = torch.linalg.solve_triangular(system, target, upper=False, unitriangular=True)
        outputs.append(query @ before.mT + (query @ key.mT).tril() @ written)
        before = before + written.mT @ key
    return torch.cat(outputs, 1), before


def _shapes(inputs: int, hidden: int) -> Shapes:
    units = count_units(hidden)
    wide = (3 * units + 1) * HEADS
    return {"W_xh": (inputs, wide), "b_h": (1, wide), "W_oh": (HEADS * units, hidden), "s_o": (1, units)}


def _spread_rates(drawn: Tensor) -> Tensor:
    """Multiply the weights of the rates, so that heads differ in the inputs that they write."""
    return torch.cat([drawn[:, :-HEADS], RATE_SPREAD * drawn[:, -HEADS:]], 1)


def _raise_rates(drawn: Tensor) -> Tensor:
    """Return biases of zero but for the rates: around half of `beta_max` the state along a key would be lost at once
    where that is 2, and nothing could be learnt from its sign.
    """
    return functional.pad(torch.zeros_like(drawn[:, :-HEADS]), (0, HEADS), value=RATE_BIAS)


DELTANET = Cell(
    deltanet_layer,
    _shapes,
    lambda hidden: ((HEADS, count_units(hidden), count_units(hidden)),),
    initial={"W_xh": _spread_rates, "b_h": _raise_rates, "s_o": torch.ones_like},
    options=("beta_max",),
    scan=deltanet_scan,
    rounded_from=128,
)
