"""What a network makes of the last k symbols alone: its bits when its state reaches no further back."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.fleet.stack import Parameters
from seqlab.rnn.network import Architecture, load_network

AT_ONCE = 512  # positions computed side by side


def memory_rows(
    folder: Path,
    model: str,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    contexts: Sequence[int],
    device: torch.device,
) -> Iterator[list[Any]]:
    """The rows of memory.csv of the network in `folder`, one for each of `contexts`, as they are computed."""
    architecture, parameters, _ = load_network(folder, device)
    for context in contexts:
        bits = bits_after(architecture, parameters, segments, places, context)
        spread = float(bits.mean(1).std(ddof=1)) if len(bits) > 1 else math.nan
        yield [model, model, context, bits.shape[1], float(np.mean(bits)), spread]


@torch.no_grad()
def bits_after(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    context: int,
) -> NDArray[np.float64]:
    """Bits of the symbols at `places`, (R, places), for a network that starts from the zero state `context` symbols
    before each.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    windows = np.stack([segments[number][place - context : place + 1] for number, place in places]).astype(np.int64)
    found = []
    for start in range(0, len(windows), AT_ONCE):
        some = torch.as_tensor(windows[start : start + AT_ONCE], device=device)
        state = architecture.zero_state(parameters, len(some))
        logits, _ = architecture.forward(parameters, some[:, :-1].expand(replicas, -1, -1), state)
        chosen = logits[-1].log_softmax(-1).gather(-1, some[:, -1].expand(replicas, -1)[..., None])[..., 0]
        found.append(-chosen.cpu().numpy().astype(np.float64) / math.log(2))
    return np.concatenate(found, axis=1)
