"""Draw bits per symbol against the number of steps ahead."""

import argparse
from pathlib import Path

import pandas as pd

from seqlab.errors import command
from seqlab.report.curves import horizon
from seqlab.report.style import save


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=Path, required=True, help="horizon.csv of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(horizon(pd.read_csv(arguments.horizon)), arguments.output)


if __name__ == "__main__":
    main()
