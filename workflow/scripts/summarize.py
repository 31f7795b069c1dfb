"""Collect the metrics of all models of a corpus and unit in two tables."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.runs import read_experiment
from seqlab.io.tables import write_table
from seqlab.ledger.scores import SCORED_SPLITS
from seqlab.questions import gaps, spelling
from seqlab.report.tables import summarize_texts
from seqlab.text.splits import read_segments
from seqlab.text.unknown import read_unknown
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--unit", required=True)
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--unknown", type=Path, required=True, help="unknown.json of the corpus and unit")
    parser.add_argument(
        "--summary", type=Path, required=True, help="CSV file with a row for each model, seed and split"
    )
    parser.add_argument("--models", type=Path, required=True, help="CSV file with a row for each model and split")
    arguments = parser.parse_args()
    runs = read_experiment(arguments.experiment).select(arguments.corpus, arguments.unit)
    segments, vocab = read_segments(arguments.ids, arguments.splits), Vocab.load(arguments.vocab)
    answers = gaps.mark_splits(runs, segments, vocab, SCORED_SPLITS)
    summary, models = summarize_texts(runs, spelling.answer(read_unknown(arguments.unknown)), answers)
    write_table(arguments.summary, summary)
    write_table(arguments.models, models)


if __name__ == "__main__":
    main()
