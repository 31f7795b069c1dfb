"""Forecast with the last value, or the last period, from every origin of test."""

import argparse
from functools import partial
from pathlib import Path

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.files import count_argument, json_argument
from seqlab.forecast.persistence import persistence, seasonal_persistence
from seqlab.forecast.record import forecast_points, record
from seqlab.forecast.splits import read_prepared


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "table", "description"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument(
        "--scoring",
        required=True,
        type=json_argument("horizons", "trajectories"),
        help="horizons and trajectories, as JSON",
    )
    parser.add_argument("--threads", type=count_argument, default=1, help="not used: nothing here can be divided")
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder, for forecasts and metrics")
    arguments = parser.parse_args()
    card = read_card(arguments.card, "forecast", table=arguments.table, description=arguments.description)
    period = card["settings"].get("period")
    prepared = read_prepared(arguments.table, arguments.description)
    paths = partial(seasonal_persistence, period=period) if period else persistence
    made = {
        split: forecast_points(paths, prepared, prepared.origins(split, 1, period or 1), horizons)
        for split, horizons in (("valid", [1]), ("test", arguments.scoring["horizons"]))
    }
    record(Path(arguments.card), prepared, made, [None], arguments.folder)


if __name__ == "__main__":
    main()
