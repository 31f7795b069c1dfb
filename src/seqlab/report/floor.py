"""The figures of all models together, with the floor that is known where the source of a text is."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from seqlab.ledger.perplexity import read_metrics
from seqlab.report.style import save
from seqlab.report.tables import read_models


def draw_with_floor(description: str | None, draw: Callable[[pd.DataFrame, dict[str, float] | None], Figure]) -> None:
    """Draw the rows of models.csv and the entropy rate of the source as the arguments of this process say."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--models", type=Path, required=True, help="models.csv of the experiment")
    parser.add_argument(
        "--metrics", type=Path, nargs="*", default=[], help="metrics.json of the source, where it is known"
    )
    parser.add_argument("--output", type=Path, required=True, help="the figure, an svg")
    arguments = parser.parse_args()
    entropy_rate = next((read_metrics(path).get("entropy_rate") for path in arguments.metrics), None)
    save(draw(read_models(arguments.models), entropy_rate), arguments.output)
