"""Dropout for a fleet: every replica silences by its own generator.

A replica without a batch draws nothing, so that its masks do not depend on how many batches the others have. What is
kept is scaled up, so that the mean stays.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqlab.fleet.accelerated.bits import DeviceBits, border, words
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.stack import Parameters, Stack

Masks = Sequence[torch.Generator] | DeviceBits


def draw_masks(
    generators: Sequence[torch.Generator], present: Sequence[bool], shape: tuple[int, ...], share: float
) -> list[Tensor]:
    """For each replica a tensor of `shape`, zero for a `share` of its entries and 1 / (1 - share) for the others."""
    return [
        _mask(random, shape, share) if here else torch.ones(shape)
        for random, here in zip(generators, present, strict=True)
    ]


def _mask(random: torch.Generator, shape: tuple[int, ...], share: float) -> Tensor:
    """One of them. Every entry takes 16 random bits, for torch draws 64 at once much faster than it draws from a
    Bernoulli distribution; so `share` is taken to the nearest 65,536th.
    """
    drawn = torch.empty(words(shape), dtype=torch.int64).random_(-(2**63), None, generator=random)
    entries = drawn.view(torch.int16)[: math.prod(shape)].view(shape)
    kept = torch.le(entries, border(share), out=torch.empty(shape))
    return kept.div_(1 - share)


def drop_outputs(settings: TrainingSettings, generators: Masks, present: Sequence[bool], outputs: Tensor) -> Tensor:
    """`outputs` of a layer, (n, R, B, h), with `settings.dropout`.

    With `settings.locked_dropout` a unit is silenced in all steps of a subsequence or in none (Gal & Ghahramani 2016).
    """
    steps, _, batch_size, hidden = outputs.shape
    shape = (1 if settings.locked_dropout else steps, batch_size, hidden)
    if isinstance(generators, DeviceBits):
        return outputs * generators.masks(shape, settings.dropout).transpose(0, 1)
    return outputs * torch.stack(draw_masks(generators, present, shape, settings.dropout), 1).to(outputs.device)


def drop_weights(
    settings: TrainingSettings, generators: Masks, present: Sequence[bool], parameters: Parameters
) -> Parameters:
    """`parameters` with `embedding_dropout`, which silences symbols as inputs wherever they occur in the batch (Gal &
    Ghahramani 2016), and `recurrent_dropout`, which silences entries of every W_hh (Merity et al. 2018).
    """
    dropped = dict(parameters)
    for name, (shape, share) in _dropped_weights(settings, {n: v.shape[1:] for n, v in parameters.items()}).items():
        value = parameters[name]
        if isinstance(generators, DeviceBits):
            dropped[name] = value * generators.masks(shape, share)
        else:
            dropped[name] = value * torch.stack(draw_masks(generators, present, shape, share)).to(value.device)
    return dropped


def words_of_step(network: Stack, settings: TrainingSettings, steps: int) -> int:
    """The number of 64-bit numbers that the masks of a batch of so many `steps` take for each replica."""
    shapes = [shape for shape, _ in _dropped_weights(settings, network.shapes).values()]
    if settings.dropout:
        seen = 1 if settings.locked_dropout else steps
        shapes += [(seen, settings.batch_size, network.hidden)] * network.layers
    return sum(map(words, shapes))


def _dropped_weights(
    settings: TrainingSettings, shapes: Mapping[str, Sequence[int]]
) -> dict[str, tuple[tuple[int, ...], float]]:
    """The shape of the mask, and the share that is silenced, of the parameters that are dropped, in order."""
    masks: dict[str, tuple[tuple[int, ...], float]] = {}
    for name, (rows, columns) in shapes.items():
        if name == "W_xh_1" and settings.embedding_dropout:
            masks[name] = (rows, 1), settings.embedding_dropout
        elif name.startswith("W_hh") and settings.recurrent_dropout:
            masks[name] = (rows, columns), settings.recurrent_dropout
    return masks
