"""Draw the test perplexity of networks as a map of layers by hidden units."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.report.figures import layers_by_hidden
from seqlab.report.style import save
from seqlab.report.tables import read_models


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="models.csv of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    save(layers_by_hidden(read_models(arguments.models)), arguments.output)


if __name__ == "__main__":
    main()
