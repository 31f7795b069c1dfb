"""Bits of every symbol of a text under a network, and texts drawn from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.graphs import record_graph
from seqlab.fleet.cells import State
from seqlab.fleet.stack import Parameters
from seqlab.machine.devices import is_accelerated
from seqlab.rnn.network import Architecture
from seqlab.sampling import Progress, ignore_progress

CHUNK_STEPS = 512  # steps of a recorded chunk
RECORDED_FROM = 4 * CHUNK_STEPS  # symbols of a segment from which a recording is faster for a single scoring
MOST_LOGITS = 2**26  # of a recorded chunk


@torch.no_grad()
def stream_bits(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    chunk: int = 512,
    progress: Progress = ignore_progress,
) -> NDArray[np.float64]:
    """Bits of every symbol but the first of each segment, shape (R, symbols), with the state carried through the whole
    segment.

    The segments are computed together. `chunk` is the number of steps computed together for a single segment, fewer for
    many; it bounds memory and does not change the result beyond rounding. `progress` is called with the number of
    symbols done since its last call.
    """
    device, replicas = parameters["b_q"].device, parameters["b_q"].shape[0]
    if is_accelerated(device) and ways.is_usable(ways.GRAPHS) and max(map(len, segments)) > RECORDED_FROM:
        try:
            return RecordedScoring(architecture, parameters, segments).bits(progress)
        except Exception:  # any failure: the plain loop remains
            ways.give_up_way(ways.GRAPHS)
    targets = [max(len(segment) - 1, 0) for segment in segments]
    order = sorted(range(len(segments)), key=lambda number: -targets[number])  # the shortest last, which end first
    symbols = torch.zeros(len(segments), max(targets) + 1, dtype=torch.int64, device=device)
    for row, number in enumerate(order):
        symbols[row, : len(segments[number])] = torch.as_tensor(np.asarray(segments[number], dtype=np.int64))
    steps = max(chunk // len(segments), min(chunk, 16))
    state = architecture.zero_state(parameters, len(segments))
    scored = [np.empty((replicas, count)) for count in targets]
    for start in range(0, max(targets), steps):
        unfinished = sum(count > start for count in targets)
        inputs = symbols[:unfinished, start : min(start + steps, max(targets)) + 1]
        state = [tuple(part[:, :unfinished] for part in layer) for layer in state]
        logits, state = architecture.forward(parameters, inputs[:, :-1].expand(replicas, -1, -1), state)
        next_symbols = inputs[:, 1:].T[:, None, :, None].expand(-1, replicas, -1, 1)
        bits = -logits.log_softmax(-1).gather(-1, next_symbols)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
        for row, number in enumerate(order[:unfinished]):
            count = min(targets[number] - start, len(bits))
            scored[number][:, start : start + count] = bits[:count, :, row].T
            progress(count)
    return np.concatenate(scored, axis=1)


class RecordedScoring:
    """`stream_bits` on a GPU: a chunk is recorded once, and nothing waits for the GPU before all chunks are done.

    The values of `parameters` may change between two calls, their memory may not.
    """

    @torch.no_grad()
    def __init__(self, architecture: Architecture, parameters: Parameters, segments: Sequence[NDArray[Any]]) -> None:
        self.architecture, self.parameters = architecture, parameters
        like = parameters["b_q"]
        self.targets = [max(len(segment) - 1, 0) for segment in segments]
        entries = len(like) * len(segments) * architecture.vocabulary
        steps = min(CHUNK_STEPS, max(self.targets), max(MOST_LOGITS // entries, 1))
        self.chunks = -(-max(self.targets) // steps)
        size = len(segments), self.chunks * steps + 1
        symbols = torch.zeros(size, dtype=torch.int64)
        for row, segment in enumerate(segments):
            symbols[row, : len(segment)] = torch.as_tensor(np.asarray(segment, dtype=np.int64))
        self.symbols = symbols.to(like.device)
        self.inputs = self.symbols[:, : steps + 1].clone()
        self.state = [tuple(p.clone() for p in layer) for layer in architecture.zero_state(parameters, len(segments))]
        self.costs = like.new_zeros(steps, len(like), len(segments))
        self.all_costs = like.new_zeros(self.chunks, *self.costs.shape)
        self.replay = record_graph(self._chunk, like.device)

    @torch.no_grad()
    def bits(self, progress: Progress = ignore_progress) -> NDArray[np.float64]:
        """Return the bits of all symbols, as `stream_bits` does."""
        for layer in self.state:
            for part in layer:
                part.zero_()
        steps = len(self.costs)
        for chunk in range(self.chunks):
            self.inputs.copy_(self.symbols[:, chunk * steps : (chunk + 1) * steps + 1])
            self.replay()
            self.all_costs[chunk].copy_(self.costs)
            progress(sum(min(max(count - chunk * steps, 0), steps) for count in self.targets))
        bits = self.all_costs.flatten(0, 1).cpu().numpy().astype(np.float64) / math.log(2)
        return np.concatenate([bits[:count, :, row].T for row, count in enumerate(self.targets)], axis=1)

    @torch.no_grad()
    def _chunk(self) -> None:
        inputs = self.inputs[:, :-1].expand(self.costs.shape[1], -1, -1)
        logits, after = self.architecture.forward(self.parameters, inputs, self.state)
        next_symbols = self.inputs[:, 1:].T[:, None, :, None].expand(-1, self.costs.shape[1], -1, 1)
        self.costs.copy_(-logits.log_softmax(-1).gather(-1, next_symbols)[..., 0])
        for layer, values in zip(self.state, after, strict=True):
            for part, value in zip(layer, values, strict=True):
                part.copy_(value)


@dataclass(frozen=True)
class NetworkReading:
    """Texts read by one replica of a network; see `seqlab.sampling.Reading`."""

    architecture: Architecture
    parameters: Parameters  # of a single replica
    logits: Tensor  # (texts, vocabulary)
    state: list[State]  # each tensor (1, texts, h)

    @classmethod
    def of(
        cls, architecture: Architecture, parameters: Parameters, prompt: Sequence[int], replica: int = 0
    ) -> "NetworkReading":
        """Return the reading of `prompt`, at least one symbol, by the replica of this number."""
        weights = {name: value[replica : replica + 1] for name, value in parameters.items()}
        return cls._after(architecture, weights, torch.tensor([list(prompt)]), architecture.zero_state(weights, 1))

    @classmethod
    @torch.no_grad()
    def _after(
        cls, architecture: Architecture, parameters: Parameters, symbols: Tensor, state: list[State]
    ) -> "NetworkReading":
        inputs = symbols.to(parameters["b_q"].device)[None]
        logits, state = architecture.forward(parameters, inputs, state)
        return cls(architecture, parameters, logits[-1, 0], state)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of every next symbol of each text, (texts, vocabulary)."""
        probability: NDArray[np.float64] = self.logits.double().softmax(-1).cpu().numpy()
        return probability

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "NetworkReading":
        """Return the reading of `texts`, each followed by its symbol."""
        state = [tuple(part[:, list(texts)] for part in layer) for layer in self.state]
        return self._after(self.architecture, self.parameters, torch.tensor(list(symbols))[:, None], state)
