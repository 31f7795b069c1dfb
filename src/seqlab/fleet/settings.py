"""Training settings of a fleet."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from seqlab.fleet.cells import LAYERS
from seqlab.io.errors import InputError
from seqlab.machine.calibration import is_bfloat16_fast


@dataclass(frozen=True)
class TrainingSettings:
    """The keys of `rnn.training` and `forecast.training`; src/seqlab/schemas/config.schema.yaml describes them.

    The values are those of a checked card.
    """

    epochs: int
    batches: int
    steps: int
    batch_size: int
    partition: str
    optimiser: str
    learning_rate: float
    weight_decay: float
    clip: float
    dropout: float
    locked_dropout: bool
    embedding_dropout: float
    recurrent_dropout: float
    activation_regularisation: float
    temporal_regularisation: float
    averaging: float
    random_steps: bool
    precision: str
    schedule: str
    warmup: float
    schedule_factor: float
    plateau_patience: int
    early_stopping: int

    @classmethod
    def from_card(cls, values: dict[str, Any]) -> "TrainingSettings":
        """Return the settings in a card; InputError for missing or unknown keys, or values that exclude each other."""
        names = [field.name for field in fields(cls)]
        if differences := sorted({*names} ^ {*values}):
            state = "lacks" if differences[0] in names else "has an unknown"
            raise InputError(f"the card {state} setting {differences[0]!r}; delete it and run the workflow again")
        settings = cls(**values)
        if settings.partition != "sequential" and settings.random_steps:
            raise InputError("training.random_steps is true; it must be false where partition is random")
        if settings.partition != "random" and settings.batches:
            raise InputError(f"training.batches is {settings.batches}; it must be 0 where partition is sequential")
        return settings

    @classmethod
    def from_configuration(cls, path: str | Path, section: str = "rnn", **changes: Any) -> "TrainingSettings":
        """Return the settings in the block training of a `section` (rnn, forecast) of a configuration file, with
        `changes`; for programs outside the workflow, which do not check the configuration.
        """
        import yaml  # only here: jobs read a card

        configuration = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return cls.from_card(configuration[section]["training"] | changes)


def uses_tf32(precision: str) -> bool:
    """Return whether GPUs round factors to TF32: for "bfloat16" too, since TF32 is finer and costs no copies."""
    return precision in ("tf32", "bfloat16")


def rounding_type(precision: str, cell: str, hidden: int, device: str = "cpu") -> torch.dtype | None:
    """The type to which factors of products are rounded in a network trained with `precision`; None for no rounding.

    `benchmarks/recurrence.py` measures the hidden size from which bfloat16 is faster. A processor that multiplies in it
    more slowly than in float32 does not round. GPUs round to tf32 themselves: see `uses_tf32` and
    `seqlab.machine.devices.use_tf32`.
    """
    is_rounded = pays_to_round(precision, cell, hidden, device) and is_bfloat16_fast()
    return torch.bfloat16 if is_rounded else None


def pays_to_round(precision: str, cell: str, hidden: int, device: str = "cpu") -> bool:
    """Return whether a network is so large that rounding to bfloat16 pays on a processor with instructions for it."""
    least = LAYERS[cell].rounded_from
    return precision == "bfloat16" and device == "cpu" and least is not None and hidden >= least
