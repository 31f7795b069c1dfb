"""Draw valid perplexity against epoch for every network."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.report.figures import learning_curves
from seqlab.report.style import save
from seqlab.report.tables import read_table

COLUMNS = ["epoch", "seed", "valid_perplexity"]


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument(
        "metrics", type=Path, nargs="*", help="metrics.json of every network, with history.csv beside it"
    )
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    histories = {path.parent.name: read_table(path.with_name("history.csv"), COLUMNS) for path in arguments.metrics}
    save(learning_curves(histories), arguments.output)


if __name__ == "__main__":
    main()
