"""Draw valid perplexity against epoch for every network."""

import argparse
from pathlib import Path

import pandas as pd

from seqlab.errors import InputError, command
from seqlab.report.figures import learning_curves
from seqlab.report.style import save


def read_history(path: Path) -> pd.DataFrame:
    """Columns epoch, seed and valid_perplexity of a history.csv; InputError where one is missing."""
    try:
        return pd.read_csv(path, usecols=["epoch", "seed", "valid_perplexity"])
    except ValueError as error:
        raise InputError(f"{path} is not a history of training ({error}); delete it and run the workflow") from None


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("histories", type=Path, nargs="*", help="history.csv files; the folder of each names its model")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    histories = {path.resolve().parent.name: read_history(path) for path in arguments.histories}
    save(learning_curves(histories), arguments.output)


if __name__ == "__main__":
    main()
