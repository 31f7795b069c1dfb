"""Training and scoring of the forecasting networks of a run in its folder."""

from collections.abc import Callable

import torch

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.run import train_and_score
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.files import read_json
from seqlab.series.forecaster import NetworkForecaster
from seqlab.series.network import ForecastNetwork
from seqlab.series.scoring import Scoring
from seqlab.series.task import ForecastTask


def train_forecaster(
    scoring: Scoring, window: int, fingerprint: str, device: torch.device, stop: Callable[[], bool]
) -> None:
    """Train a network for every seed of the card, on windows of `window` values, and forecast valid and test.

    The other arguments and exceptions are those of `train_and_score`.
    """
    card, prepared, settings = scoring.card, scoring.prepared, dict(scoring.card["settings"])
    shape = {name: settings.pop(name) for name in ("cell", "layers", "hidden")}
    network = ForecastNetwork(**shape, window=window, columns=prepared.values.shape[1])
    fleet = Fleet.start(network, TrainingSettings.from_card(settings), card["seeds"], device)
    ranges = prepared.learnt, prepared.splits["valid"]
    task = ForecastTask.of(network, prepared.scaled, *ranges, device, scored=len(prepared.columns))

    def score() -> None:
        scoring.record_forecasts(NetworkForecaster.load(scoring.folder), read_json(scoring.folder / "training.json"))

    train_and_score(fleet, task, f"{card['series']} {card['model']}", scoring.folder, fingerprint, stop, score)
