"""Symbols k steps ahead under a network, whose ways there are drawn, since they are too many to sum over."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.cells import State
from seqlab.fleet.stack import Parameters
from seqlab.ledger.horizon import sampled_row
from seqlab.rnn.network import Architecture, load_network

AT_ONCE = 4096  # texts drawn side by side


@dataclass(frozen=True)
class Estimate:
    """Bits of symbols under each replica, (R, places); `error` is the standard error that drawing leaves in them and
    `bias` by how much it makes them larger on average, both of the same shape, in bits and of first order.
    """

    bits: NDArray[np.float64]
    error: NDArray[np.float64]
    bias: NDArray[np.float64]


def horizon_rows(
    folder: Path,
    name: str,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    steps: Sequence[int],
    samples: int,
    device: torch.device,
) -> list[list[Any]]:
    """The rows of horizon.csv of the network in `folder`, whose ways are drawn `samples` times."""
    architecture, parameters, _ = load_network(folder, device)
    found = ((k, bits_ahead(architecture, parameters, segments, places, k, samples)) for k in steps)
    return [sampled_row("rnn", name, k, one.bits, one.error, one.bias) for k, one in found]


@torch.no_grad()
def bits_ahead(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    ahead: int,
    samples: int,
    seed: int = 1,
) -> Estimate:
    """Bits of the symbols at `places`, (segment, place in it), given the segment up to `ahead` symbols before each.

    The symbols between are drawn `samples` times, and p is the mean of what the network gives the symbol after each
    draw, so that only what lies between is random, not the symbol itself. With the variance v of that mean, -log2 p has
    the error sqrt(v) / (p ln 2) and is too large by v / (2 p^2 ln 2) on average. For `ahead` 1 nothing is drawn.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    random = torch.Generator(device).manual_seed(seed)
    drawn = samples if ahead > 1 else 1
    targets = torch.tensor([int(segments[of][place]) for of, place in places], device=device)
    symbols, states = _states_before(architecture, parameters, segments, places, ahead)
    mean, variance = (np.empty((replicas, len(places))) for _ in range(2))
    for start in range(0, len(places), max(1, AT_ONCE // drawn)):
        some = slice(start, start + max(1, AT_ONCE // drawn))
        last = symbols[:, some].repeat_interleave(drawn, 1)
        state = [tuple(part[:, some].repeat_interleave(drawn, 1) for part in layer) for layer in states]
        for step in range(1, ahead + 1):
            logits, state = architecture.forward(parameters, last[:, :, None], state)
            given = logits[0].softmax(-1)  # (R, places times draws, V)
            if step < ahead:
                last = torch.multinomial(given.flatten(0, 1), 1, generator=random).view(replicas, -1)
        wanted = targets[some].repeat_interleave(drawn).expand(replicas, -1)[..., None]
        probability = given.gather(-1, wanted).view(replicas, -1, drawn).double()
        mean[:, some] = probability.mean(-1).cpu().numpy()
        variance[:, some] = (probability.var(-1) / drawn).cpu().numpy() if drawn > 1 else 0.0
    relative = variance / mean**2
    return Estimate(-np.log2(mean), np.sqrt(relative) / math.log(2), relative / (2 * math.log(2)))


def _states_before(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
    ahead: int,
) -> tuple[Tensor, list[State]]:
    """The last symbol that may be seen for each place, (R, places), and the state of the stream before it."""
    replicas = parameters["W_hq"].shape[0]
    found = list(_stream_states(architecture, parameters, segments, [(of, place - ahead) for of, place in places]))
    state = [
        tuple(torch.cat([one[layer][part] for one in found], dim=1) for part in range(len(found[0][layer])))
        for layer in range(architecture.layers)
    ]
    last = torch.tensor([int(segments[of][place - ahead]) for of, place in places], device=parameters["W_hq"].device)
    return last.expand(replicas, -1), state


def _stream_states(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    places: Sequence[tuple[int, int]],
) -> Iterator[list[State]]:
    """The state before the symbol at each of `places`, which rise, with the stream read from the start of its
    segment.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    number, read, state = -1, 0, architecture.zero_state(parameters, 1)
    for of, place in places:
        if of != number:
            number, read, state = of, 0, architecture.zero_state(parameters, 1)
        if place > read:
            symbols = torch.as_tensor(np.asarray(segments[of][read:place], dtype=np.int64), device=device)
            _, state = architecture.forward(parameters, symbols.expand(replicas, 1, -1), state)
            read = place
        yield state
