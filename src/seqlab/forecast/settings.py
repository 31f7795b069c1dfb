"""How the networks of forecasts are trained, with the reason for each default."""

from dataclasses import dataclass


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
