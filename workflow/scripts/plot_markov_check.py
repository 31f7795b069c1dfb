"""Draw how far back the next value of a series depends on the past: partial autocorrelation, and valid by order."""

import argparse
from pathlib import Path

import pandas as pd

from seqlab.errors import command
from seqlab.report.forecast_figures import markov_check
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=Path, required=True, help="orders.csv of the autoregression")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(markov_check(pd.read_csv(arguments.orders)), arguments.output)


if __name__ == "__main__":
    main()
