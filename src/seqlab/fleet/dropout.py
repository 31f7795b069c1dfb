"""Dropout for a fleet: every replica draws its masks from its own generator.

A replica without a batch draws nothing, so that its masks do not depend on the number of batches of the others. Kept
entries are scaled up, so that the mean stays.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqlab.fleet.accelerated.bits import DeviceBits, count_words, keep_border
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.stack import EMBEDDING, OUTPUT_TABLE, Parameters, Stack

Masks = Sequence[torch.Generator] | DeviceBits


def draw_masks(
    generators: Sequence[torch.Generator], present: Sequence[bool], shape: tuple[int, ...], share: float
) -> list[Tensor]:
    """Draw for each replica a mask of `shape`: zero for a `share` of its entries, 1 / (1 - share) for the others."""
    return [
        _mask(random, shape, share) if has_batch else torch.ones(shape)
        for random, has_batch in zip(generators, present, strict=True)
    ]


def _mask(random: torch.Generator, shape: tuple[int, ...], share: float) -> Tensor:
    """Draw the mask of one replica. Every entry takes 16 random bits, because torch draws 64 bits much faster than it
    draws from a Bernoulli distribution; so `share` is rounded to the nearest 65,536th.
    """
    drawn = torch.empty(count_words(shape), dtype=torch.int64).random_(-(2**63), None, generator=random)
    entries = drawn.view(torch.int16)[: math.prod(shape)].view(shape)
    mask = torch.le(entries, keep_border(share), out=torch.empty(shape))
    return mask.div_(1 - share)


def drop_outputs(settings: TrainingSettings, generators: Masks, present: Sequence[bool], outputs: Tensor) -> Tensor:
    """Apply `settings.dropout` to `outputs` of a layer, (n, R, B, h), or to embedded symbols, (n, R, B, e).

    With `settings.locked_dropout` a unit is dropped in all steps of a subsequence or in none (Gal & Ghahramani 2016).
    """
    steps, _, batch_size, width = outputs.shape
    shape = (1 if settings.locked_dropout else steps, batch_size, width)
    if isinstance(generators, DeviceBits):
        return outputs * generators.masks(shape, settings.dropout).transpose(0, 1)
    return outputs * torch.stack(draw_masks(generators, present, shape, settings.dropout), 1).to(outputs.device)


def drop_weights(
    settings: TrainingSettings, generators: Masks, present: Sequence[bool], parameters: Parameters
) -> Parameters:
    """Apply dropout to `parameters`: `embedding_dropout` drops symbols as inputs wherever they occur in the batch (Gal
    & Ghahramani 2016), `recurrent_dropout` entries of every W_hh (Merity et al. 2018).

    An embedding is returned as a whole too, as OUTPUT_TABLE: a dropped symbol remains a possible output.
    """
    dropped = dict(parameters)
    if EMBEDDING in parameters:
        dropped[OUTPUT_TABLE] = parameters[EMBEDDING]
    for name, (shape, share) in _dropped_weights(settings, {n: v.shape[1:] for n, v in parameters.items()}).items():
        value = parameters[name]
        if isinstance(generators, DeviceBits):
            dropped[name] = value * generators.masks(shape, share)
        else:
            dropped[name] = value * torch.stack(draw_masks(generators, present, shape, share)).to(value.device)
    return dropped


def count_step_words(network: Stack, settings: TrainingSettings, steps: int) -> int:
    """Count the 64-bit words that the masks of a batch of `steps` steps take for each replica."""
    shapes = [shape for shape, _ in _dropped_weights(settings, network.shapes).values()]
    if settings.dropout:
        mask_steps = 1 if settings.locked_dropout else steps
        widths = [network.shapes[EMBEDDING][1]] if EMBEDDING in network.shapes else []
        widths += [network.hidden] * network.layers
        shapes += [(mask_steps, settings.batch_size, width) for width in widths]
    return sum(map(count_words, shapes))


def _dropped_weights(
    settings: TrainingSettings, shapes: Mapping[str, Sequence[int]]
) -> dict[str, tuple[tuple[int, ...], float]]:
    """Mask shape and dropped share of each parameter with dropout, in order."""
    symbol_weights = EMBEDDING if EMBEDDING in shapes else "W_xh_1"
    masks: dict[str, tuple[tuple[int, ...], float]] = {}
    for name, (rows, columns) in shapes.items():
        if name == symbol_weights and settings.embedding_dropout:
            masks[name] = (rows, 1), settings.embedding_dropout
        elif name.startswith("W_hh") and settings.recurrent_dropout:
            masks[name] = (rows, columns), settings.recurrent_dropout
    return masks
