"""Scoring a model of a series: what every program that does it is given, and what it makes of a model of one step."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlab.io.arguments import json_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.runs import FORECAST
from seqlab.series.record import forecast, record
from seqlab.series.rollout import Forecaster
from seqlab.series.splits import Prepared, read_prepared


@dataclass(frozen=True)
class Scoring:
    """A run that is to be scored: its folder, card and series, how far ahead, and from how many trajectories."""

    folder: Path
    card: dict[str, Any]
    prepared: Prepared
    horizons: list[int]
    trajectories: int

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Give `parser` the arguments of a program that makes a run on a series, for `begin`."""
        add_run_arguments(parser, "table", "description")
        scoring = json_argument("horizons", "trajectories")
        parser.add_argument("--scoring", required=True, type=scoring, help="horizons and trajectories, as JSON")

    @classmethod
    def begin(cls, arguments: Namespace, *needed: str) -> "Scoring":
        """The run that the arguments name, once its card is written; InputError for one without a setting `needed`."""
        card = begin_run(arguments, FORECAST, "table", "description", needed=needed)
        prepared = read_prepared(arguments.table, arguments.description)
        return cls(arguments.folder, card, prepared, arguments.scoring["horizons"], arguments.scoring["trajectories"])

    def record(self, model: Forecaster, training: dict[str, Any], **more: Any) -> None:
        """Enter the forecasts of `model` from every origin of valid and test; `training` is the content of
        training.json, and `more` are keys of metrics.json.
        """
        series = self.prepared
        made = {
            "valid": forecast(model, series, series.origins("valid", 1), [1], 1),  # one step ahead is one Gaussian
            "test": forecast(model, series, series.origins("test", 1), self.horizons, self.trajectories),
        }
        record(self.folder, series, made, model.seeds, training, **more)
