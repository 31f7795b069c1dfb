"""Draw the autocorrelation of the errors that each model of a series makes one step ahead."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.forecast.record import read_forecasts
from seqlab.report.forecast_figures import residual_autocorrelation
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("forecasts", type=Path, nargs="+", help="forecasts.npz of every model")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    residuals = {}
    for path in arguments.forecasts:
        arrays = read_forecasts(path)
        one = arrays["horizons"].tolist().index(1)
        residuals[path.parent.name] = arrays["errors"][0, :, one]
    save(residual_autocorrelation(residuals), arguments.output)


if __name__ == "__main__":
    main()
