"""Scoring a model of a series: what every program that does it is given, and what it makes of a model of one step."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlab.cards import read_card
from seqlab.files import count_argument, json_argument, read_json
from seqlab.forecast.record import forecast, record
from seqlab.forecast.rollout import Forecaster
from seqlab.forecast.splits import Prepared, read_prepared


@dataclass(frozen=True)
class Scoring:
    """A run that is to be scored: its card, its series, how far ahead, from how many trajectories, and its folder."""

    card_path: Path
    card: dict[str, Any]
    prepared: Prepared
    horizons: list[int]
    trajectories: int
    threads: int
    folder: Path

    @classmethod
    def from_command_line(cls, description: str | None) -> "Scoring":
        """What the arguments of this process say; InputError where the card is not that of the series."""
        parser = ArgumentParser(description=description)
        for name in ("card", "table", "description"):
            parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
        scoring = json_argument("horizons", "trajectories")
        parser.add_argument("--scoring", required=True, type=scoring, help="horizons and trajectories, as JSON")
        parser.add_argument("--threads", type=count_argument, default=1, help="for networks; all else is small")
        parser.add_argument("--folder", required=True, type=Path, help="the run's folder, with what was trained")
        given = parser.parse_args()
        card = read_card(given.card, "forecast", table=given.table, description=given.description)
        prepared = read_prepared(given.table, given.description)
        horizons, trajectories = given.scoring["horizons"], given.scoring["trajectories"]
        return cls(Path(given.card), card, prepared, horizons, trajectories, given.threads, given.folder)

    def record(self, model: Forecaster, **more: Any) -> None:
        """Enter the forecasts of `model` from every origin of valid and test; `more` are keys of metrics.json."""
        series, training = self.prepared, read_json(self.folder / "training.json")
        made = {
            "valid": forecast(model, series, series.origins("valid", 1), [1], 1),  # one step ahead is one Gaussian
            "test": forecast(model, series, series.origins("test", 1), self.horizons, self.trajectories),
        }
        record(self.card_path, series, made, model.seeds, self.folder, training, **more)
