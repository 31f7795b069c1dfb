"""What every symbol of a text costs a network, and texts drawn from it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.rnn.network import Architecture, Parameters, forward, initial_state
from seqlab.sampling import draw


@torch.no_grad()
def stream_bits(
    architecture: Architecture, parameters: Parameters, segments: Sequence[NDArray[Any]], chunk: int = 512
) -> NDArray[np.float64]:
    """Bits of every symbol but the first of each segment, shape (R, symbols), with the state carried through the whole
    segment.

    The segments are computed side by side. `chunk` is how many steps of a single one are computed at once, and fewer
    of many; it bounds memory and does not change the result beyond rounding.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    targets = [max(len(segment) - 1, 0) for segment in segments]
    order = sorted(range(len(segments)), key=lambda number: -targets[number])  # the shortest last, which end first
    symbols = torch.zeros(len(segments), max(targets) + 1, dtype=torch.int64, device=device)
    for row, number in enumerate(order):
        symbols[row, : len(segments[number])] = torch.as_tensor(np.asarray(segments[number], dtype=np.int64))
    steps = max(chunk // len(segments), min(chunk, 16))
    state = initial_state(architecture, parameters, len(segments))
    scored = [np.empty((replicas, count)) for count in targets]
    for start in range(0, max(targets), steps):
        going = sum(count > start for count in targets)
        here = symbols[:going, start : min(start + steps, max(targets)) + 1]
        state = [tuple(part[:, :going] for part in layer) for layer in state]
        logits, state = forward(architecture, parameters, here[:, :-1].expand(replicas, -1, -1), state)
        wanted = here[:, 1:].T[:, None, :, None].expand(-1, replicas, -1, 1)
        found = -logits.log_softmax(-1).gather(-1, wanted)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
        for row, number in enumerate(order[:going]):
            count = min(targets[number] - start, len(found))
            scored[number][:, start : start + count] = found[:count, :, row].T
    return np.concatenate(scored, axis=1)


@torch.no_grad()
def generate(
    architecture: Architecture,
    parameters: Parameters,
    prompt: Sequence[int],
    symbols: int,
    random: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> list[int]:
    """`symbols` indices drawn one after the other from the first replica, given the prompt (at least one symbol) and
    each other.
    """
    one = {name: value[:1] for name, value in parameters.items()}
    state = initial_state(architecture, one, 1)
    text: list[int] = []
    inputs = torch.as_tensor(list(prompt), device=one["W_hq"].device)
    for _ in range(symbols):
        logits, state = forward(architecture, one, inputs.expand(1, 1, -1), state)
        text.append(draw(logits[-1, 0, 0].double().softmax(-1).cpu().numpy(), random, temperature, top_k))
        inputs = torch.as_tensor(text[-1:], device=inputs.device)
    return text
