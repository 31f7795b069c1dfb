"""What every symbol of a text costs a network, and texts drawn from it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.graphs import record
from seqlab.fleet.cells import State
from seqlab.fleet.stack import Parameters
from seqlab.machine.devices import is_accelerated
from seqlab.rnn.network import Architecture

CHUNK = 512  # steps that a GPU computes at once
RECORDED_FROM = 4 * CHUNK  # symbols of a segment from which a recording pays for a single scoring
LOGITS = 2**26  # how many of them at most


@torch.no_grad()
def stream_bits(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    chunk: int = 512,
    told: Callable[[int], object] = lambda symbols: None,
) -> NDArray[np.float64]:
    """Bits of every symbol but the first of each segment, shape (R, symbols), with the state carried through the whole
    segment.

    The segments are computed side by side. `chunk` is how many steps of a single one are computed at once, and fewer
    of many; it bounds memory and does not change the result beyond rounding. `told` is called with how many symbols
    were done since its last call.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    if is_accelerated(device) and ways.is_usable(ways.GRAPHS) and max(map(len, segments)) > RECORDED_FROM:
        try:
            return RecordedScoring(architecture, parameters, segments).bits(told)
        except Exception:  # whatever it is, there is another way
            ways.give_up(ways.GRAPHS)
    targets = [max(len(segment) - 1, 0) for segment in segments]
    order = sorted(range(len(segments)), key=lambda number: -targets[number])  # the shortest last, which end first
    symbols = torch.zeros(len(segments), max(targets) + 1, dtype=torch.int64, device=device)
    for row, number in enumerate(order):
        symbols[row, : len(segments[number])] = torch.as_tensor(np.asarray(segments[number], dtype=np.int64))
    steps = max(chunk // len(segments), min(chunk, 16))
    state = architecture.zero_state(parameters, len(segments))
    scored = [np.empty((replicas, count)) for count in targets]
    for start in range(0, max(targets), steps):
        going = sum(count > start for count in targets)
        here = symbols[:going, start : min(start + steps, max(targets)) + 1]
        state = [tuple(part[:, :going] for part in layer) for layer in state]
        logits, state = architecture.forward(parameters, here[:, :-1].expand(replicas, -1, -1), state)
        wanted = here[:, 1:].T[:, None, :, None].expand(-1, replicas, -1, 1)
        found = -logits.log_softmax(-1).gather(-1, wanted)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
        for row, number in enumerate(order[:going]):
            count = min(targets[number] - start, len(found))
            scored[number][:, start : start + count] = found[:count, :, row].T
            told(count)
    return np.concatenate(scored, axis=1)


class RecordedScoring:
    """`stream_bits` on a GPU: a chunk is recorded once, and nothing waits for the GPU before all are done.

    `parameters` may change between two calls, but not lie elsewhere.
    """

    @torch.no_grad()
    def __init__(self, architecture: Architecture, parameters: Parameters, segments: Sequence[NDArray[Any]]) -> None:
        self.architecture, self.parameters = architecture, parameters
        like = parameters["W_hq"]
        self.targets = [max(len(segment) - 1, 0) for segment in segments]
        entries = len(like) * len(segments) * architecture.vocabulary
        steps = min(CHUNK, max(self.targets), max(LOGITS // entries, 1))
        self.chunks = -(-max(self.targets) // steps)
        size = len(segments), self.chunks * steps + 1
        symbols = torch.zeros(size, dtype=torch.int64)
        for row, segment in enumerate(segments):
            symbols[row, : len(segment)] = torch.as_tensor(np.asarray(segment, dtype=np.int64))
        self.symbols = symbols.to(like.device)
        self.here = self.symbols[:, : steps + 1].clone()
        self.state = [tuple(p.clone() for p in layer) for layer in architecture.zero_state(parameters, len(segments))]
        self.costs = like.new_zeros(steps, len(like), len(segments))
        self.all_costs = like.new_zeros(self.chunks, *self.costs.shape)
        self.recorded = record(self._chunk, like.device)

    @torch.no_grad()
    def bits(self, told: Callable[[int], object] = lambda symbols: None) -> NDArray[np.float64]:
        """The bits of all symbols, as `stream_bits` gives them."""
        for layer in self.state:
            for part in layer:
                part.zero_()
        steps = len(self.costs)
        for chunk in range(self.chunks):
            self.here.copy_(self.symbols[:, chunk * steps : (chunk + 1) * steps + 1])
            self.recorded()
            self.all_costs[chunk].copy_(self.costs)
            told(sum(min(max(count - chunk * steps, 0), steps) for count in self.targets))
        found = self.all_costs.flatten(0, 1).cpu().numpy().astype(np.float64) / math.log(2)
        return np.concatenate([found[:count, :, row].T for row, count in enumerate(self.targets)], axis=1)

    @torch.no_grad()
    def _chunk(self) -> None:
        inputs = self.here[:, :-1].expand(self.costs.shape[1], -1, -1)
        logits, after = self.architecture.forward(self.parameters, inputs, self.state)
        wanted = self.here[:, 1:].T[:, None, :, None].expand(-1, self.costs.shape[1], -1, 1)
        self.costs.copy_(-logits.log_softmax(-1).gather(-1, wanted)[..., 0])
        for layer, values in zip(self.state, after, strict=True):
            for part, value in zip(layer, values, strict=True):
                part.copy_(value)


@dataclass(frozen=True)
class NetworkReading:
    """Texts that one replica of a network reads; see `seqlab.sampling.Reading`."""

    architecture: Architecture
    parameters: Parameters  # of a single replica
    logits: Tensor  # (texts, vocabulary)
    state: list[State]  # each tensor (1, texts, h)

    @classmethod
    def of(
        cls, architecture: Architecture, parameters: Parameters, prompt: Sequence[int], replica: int = 0
    ) -> "NetworkReading":
        """`prompt`, at least one symbol, as the given replica reads it."""
        one = {name: value[replica : replica + 1] for name, value in parameters.items()}
        return cls._after(architecture, one, torch.tensor([list(prompt)]), architecture.zero_state(one, 1))

    @classmethod
    @torch.no_grad()
    def _after(
        cls, architecture: Architecture, parameters: Parameters, symbols: Tensor, state: list[State]
    ) -> "NetworkReading":
        inputs = symbols.to(parameters["W_hq"].device)[None]
        logits, state = architecture.forward(parameters, inputs, state)
        return cls(architecture, parameters, logits[-1, 0], state)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Of every symbol to come next in each text, (texts, vocabulary)."""
        found: NDArray[np.float64] = self.logits.double().softmax(-1).cpu().numpy()
        return found

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "NetworkReading":
        """These texts with one more symbol each."""
        state = [tuple(part[:, list(texts)] for part in layer) for layer in self.state]
        return self._after(self.architecture, self.parameters, torch.tensor(list(symbols))[:, None], state)
