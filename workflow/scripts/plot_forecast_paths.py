"""Draw the end of a series and what each model forecast of it k steps before."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.forecast.record import read_forecasts
from seqlab.forecast.splits import read_prepared
from seqlab.report.forecast_figures import forecast_paths
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("forecasts", type=Path, nargs="+", help="forecasts.npz of every model")
    parser.add_argument("--table", required=True, help="series.csv")
    parser.add_argument("--description", required=True, help="series.json")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    prepared = read_prepared(arguments.table, arguments.description)
    forecasts = {path.parent.name: read_forecasts(path) for path in arguments.forecasts}
    save(forecast_paths(prepared, forecasts), arguments.output)


if __name__ == "__main__":
    main()
