"""Collect the metrics of all models of a series in two tables."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import SERIES, read_experiment
from seqlab.io.tables import write_table
from seqlab.series.tables import summarize_forecasts


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True, help="the series")
    parser.add_argument("--unit", choices=[SERIES], default=SERIES)
    parser.add_argument("--summary", type=Path, required=True, help="CSV file, a row for each seed, split and horizon")
    parser.add_argument("--models", type=Path, required=True, help="CSV file, a row for each model, split and horizon")
    arguments = parser.parse_args()
    runs = read_experiment(arguments.experiment).select(arguments.corpus, arguments.unit)
    summary, models = summarize_forecasts(runs)
    write_table(arguments.summary, summary)
    write_table(arguments.models, models)


if __name__ == "__main__":
    main()
