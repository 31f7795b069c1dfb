"""Network of a recurrent language model: one-hot symbols in, logits of the next symbol out."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from seqlab.fleet.checkpoint import load_stack
from seqlab.fleet.stack import Parameters, Stack


@dataclass(frozen=True)
class Architecture(Stack):
    """A stack whose inputs and outputs are symbols of a vocabulary; inputs are indices, (R, B, n)."""

    section: ClassVar[str] = "rnn"

    vocabulary: int

    @property
    def inputs(self) -> int:
        """The size of the vocabulary."""
        return self.vocabulary

    @property
    def outputs(self) -> int:
        """The size of the vocabulary."""
        return self.vocabulary

    def bound(self, name: str) -> float:
        """1 / sqrt(inputs): a unit of the first layer has one non-zero input, since X is one-hot."""
        return 1.0 if name == "W_xh_1" else super().bound(name)


def load_network(folder: str | Path, device: torch.device | str = "cpu") -> tuple[Architecture, Parameters, list[int]]:
    """Return the network in the folder of a run, its parameters, a replica for each seed, and the seeds.

    Raises InputError where a file is damaged or the two files do not belong together.
    """
    return load_stack(folder, Architecture, device)
