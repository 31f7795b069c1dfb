"""Network of a recurrent language model: symbols in, logits of the next symbol out.

Symbols enter as one-hot vectors, as in the module, or as rows of an embedding, which may be the output weights too
(Press & Wolf 2017; Inan, Khosravi & Socher 2017). The parameters beside those of `seqlab.fleet.stack`, for a vocabulary
of V symbols and an embedding of size e:

    W_xe (R, V, e)        the embedding; W_xh_1 is then (R, e, G h)
    W_he (R, h, e)        where the output is tied and h is not e: the projection to the size of the embedding

With a tied output there is no W_hq: the logits are H W_he W_xe^T + b_q.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from seqlab.fleet.checkpoint import load_stack
from seqlab.fleet.products import affine, pick_rows
from seqlab.fleet.stack import EMBEDDING, OUTPUT_TABLE, Drop, Parameters, Stack


@dataclass(frozen=True)
class Architecture(Stack):
    """A stack whose inputs and outputs are symbols of a vocabulary; inputs are indices, (R, B, n)."""

    section: ClassVar[str] = "rnn"

    vocabulary: int
    embedding: int = 0  # the size of the embedding; 0 for one-hot inputs
    tied: bool = False  # the output weights are the embedding

    @property
    def inputs(self) -> int:
        """The size of the embedding, or of the vocabulary where symbols are one-hot vectors."""
        return self.embedding or self.vocabulary

    @property
    def outputs(self) -> int:
        """The size of the vocabulary."""
        return self.vocabulary

    @property
    def reads_symbols(self) -> bool:
        """Return whether symbols are one-hot vectors."""
        return not self.embedding

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of every parameter of one replica."""
        shapes = super().shapes
        if self.embedding:
            shapes = {EMBEDDING: (self.vocabulary, self.embedding)} | shapes
        if self.tied:
            del shapes["W_hq"]
            if self.hidden != self.embedding:
                shapes["W_he"] = self.hidden, self.embedding
        return shapes

    @property
    def notes(self) -> list[str]:
        """A note where the embedding is larger than the one-hot vectors that it replaces."""
        if self.embedding <= self.vocabulary:
            return []
        return [
            f"rnn.embedding is {self.embedding}, more than the {self.vocabulary} symbols of the vocabulary; a smaller "
            "one is as good, and so is 0 (one-hot)"
        ]

    def bound(self, name: str) -> float:
        """1 / sqrt(inputs), which is 1 for the weights of one-hot inputs, and 1 / sqrt(e) for a tied embedding, whose
        rows are output weights.
        """
        if name == (EMBEDDING if self.embedding else "W_xh_1"):
            return self.embedding**-0.5 if self.tied else 1.0
        return self.embedding**-0.5 if name == "W_xh_1" else super().bound(name)

    def embed(self, parameters: Parameters, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Rows of the embedding for symbols, (R, B, n): (n, R, B, e); without one the symbols themselves.

        `drop` is applied to the rows as to the outputs of layers (Zaremba, Sutskever & Vinyals 2014).
        """
        if not self.embedding:
            return inputs
        rows = pick_rows(inputs, parameters[EMBEDDING])
        return drop(rows) if drop else rows

    def outputs_from(self, parameters: Parameters, hidden: Tensor, precision: torch.dtype | None = None) -> Tensor:
        """Logits, (n, R, B, V), from the outputs of the last layer, (n, R, B, h)."""
        if not self.tied:
            return super().outputs_from(parameters, hidden, precision)
        table = parameters.get(OUTPUT_TABLE, parameters[EMBEDDING])
        if "W_he" in parameters:
            hidden = affine(hidden, parameters["W_he"], parameters["W_he"].new_zeros(1, 1, 1), precision)
        return affine(hidden, table.mT, parameters["b_q"], precision)


def load_network(folder: str | Path, device: torch.device | str = "cpu") -> tuple[Architecture, Parameters, list[int]]:
    """Return the network in the folder of a run, its parameters, a replica for each seed, and the seeds.

    Raises InputError where a file is damaged or the two files do not belong together.
    """
    return load_stack(folder, Architecture, device)
