"""One run of a sweep: the forecasting networks that its card asks for, trained and scored in its folder."""

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


def train_run(scoring: Scoring, window: int, fingerprint: str, device: torch.device, stop: Callable[[], bool]) -> None:
    """Train a network for every seed of the card, on windows of so many values, and forecast valid and test with them.

    The rest is as in `train_and_score`.
    """
    card, prepared, settings = scoring.card, scoring.prepared, dict(scoring.card["settings"])
    network = ForecastNetwork(settings.pop("cell"), settings.pop("layers"), settings.pop("hidden"), window)
    fleet = Fleet.start(network, TrainingSettings.from_card(settings), card["seeds"], device)
    task = ForecastTask.of(network, prepared.scaled, prepared.learnt, prepared.splits["valid"], device)

    def score() -> None:
        scoring.record(NetworkForecaster.load(scoring.folder), read_json(scoring.folder / "training.json"))

    train_and_score(fleet, task, f"{card['series']} {card['model']}", scoring.folder, fingerprint, stop, score)
