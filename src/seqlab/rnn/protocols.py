"""One network scored in the ways that others score theirs, so that their figures can be read beside ours.

The stream protocol of the ledger charges every symbol given all before it. The others forget, leave out or average in
another way, and print another number for the same network.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.stack import Parameters
from seqlab.rnn.network import Architecture, load_network

AT_ONCE = 512  # stretches computed side by side
REPEATS = 10  # estimates from random windows, to show how far they spread
Stretches = Callable[[Sequence[NDArray[Any]]], list[NDArray[np.float64]]]
COLUMNS = ["model", "protocol", "symbols", "bits_per_symbol", "perplexity", "gap", "meaning"]


@dataclass(frozen=True)
class Scored:
    """What a protocol makes of a network: `symbols` charged, mean bits, and the perplexity that it prints."""

    protocol: str
    symbols: int
    bits_per_symbol: float
    perplexity: float
    meaning: str


def protocol_rows(
    folder: Path,
    metrics: dict[str, Any],
    stream: NDArray[np.floating],
    segments: Sequence[NDArray[Any]],
    windows: int,
    newline: int | None,
    device: torch.device,
) -> list[list[Any]]:
    """The rows of protocols.csv of the network in `folder`, on `segments` of test.

    `metrics` give its name and the steps and batches of its training, and `stream`, (R, symbols), the bits of the
    protocol that the ledger holds; the rest is as in `score_protocols`.
    """
    architecture, parameters, _ = load_network(folder, device)
    model, settings = metrics["model"], metrics["settings"]
    training = TrainingSettings.from_card({key: settings[key] for key in ("steps", "batch_size") if key in settings})
    bits_of = partial(stretch_bits, architecture, parameters)
    scored = score_protocols(stream, segments, bits_of, training.steps, training.batch_size, windows, newline)
    return [
        [model, one.protocol, one.symbols, one.bits_per_symbol, one.perplexity,
         one.bits_per_symbol - scored[0].bits_per_symbol, one.meaning]
        for one in scored
    ]  # fmt: skip


@torch.no_grad()
def stretch_bits(
    architecture: Architecture, parameters: Parameters, stretches: Sequence[NDArray[Any]]
) -> list[NDArray[np.float64]]:
    """Bits of every symbol but the first of each stretch, (R, symbols), each from the zero state."""
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    found: list[NDArray[np.float64]] = [np.empty(0)] * len(stretches)
    by_length = sorted(range(len(stretches)), key=lambda number: len(stretches[number]))  # little padding in a batch
    for start in range(0, len(by_length), AT_ONCE):
        numbers = by_length[start : start + AT_ONCE]
        texts = [torch.as_tensor(np.asarray(stretches[number], dtype=np.int64)) for number in numbers]
        padded = pad_sequence(texts, batch_first=True).to(device).expand(replicas, -1, -1)
        state = architecture.zero_state(parameters, len(texts))
        logits, _ = architecture.forward(parameters, padded[:, :, :-1], state)  # (n, R, B, V)
        wanted = padded[:, :, 1:].permute(2, 0, 1)[..., None]
        bits = -logits.log_softmax(-1).gather(-1, wanted)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
        for column, number in enumerate(numbers):
            found[number] = bits[: len(stretches[number]) - 1, :, column].T  # what was padded is dropped
    return found


def lines(segments: Sequence[NDArray[Any]], newline: int) -> list[NDArray[Any]]:
    """Every line of the segments with the line end before it, which opens it as `<s>` would."""
    found = []
    for segment in segments:
        borders = np.unique([0, *np.flatnonzero(segment == newline), len(segment) - 1])
        found += [segment[start : stop + 1] for start, stop in pairwise(borders)]
    return found


def disjoint(segments: Sequence[NDArray[Any]], steps: int) -> list[NDArray[Any]]:
    """Windows of at most `steps` scored symbols, one after the other, and every symbol in one of them."""
    return [segment[start : start + steps + 1] for segment in segments for start in range(0, len(segment) - 1, steps)]


def at_starts(segments: Sequence[NDArray[Any]], steps: int, starts: Iterable[int]) -> list[NDArray[Any]]:
    """Windows of `steps` scored symbols at these places of all that a whole window begins at."""
    longest = max(segments, key=len)
    return [longest[start : start + steps + 1] for start in starts]


def score_protocols(
    stream: NDArray[Any],
    segments: Sequence[NDArray[Any]],
    bits_of: Stretches,
    steps: int,
    batch_size: int,
    windows: int,
    newline: int | None,
) -> list[Scored]:
    """The figures of every protocol, `stream` being the ledger's bits, (R, symbols), of the same `segments`.

    `bits_of` gives the bits of stretches (`stretch_bits`); `steps` and `batch_size` are those of the training, as
    others use them; `windows` is how many are drawn, and at most taken where they overlap. Without a `newline` in the
    vocabulary no line begins anew; where no stretch holds a whole window, these protocols are left out.
    """
    made = [_pooled("stream", [np.asarray(stream)], "every symbol given all before it")]
    if newline is not None and any((segment == newline).any() for segment in segments):
        made.append(_pooled("a new state for every line", bits_of(lines(segments, newline)), "as line-wise tools do"))
    made.append(
        _pooled(f"disjoint windows of {steps}", bits_of(disjoint(segments, steps)), "state forgotten at every border")
    )
    possible = max(map(len, segments)) - steps
    if possible < 1:
        return made
    made.append(_random_windows(segments, bits_of, steps, possible, windows))
    starts = np.unique(np.linspace(0, possible - 1, min(windows, possible)).astype(int))
    return [*made, _overlapping(bits_of(at_starts(segments, steps, starts)), steps, batch_size)]


def _random_windows(
    segments: Sequence[NDArray[Any]], bits_of: Stretches, steps: int, possible: int, windows: int
) -> Scored:
    draws = np.random.default_rng(1).integers(0, possible, (REPEATS, max(1, windows // REPEATS)))
    estimates = [np.concatenate(bits_of(at_starts(segments, steps, some)), axis=1) for some in draws.tolist()]
    spread = np.std([bits.mean() for bits in estimates], ddof=1)
    told = f"as nanoGPT does; {REPEATS} repeats spread by {spread:.4f} bits"
    return _pooled(f"random windows of {steps}", estimates, told)


def _overlapping(bits: Sequence[NDArray[np.float64]], steps: int, batch_size: int) -> Scored:
    """Perplexity as the mean over batches of 2 to the mean of a batch, which is larger than 2 to the mean of all."""
    batches = [bits[start : start + batch_size] for start in range(0, len(bits), batch_size)]
    printed = [float(np.exp2(np.concatenate(batch, axis=1).mean(1)).mean()) for batch in batches]
    pooled = _pooled(f"overlapping windows of {steps}, mean of batches", bits, "as d2l does, not 2 to the mean")
    return replace(pooled, perplexity=float(np.mean(printed)))


def _pooled(protocol: str, bits: Sequence[NDArray[np.floating]], meaning: str) -> Scored:
    """The figures of a protocol with one definition of perplexity: 2 to the mean, the mean over replicas of that."""
    means = np.concatenate([np.asarray(each, dtype=np.float64) for each in bits], axis=1).mean(1)
    symbols = sum(each.shape[1] for each in bits)
    return Scored(protocol, symbols, float(means.mean()), float(np.exp2(means).mean()), meaning)
