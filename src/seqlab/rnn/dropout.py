"""Dropout for a fleet: what is silenced, each replica by its own generator.

A replica without a batch draws nothing, so that its masks do not depend on how many batches the others have. What is
kept is scaled up, so that the mean stays.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seqlab.rnn.network import Parameters
from seqlab.rnn.settings import TrainingSettings


def masks(
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
    entries = math.prod(shape)
    drawn = torch.empty(math.ceil(entries / 4), dtype=torch.int64).random_(-(2**63), None, generator=random)
    border = max(round((1 - share) * 2**16), 1) - 2**15 - 1
    kept = torch.le(drawn.view(torch.int16)[:entries].view(shape), border, out=torch.empty(shape))
    return kept.div_(1 - share)


def drop_outputs(
    settings: TrainingSettings, generators: Sequence[torch.Generator], present: Sequence[bool], outputs: Tensor
) -> Tensor:
    """`outputs` of a layer, (n, R, B, h), with `settings.dropout`.

    With `settings.locked_dropout` a unit is silenced in all steps of a subsequence or in none (Gal & Ghahramani 2016).
    """
    steps, _, batch_size, hidden = outputs.shape
    shape = (1 if settings.locked_dropout else steps, batch_size, hidden)
    return outputs * torch.stack(masks(generators, present, shape, settings.dropout), 1).to(outputs.device)


def drop_weights(
    settings: TrainingSettings, generators: Sequence[torch.Generator], present: Sequence[bool], parameters: Parameters
) -> Parameters:
    """`parameters` with `embedding_dropout`, which silences symbols as inputs wherever they occur in the batch (Gal &
    Ghahramani 2016), and `recurrent_dropout`, which silences entries of every W_hh (Merity et al. 2018).
    """
    dropped = dict(parameters)
    for name, value in parameters.items():
        _, rows, columns = value.shape
        if name == "W_xh_1" and settings.embedding_dropout:
            drawn = masks(generators, present, (rows, 1), settings.embedding_dropout)
        elif name.startswith("W_hh") and settings.recurrent_dropout:
            drawn = masks(generators, present, (rows, columns), settings.recurrent_dropout)
        else:
            continue
        dropped[name] = value * torch.stack(drawn).to(value.device)
    return dropped
