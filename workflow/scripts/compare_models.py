"""Hold every model of an experiment against the best one: is the difference real?"""

import argparse
from pathlib import Path

from seqlab.errors import command
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ledger.verdicts import Entry, verdicts
from seqlab.report.tables import write_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="+", help="metrics.json of every model, with scores.npz beside it")
    parser.add_argument("--output", type=Path, required=True, help="csv with a row per model")
    arguments = parser.parse_args()
    ledger = [(read_metrics(path), read_scores(path.with_name("scores.npz"))) for path in arguments.metrics]
    write_table(arguments.output, verdicts([Entry(metrics, bits["test"]) for metrics, bits in ledger]))


if __name__ == "__main__":
    main()
