"""Collect the metrics of all models of an experiment in two tables."""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.files import read_json
from seqlab.report.tables import summarize, write_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="+", help="metrics.json of every model")
    parser.add_argument("--spelling", type=Path, required=True, help="spelling.json of the corpus and unit")
    parser.add_argument("--summary", type=Path, required=True, help="csv with a row per model, seed and split")
    parser.add_argument("--models", type=Path, required=True, help="csv with a row per model and split")
    arguments = parser.parse_args()
    summary, models = summarize(arguments.metrics, read_json(arguments.spelling))
    write_table(arguments.summary, summary)
    write_table(arguments.models, models)


if __name__ == "__main__":
    main()
