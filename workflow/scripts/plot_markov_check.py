"""Draw how far back the next value of a series depends on the past: partial autocorrelation, and valid by order."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.forecast.autoregression import ORDERS
from seqlab.report.forecast_figures import markov_check
from seqlab.report.style import save
from seqlab.report.tables import read_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=Path, required=True, help="orders.csv of the autoregression")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(markov_check(read_table(arguments.orders, ORDERS)), arguments.output)


if __name__ == "__main__":
    main()
