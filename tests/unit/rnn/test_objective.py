"""The training objective, against torch.nn and a loop by hand."""

from typing import Any

import numpy as np
import torch
from made_fleets import settings_of

from seqlab.fleet.dropout import Dropout
from seqlab.fleet.objective import objective, penalty
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask

ARCHITECTURE = Architecture("lstm", 2, 6, 5)
PARAMETERS = ARCHITECTURE.initial_parameters([1, 2])
TEXT = np.random.default_rng(1).integers(0, 5, 60)
TASK = LanguageTask.of(ARCHITECTURE, TEXT, [TEXT])
PLACES = torch.randint(50, (2, 3, 1), generator=torch.Generator().manual_seed(1)) + torch.arange(7)
INPUTS, TARGETS = TASK.data[PLACES], TASK.data[PLACES + 1]
COUNTED = torch.ones(2, 3, 7)
COUNTED[:, :, 5:] = 0.0
COUNTED[1, 2] = 0.0


def of(**settings: Any) -> tuple[torch.Tensor, torch.Tensor]:
    masks = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    state = ARCHITECTURE.zero_state(PARAMETERS, 3)
    chosen = settings_of(**settings)
    return objective(TASK, chosen, Dropout.of([chosen] * 2), PARAMETERS, masks, (PLACES, COUNTED), state, [True, True])[
        :2
    ]


def test_cross_entropy_is_that_of_torch():
    aims, losses = of()
    logits, _ = ARCHITECTURE.forward(PARAMETERS, INPUTS, ARCHITECTURE.zero_state(PARAMETERS, 3))
    for replica in (0, 1):
        there = COUNTED[replica].bool()
        rows, right = logits[:, replica].transpose(0, 1)[there], TARGETS[replica][there]
        torch.testing.assert_close(aims[replica], torch.nn.CrossEntropyLoss()(rows, right))
        torch.testing.assert_close(losses[replica], torch.nn.CrossEntropyLoss(reduction="sum")(rows, right))


def test_penalties_are_added_to_the_aim_and_not_to_the_loss():
    plain, loss = of()
    more, same = of(activation_regularisation=2.0, temporal_regularisation=3.0)
    assert torch.equal(loss, same)
    assert (more > plain).all()


def test_penalties_by_hand():
    outputs, dropped = torch.randn(2, 4, 2, 3, 5).unbind()
    counted = torch.ones(4, 2, 3)
    counted[2:, 1, 1:] = 0.0
    settings = settings_of(activation_regularisation=2.0, temporal_regularisation=3.0)
    for replica, paid in enumerate(penalty(settings, outputs, dropped, counted)):
        places = [(t, b) for t in range(4) for b in range(3) if counted[t, replica, b]]
        large = sum((dropped[t, replica, b] ** 2).mean() for t, b in places) / len(places)
        moves = [(outputs[t, replica, b] - outputs[t - 1, replica, b]) ** 2 for t, b in places if t]
        torch.testing.assert_close(paid, 2 * large + 3 * torch.stack(moves).mean())
