"""Train a recurrent network for every seed of its card, all at once."""

import argparse
from pathlib import Path

from seqlab.cards import read_card
from seqlab.devices import add_device_arguments, choose_device, use_threads
from seqlab.errors import command
from seqlab.interruption import stop_on_signals
from seqlab.provenance import fingerprint
from seqlab.rnn.run import train_run
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--code", nargs="+", required=True, help="files whose change makes a checkpoint worthless")
    add_device_arguments(parser)
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder: weights, history, training")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    card = read_card(arguments.card, "rnn", ids=arguments.ids, splits=arguments.splits, vocab=arguments.vocab)
    train_run(
        card,
        read_segments(arguments.ids, arguments.splits),
        len(Vocab.load(arguments.vocab)),
        arguments.folder,
        fingerprint([arguments.card, arguments.ids, *arguments.code]),
        choose_device(arguments.device, arguments.jobs_per_gpu),
        stop_on_signals(),
    )


if __name__ == "__main__":
    main()
