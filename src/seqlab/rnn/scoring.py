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

    `chunk` is how many steps are computed at once; it bounds memory and does not change the result beyond rounding.
    """
    device = parameters["W_hq"].device
    replicas = parameters["W_hq"].shape[0]
    scored = []
    for segment in segments:
        symbols = torch.as_tensor(np.asarray(segment, dtype=np.int64), device=device)
        state = initial_state(architecture, parameters, 1)
        for start in range(0, len(symbols) - 1, chunk):
            inputs = symbols[start : min(start + chunk, len(symbols) - 1)]
            targets = symbols[start + 1 : start + 1 + len(inputs)]
            logits, state = forward(architecture, parameters, inputs.expand(replicas, 1, -1), state)
            logarithms = logits[:, :, 0].log_softmax(-1)  # (n, R, V)
            found = logarithms.gather(-1, targets[:, None, None].expand(-1, replicas, 1))[..., 0]
            scored.append(-found.T.cpu().numpy().astype(np.float64) / math.log(2))
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
