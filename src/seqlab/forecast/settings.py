"""How the networks of forecasts are trained, with the reason for each default."""

from dataclasses import dataclass, fields
from typing import Any

from seqlab.io.errors import InputError, shown


@dataclass(frozen=True)
class TrainingSettings:
    """Every key of `forecast.training` in the configuration, where the schema says what is allowed."""

    epochs: int = 40
    batches: int = 20  # in an epoch, after which valid is read
    batch_size: int = 16  # subsequences
    steps: int = 32  # values that a subsequence predicts, and through which gradients flow back
    learning_rate: float = 0.005
    clip: float = 1.0  # largest gradient norm of a replica
    early_stopping: int = 10  # epochs without a better validation loss before a replica stops; 0 for never

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            right = type(value) is kind or (kind is float and type(value) is int)
            if not right or not (value > 0 or (field.name == "early_stopping" and value == 0)):
                number = {int: "a whole number", float: "a number"}[kind]
                raise InputError(f"forecast.training.{field.name} is {shown(value)}; it must be {number} above 0")

    @classmethod
    def from_card(cls, values: dict[str, Any]) -> "TrainingSettings":
        """The settings in a card; InputError for a key that does not exist."""
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise InputError(f"forecast.training has no key {key!r}; allowed are {', '.join(known)}")
        return cls(**values)
