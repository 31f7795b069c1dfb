"""Forecast with the last value, or the last period, from every origin of test."""

from functools import partial

from seqlab.errors import command
from seqlab.forecast.persistence import persistence, seasonal_persistence
from seqlab.forecast.record import forecast_points, record
from seqlab.forecast.scoring import Scoring


@command
def main() -> None:
    scoring = Scoring.from_command_line(__doc__)
    series, period = scoring.prepared, scoring.card["settings"].get("period")
    paths = partial(seasonal_persistence, period=period) if period else persistence
    made = {
        split: forecast_points(paths, series, series.origins(split, 1, period or 1), horizons)
        for split, horizons in (("valid", [1]), ("test", scoring.horizons))
    }
    record(scoring.card_path, series, made, [None], scoring.folder)


if __name__ == "__main__":
    main()
