"""Trained network as a model of texts: scoring, look-ahead and readings; see `seqlab.sampling.SymbolModel`."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqlab.fleet.cells import State
from seqlab.fleet.stack import Parameters
from seqlab.rnn.network import Architecture, load_network
from seqlab.rnn.scoring import NetworkReading, stream_bits
from seqlab.sampling import Ahead, Positions, Progress, Texts, ignore_progress

STRETCHES_AT_ONCE = 512  # scored together
DRAWS_AT_ONCE = 4096  # texts drawn together


@dataclass(frozen=True)
class NetworkModel:
    """The replicas of a network, one for each of `seeds`."""

    architecture: Architecture
    parameters: Parameters
    seeds: Sequence[int | None]

    @classmethod
    def load(cls, folder: str | Path, device: torch.device | str = "cpu", double: bool = False) -> "NetworkModel":
        """Return the network in `folder`, in `double` precision where it scores a ledger; InputError for damage."""
        architecture, parameters, seeds = load_network(folder, device)
        if double:
            parameters = {name: value.double() for name, value in parameters.items()}
        return cls(architecture, parameters, seeds)

    def select_replica(self, number: int) -> "NetworkModel":
        """Return the network with the replica of this number alone."""
        parameters = {name: value[number : number + 1] for name, value in self.parameters.items()}
        return NetworkModel(self.architecture, parameters, self.seeds[number : number + 1])

    def read(self, prompt: Sequence[int], replica: int = 0) -> NetworkReading:
        """Return the reading of `prompt`, at least one symbol, by the replica of this number."""
        return NetworkReading.of(self.architecture, self.parameters, prompt, replica)

    def score(self, segments: Texts, progress: Progress = ignore_progress) -> NDArray[np.float64]:
        """Return the bits of every symbol but the first of each segment, (R, symbols), with one state for each."""
        return stream_bits(self.architecture, self.parameters, segments, progress=progress)

    @torch.no_grad()
    def score_stretches(self, stretches: Texts) -> list[NDArray[np.float64]]:
        """Return the bits of every symbol but the first of each stretch, (R, symbols) for each, from the zero state."""
        device, replicas = self._like.device, len(self._like)
        scored: list[NDArray[np.float64]] = [np.empty(0)] * len(stretches)
        by_length = sorted(range(len(stretches)), key=lambda number: len(stretches[number]))  # little padding
        for start in range(0, len(by_length), STRETCHES_AT_ONCE):
            numbers = by_length[start : start + STRETCHES_AT_ONCE]
            texts = [torch.as_tensor(np.asarray(stretches[number], dtype=np.int64)) for number in numbers]
            padded = pad_sequence(texts, batch_first=True).to(device).expand(replicas, -1, -1)
            state = self.architecture.zero_state(self.parameters, len(texts))
            logits, _ = self.architecture.forward(self.parameters, padded[:, :, :-1], state)  # (n, R, B, V)
            targets = padded[:, :, 1:].permute(2, 0, 1)[..., None]
            costs = [-step.log_softmax(-1).gather(-1, target) for step, target in zip(logits, targets, strict=True)]
            bits = torch.stack(costs)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
            for column, number in enumerate(numbers):
                scored[number] = bits[: len(stretches[number]) - 1, :, column].T  # the padding is dropped
        return scored

    def look_ahead(
        self, segments: Texts, positions: Positions, steps: Sequence[int], samples: int, seed: int = 1
    ) -> list[Ahead]:
        """Return the bits of the symbols at `positions` given the segment up to k symbols before each, for every k of
        `steps`.

        The symbols between are drawn `samples` times, and p is the mean of the probabilities of the symbol after the
        draws, so that only the symbols between are random. With the variance v of that mean, -log2 p has the error
        sqrt(v) / (p ln 2) and is too large by v / (2 p^2 ln 2) on average. For k = 1 nothing is drawn.
        """
        return [self._look_ahead(segments, positions, k, samples if k > 1 else 1, seed) for k in steps]

    @property
    def _like(self) -> Tensor:
        return self.parameters["b_q"]

    @torch.no_grad()
    def _look_ahead(self, segments: Texts, positions: Positions, steps: int, draws: int, seed: int) -> Ahead:
        device, replicas = self._like.device, len(self._like)
        random = torch.Generator(device).manual_seed(seed)
        targets = torch.tensor([int(segments[of][place]) for of, place in positions], device=device)
        contexts = [(of, place - steps) for of, place in positions]
        symbols = torch.tensor([int(segments[of][place]) for of, place in contexts], device=device).expand(replicas, -1)
        states = [
            tuple(torch.cat(parts, dim=1) for parts in zip(*layers, strict=True))
            for layers in zip(*self._states_before(segments, contexts), strict=True)
        ]
        mean, variance = (np.empty((replicas, len(positions))) for _ in range(2))
        for start in range(0, len(positions), max(1, DRAWS_AT_ONCE // draws)):
            chunk = slice(start, start + max(1, DRAWS_AT_ONCE // draws))
            last = symbols[:, chunk].repeat_interleave(draws, 1)
            state = [tuple(part[:, chunk].repeat_interleave(draws, 1) for part in layer) for layer in states]
            for step in range(1, steps + 1):
                logits, state = self.architecture.forward(self.parameters, last[:, :, None], state)
                following = logits[0].softmax(-1)  # (R, positions times draws, V)
                if step < steps:
                    last = torch.multinomial(following.flatten(0, 1), 1, generator=random).view(replicas, -1)
            target = targets[chunk].repeat_interleave(draws).expand(replicas, -1)[..., None]
            probability = following.gather(-1, target).view(replicas, -1, draws).double()
            mean[:, chunk] = probability.mean(-1).cpu().numpy()
            variance[:, chunk] = (probability.var(-1) / draws).cpu().numpy() if draws > 1 else 0.0
        relative = variance / mean**2
        error, bias = np.sqrt(relative) / math.log(2), relative / (2 * math.log(2))
        return Ahead(steps, -np.log2(mean), error, bias, steps > 1)

    def _states_before(self, segments: Texts, positions: Positions) -> Iterator[list[State]]:
        """Yield the state before each of `positions`, in rising order; segments are read from the start."""
        device, replicas = self._like.device, len(self._like)
        number, end, state = -1, 0, self.architecture.zero_state(self.parameters, 1)
        for of, place in positions:
            if of != number:
                number, end, state = of, 0, self.architecture.zero_state(self.parameters, 1)
            if place > end:
                symbols = torch.as_tensor(np.asarray(segments[of][end:place], dtype=np.int64), device=device)
                _, state = self.architecture.forward(self.parameters, symbols.expand(replicas, 1, -1), state)
                end = place
            yield state
