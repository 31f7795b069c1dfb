"""Ending hopeless configurations of a sweep early: asynchronous successive halving.

Li et al. 2020, "A system for massively parallel hyperparameter tuning", in the form that stops rather than resumes: at
a few rungs a configuration goes on only where its loss is among the best 1/factor of those that have come so far. The
jobs of a sweep share a folder with a small file each and wait for nobody, so what ends depends on who came first.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json


def rungs(epochs: int, factor: int) -> list[int]:
    """The epochs after which a configuration is judged: epochs / factor, epochs / factor^2, ..., rounded up.

    None where `factor` is 0, which is for never.
    """
    found: list[int] = []
    share = epochs / factor if factor else 0.0
    while share > 1 and factor > 1:
        found.insert(0, math.ceil(share))
        share /= factor
    return found


def is_hopeless(own: float, others: list[float], factor: int) -> bool:
    """Whether `own` loss is not among the best 1/`factor` of itself and `others`; at least one always is."""
    return sum(other < own for other in others) >= max(1, math.ceil((len(others) + 1) / factor))


class Rungs:
    """The losses of one configuration and of its siblings, as they come in.

    `folder` is shared by all jobs of a sweep. Only siblings of the same `sweep`, a mapping fit for JSON, are compared:
    a loss from another number of epochs or another text means nothing here.
    """

    def __init__(self, folder: Path, name: str, sweep: Mapping[str, Any], epochs: int, factor: int) -> None:
        self.folder, self.path = folder, folder / f"{name}.json"
        self.sweep = hashlib.sha256(json.dumps(sweep, sort_keys=True).encode()).hexdigest()
        self.epochs, self.factor = rungs(epochs, factor), factor

    def judge(self, epoch: int, loss: float) -> str | None:
        """Enter `loss`, the validation loss in nats after `epoch`; the sentence that ends the training, if any.

        A loss that was entered before, by a run that was interrupted, is entered again.
        """
        if epoch not in self.epochs:
            return None
        own = self._losses(self.path) if self.path.exists() else {}
        write_json(self.path, {"sweep": self.sweep, "losses": own | {str(epoch): loss}})
        paths = [path for path in sorted(self.folder.glob("[!.]*.json")) if path != self.path]
        others = [losses[str(epoch)] for losses in map(self._losses, paths) if str(epoch) in losses]
        if not is_hopeless(loss, others, self.factor):
            return None
        better = sum(other < loss for other in others)
        return (
            f"stopped after epoch {epoch} by rnn.training.halving: of {len(others) + 1} configurations that had come "
            f"so far {better} were better"
        )

    def _losses(self, path: Path) -> dict[str, float]:
        """The losses in `path` by epoch; none where the file is another sweep's or was damaged."""
        try:
            entered: dict[str, Any] = read_json(path)
        except InputError:
            return {}
        return entered.get("losses", {}) if entered.get("sweep") == self.sweep else {}
