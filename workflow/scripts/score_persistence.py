"""Forecast with the last value, or the last period, from every origin of test."""

import argparse
from functools import partial

from seqlab.io.errors import command
from seqlab.series.persistence import persistence, seasonal_persistence
from seqlab.series.record import forecast_points, record_forecasts
from seqlab.series.scoring import Scoring


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Scoring.add_arguments(parser)
    scoring = Scoring.begin(parser.parse_args())
    series, period = scoring.prepared, scoring.card["settings"].get("period")
    paths = partial(seasonal_persistence, period=period) if period else persistence
    forecasts = {
        split: forecast_points(paths, series, series.origins(split, 1, period or 1), horizons)
        for split, horizons in (("valid", [1]), ("test", scoring.horizons))
    }
    record_forecasts(scoring.folder, series, forecasts, [None])


if __name__ == "__main__":
    main()
