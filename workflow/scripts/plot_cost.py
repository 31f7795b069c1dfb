"""Draw test bits per character against parameters and seconds of training, with compressors and the known floor."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.ledger.perplexity import read_metrics
from seqlab.report.cost import cost
from seqlab.report.style import save
from seqlab.report.tables import read_models


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="models.csv of the experiment")
    parser.add_argument(
        "--metrics", type=Path, nargs="*", default=[], help="metrics.json of the source, where it is known"
    )
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    entropy_rate = next((read_metrics(path).get("entropy_rate") for path in arguments.metrics), None)
    save(cost(read_models(arguments.models), entropy_rate), arguments.output)


if __name__ == "__main__":
    main()
