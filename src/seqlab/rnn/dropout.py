"""Dropout for a fleet: what is silenced, each replica by its own generator.

A replica without a batch draws nothing, so that its masks do not depend on how many batches the others have. What is
kept is scaled up, so that the mean stays.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from seqlab.rnn.network import Parameters
from seqlab.rnn.settings import TrainingSettings


def masks(
    generators: Sequence[torch.Generator], present: Sequence[bool], shape: tuple[int, ...], share: float
) -> list[Tensor]:
    """For each replica a tensor of `shape`, zero for a `share` of its entries and 1 / (1 - share) for the others."""
    keep = 1 - share
    return [
        torch.empty(shape).bernoulli_(keep, generator=random).div_(keep) if here else torch.ones(shape)
        for random, here in zip(generators, present, strict=True)
    ]


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
