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
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument(
        "metrics", type=Path, nargs="*", help="metrics.json of every network, with history.csv beside it"
    )
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    histories = {path.parent.name: read_history(path.with_name("history.csv")) for path in arguments.metrics}
    save(learning_curves(histories), arguments.output)


if __name__ == "__main__":
    main()
