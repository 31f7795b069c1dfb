"""Draw the errors of every model of a series against how far ahead they forecast."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.files import read_json
from seqlab.forecast.tables import read_models
from seqlab.report.forecast_figures import error_by_horizon
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="models.csv of the series")
    parser.add_argument("--description", required=True, help="series.json")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    series = read_json(arguments.description)
    save(error_by_horizon(read_models(arguments.models), series["unit"], series["known"]), arguments.output)


if __name__ == "__main__":
    main()
