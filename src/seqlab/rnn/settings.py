"""How a fleet is trained, with the reason for each default."""

from dataclasses import dataclass, fields
from typing import Any

import torch

from seqlab.io.errors import InputError
from seqlab.rnn.cells import CELLS
from seqlab.rnn.optimisers import OPTIMISERS, SCHEDULES
from seqlab.text.partition import MODES

PRECISIONS = ("float32", "tf32", "bfloat16")


def uses_tf32(precision: str) -> bool:
    """Whether GPUs round factors to TF32 for `precision`: for "bfloat16" too, since it is finer and costs no copies."""
    return precision in ("tf32", "bfloat16")


def rounding(precision: str, cell: str, hidden: int, device: str = "cpu") -> torch.dtype | None:
    """To what the factors of products are rounded in a network trained with `precision`; None for not at all.

    `benchmarks/recurrence.py` measures from how many units on bfloat16 pays. tf32 is no rounding of ours: see
    `uses_tf32` and `seqlab.machine.devices.use_tf32`.
    """
    if device != "cpu":
        return None
    least = CELLS[cell].rounded_from
    return torch.bfloat16 if precision == "bfloat16" and least is not None and hidden >= least else None


@dataclass(frozen=True)
class TrainingSettings:
    """Every key of `rnn.training` in the configuration. Raises InputError, naming key, value and what is allowed."""

    epochs: int = 20
    steps: int = 35  # n of module 5.3: gradients flow back through this many symbols (truncated BPTT)
    batch_size: int = 16  # small batches mean many updates, which small texts need
    partition: str = "sequential"  # carries the state from batch to batch, as scoring does; "random" starts from zero
    optimiser: str = "adam"
    learning_rate: float = 0.004
    weight_decay: float = 0.0
    clip: float = 1.0  # largest gradient norm of a replica
    dropout: float = 0.0  # on the outputs of every layer, never on the recurrence
    locked_dropout: bool = False  # the same units in all steps of a subsequence
    embedding_dropout: float = 0.0  # on symbols as inputs
    recurrent_dropout: float = 0.0  # on the weights W_hh
    activation_regularisation: float = 0.0  # alpha: what large outputs of the last layer cost
    temporal_regularisation: float = 0.0  # beta: what their changes from step to step cost
    averaging: float = 0.0  # the weights kept are a moving mean with this decay; 0 for the weights themselves
    random_steps: bool = False  # each batch as long as drawn from steps / 2 to steps
    precision: str = "float32"  # of the factors of products; "tf32" is faster on GPUs, "bfloat16" on new processors
    schedule: str = "cosine"
    warmup: float = 0.0  # share of all epochs in which the learning rate rises
    schedule_factor: float = 0.5  # what "plateau" multiplies the learning rate by
    plateau_patience: int = 2  # epochs without a better validation loss before "plateau" acts
    early_stopping: int = 5  # epochs without a better validation loss before a replica stops; 0 for never

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            right = type(value) is kind or (kind is float and type(value) is int)
            self._require(field.name, right, {int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}"))
        positive = ("epochs", "steps", "batch_size", "learning_rate", "clip", "plateau_patience")
        for name in positive:
            self._require(name, getattr(self, name) > 0, "a number above 0")
        penalties = ("weight_decay", "activation_regularisation", "temporal_regularisation")
        for name in (*penalties, "early_stopping"):
            self._require(name, getattr(self, name) >= 0, "a number of at least 0")
        shares = ("dropout", "embedding_dropout", "recurrent_dropout", "warmup", "averaging")
        for name in shares:
            self._require(name, 0 <= getattr(self, name) < 1, "a share of at least 0 and below 1")
        self._require("schedule_factor", 0 < self.schedule_factor <= 1, "a share above 0 and at most 1")
        choices: dict[str, tuple[str, ...]] = {
            "partition": MODES,
            "optimiser": OPTIMISERS,
            "schedule": SCHEDULES,
            "precision": PRECISIONS,
        }
        for name, allowed in choices.items():
            self._require(name, getattr(self, name) in allowed, f"one of {', '.join(allowed)}")
        fits = not self.random_steps or self.partition == "sequential"
        self._require("random_steps", fits, "false where rnn.training.partition is random")

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise InputError(f"rnn.training.{name} is {getattr(self, name)!r}; it must be {allowed}")

    @classmethod
    def from_card(cls, values: dict[str, Any]) -> "TrainingSettings":
        """The settings in a card; InputError for a key that does not exist."""
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise InputError(f"rnn.training has no key {key!r}; allowed are {', '.join(known)}")
        return cls(**values)
