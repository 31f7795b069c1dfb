"""Score the best network once more in the ways that others score theirs."""

import argparse
from functools import partial
from pathlib import Path

import pandas as pd

from seqlab.cards import read_card
from seqlab.devices import choose_device, use_threads
from seqlab.errors import command
from seqlab.files import count_argument
from seqlab.ledger.mixture import valid_perplexity
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.report.tables import write_table
from seqlab.rnn.checkpoint import load_network
from seqlab.rnn.protocols import COLUMNS, score_protocols, stretch_bits
from seqlab.rnn.settings import TrainingSettings
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("metrics", type=Path, nargs="*", help="metrics.json of every network")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument(
        "--windows", type=count_argument, required=True, help="windows that are drawn, and at most taken"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="so many jobs may share one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="csv to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    rows = []
    ledger = [(valid_perplexity(metrics := read_metrics(path)), metrics["model"], path) for path in arguments.metrics]
    for _, model, path in sorted(ledger)[:1]:  # the best on valid, if there is any network
        splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
        test = segments_of(read_ids(arguments.ids, splits), splits, "test")
        architecture, parameters, _ = load_network(path.parent)
        device = choose_device(arguments.device, arguments.jobs_per_gpu)
        parameters = {name: value.to(device) for name, value in parameters.items()}
        settings = read_card(path.with_name("card.yaml"), "rnn")["settings"]
        training = TrainingSettings.from_card(
            {key: settings[key] for key in ("steps", "batch_size") if key in settings}
        )
        scored = score_protocols(
            read_scores(path.with_name("scores.npz"))["test"],
            test,
            partial(stretch_bits, architecture, parameters),
            training.steps,
            training.batch_size,
            arguments.windows,
            vocab.index.get("\n"),
        )
        for one in scored:
            gap = one.bits_per_symbol - scored[0].bits_per_symbol
            figures = [one.symbols, one.bits_per_symbol, one.perplexity, gap]
            rows.append([model, one.protocol, *figures, one.meaning])
            print(f"{model}, {one.protocol}: perplexity {one.perplexity:.4f}", flush=True)
    write_table(arguments.output, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    main()
