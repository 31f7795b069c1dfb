"""Dropout for a fleet: every replica draws its masks from its own generator.

A replica without a batch draws nothing, so that its masks do not depend on the number of batches of the others. Kept
entries are scaled up, so that the mean stays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqlab.fleet.accelerated.bits import DeviceBits, count_words, keep_border
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.stack import EMBEDDING, OUTPUT_TABLE, Parameters, Stack

Masks = Sequence[torch.Generator] | DeviceBits
Shares = tuple[float, ...]  # of what is dropped, one for each replica


@dataclass(frozen=True)
class Dropout:
    """Dropout of the replicas of a fleet: dropped shares of the outputs of layers, of the symbols and of W_hh."""

    outputs: Shares
    symbols: Shares
    recurrent: Shares
    locked: bool  # the same units in all steps of a subsequence

    @classmethod
    def of(cls, settings: Sequence[TrainingSettings]) -> "Dropout":
        """Return the dropout of replicas with these settings, which agree in `locked_dropout`."""
        return cls(
            tuple(of_replica.dropout for of_replica in settings),
            tuple(of_replica.embedding_dropout for of_replica in settings),
            tuple(of_replica.recurrent_dropout for of_replica in settings),
            settings[0].locked_dropout,
        )


def draw_masks(
    generators: Sequence[torch.Generator], present: Sequence[bool], shape: tuple[int, ...], shares: Shares
) -> list[Tensor]:
    """Draw for each replica a mask of `shape`: zero for its share of the entries, 1 / (1 - share) for the others.

    A replica that drops nothing draws nothing.
    """
    return [
        _mask(random, shape, share) if has_batch and share else torch.ones(shape)
        for random, has_batch, share in zip(generators, present, shares, strict=True)
    ]


def _mask(random: torch.Generator, shape: tuple[int, ...], share: float) -> Tensor:
    """Draw the mask of one replica. Every entry takes 16 random bits, because torch draws 64 bits much faster than it
    draws from a Bernoulli distribution; so `share` is rounded to the nearest 65,536th.
    """
    drawn = torch.empty(count_words(shape), dtype=torch.int64).random_(-(2**63), None, generator=random)
    entries = drawn.view(torch.int16)[: math.prod(shape)].view(shape)
    mask = torch.le(entries, keep_border(share), out=torch.empty(shape))
    return mask.div_(1 - share)


def drop_outputs(dropout: Dropout, generators: Masks, present: Sequence[bool], outputs: Tensor) -> Tensor:
    """Apply dropout to `outputs` of a layer, (n, R, B, h), or to embedded symbols, (n, R, B, e).

    Where it is locked, a unit is dropped in all steps of a subsequence or in none (Gal & Ghahramani 2016).
    """
    if not any(dropout.outputs):
        return outputs
    steps, _, batch_size, width = outputs.shape
    shape = (1 if dropout.locked else steps, batch_size, width)
    if isinstance(generators, DeviceBits):
        return outputs * generators.masks(shape, dropout.outputs).transpose(0, 1)
    return outputs * torch.stack(draw_masks(generators, present, shape, dropout.outputs), 1).to(outputs.device)


def drop_weights(dropout: Dropout, generators: Masks, present: Sequence[bool], parameters: Parameters) -> Parameters:
    """Apply dropout to `parameters`: to symbols as inputs, wherever they occur in the batch (Gal & Ghahramani 2016),
    and to the entries of every W_hh (Merity et al. 2018).

    An embedding is returned as a whole too, as OUTPUT_TABLE: a dropped symbol remains a possible output.
    """
    dropped = dict(parameters)
    if EMBEDDING in parameters:
        dropped[OUTPUT_TABLE] = parameters[EMBEDDING]
    for name, (shape, shares) in _dropped_weights(dropout, {n: v.shape[1:] for n, v in parameters.items()}).items():
        value = parameters[name]
        if isinstance(generators, DeviceBits):
            dropped[name] = value * generators.masks(shape, shares)
        else:
            dropped[name] = value * torch.stack(draw_masks(generators, present, shape, shares)).to(value.device)
    return dropped


def list_step_words(network: Stack, dropout: Dropout, batch_size: int, steps: int) -> list[tuple[int, Shares]]:
    """Return the 64-bit words of each mask of a batch of `steps` steps for one replica, in order, with its shares."""
    masks = list(_dropped_weights(dropout, network.shapes).values())
    if any(dropout.outputs):
        mask_steps = 1 if dropout.locked else steps
        widths = [network.shapes[EMBEDDING][1]] if EMBEDDING in network.shapes else []
        widths += [network.hidden] * network.layers
        masks += [((mask_steps, batch_size, width), dropout.outputs) for width in widths]
    return [(count_words(shape), shares) for shape, shares in masks]


def _dropped_weights(
    dropout: Dropout, shapes: Mapping[str, Sequence[int]]
) -> dict[str, tuple[tuple[int, ...], Shares]]:
    """Mask shape and dropped shares of each parameter with dropout, in order."""
    symbol_weights = EMBEDDING if EMBEDDING in shapes else "W_xh_1"
    masks: dict[str, tuple[tuple[int, ...], Shares]] = {}
    for name, (rows, columns) in shapes.items():
        if name == symbol_weights and any(dropout.symbols):
            masks[name] = (rows, 1), dropout.symbols
        elif name.startswith("W_hh") and any(dropout.recurrent):
            masks[name] = (rows, columns), dropout.recurrent
    return masks
