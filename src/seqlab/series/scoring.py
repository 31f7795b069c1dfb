"""Scoring of forecasting models: arguments of the programs, and the forecasts of a one-step model."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlab.io.arguments import json_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.runs import FORECAST
from seqlab.series.record import forecast_series, record_forecasts
from seqlab.series.rollout import Forecaster
from seqlab.series.splits import Prepared, read_prepared


@dataclass(frozen=True)
class Scoring:
    """A run to score: its folder, card and series, the horizons, and the number of trajectories."""

    folder: Path
    card: dict[str, Any]
    prepared: Prepared
    horizons: list[int]
    trajectories: int

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Add the arguments of a program for a run on a series to `parser`, for `begin`."""
        add_run_arguments(parser, "table", "description")
        scoring = json_argument("horizons", "trajectories")
        parser.add_argument("--scoring", required=True, type=scoring, help="horizons and trajectories, as JSON")

    @classmethod
    def begin(cls, arguments: Namespace, *needed: str) -> "Scoring":
        """Write the card of the run that the arguments name; InputError for a run without a setting `needed`."""
        card = begin_run(arguments, FORECAST, "table", "description", needed=needed)
        prepared = read_prepared(arguments.table, arguments.description)
        return cls(arguments.folder, card, prepared, arguments.scoring["horizons"], arguments.scoring["trajectories"])

    def record_forecasts(self, model: Forecaster, training: dict[str, Any], **more: Any) -> None:
        """Forecast with `model` from every origin of valid and test, and write the files of the run; `training` is the
        content of training.json, `more` are keys of metrics.json.
        """
        series = self.prepared
        forecasts_of = {
            "valid": forecast_series(
                model, series, series.origins("valid", 1), [1], 1
            ),  # one step ahead is one Gaussian
            "test": forecast_series(model, series, series.origins("test", 1), self.horizons, self.trajectories),
        }
        record_forecasts(self.folder, series, forecasts_of, model.seeds, training, **more)
