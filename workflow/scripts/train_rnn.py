"""Train a recurrent network for every seed and score valid and test; an interrupted training is resumed."""

import argparse
from pathlib import Path

from seqlab.io.arguments import add_sample_argument
from seqlab.io.cards import add_run_arguments, begin_run
from seqlab.io.errors import command
from seqlab.io.files import read_digest
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.machine.interruption import stop_on_signals
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.run import train_run
from seqlab.scoring import score_run
from seqlab.text.splits import read_ids, read_splits
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser, "ids", "splits", "vocab")
    parser.add_argument("--code", required=True, help="digest of the code, whose change invalidates checkpoints")
    parser.add_argument("--trained", nargs="*", default=[], help="folder of train_fleet, which has trained the run")
    add_sample_argument(parser)
    add_device_arguments(parser)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    card, splits = begin_run(arguments, "rnn", "ids", "splits", "vocab"), read_splits(arguments.splits)
    ids, vocab, stop = read_ids(arguments.ids, splits), Vocab.load(arguments.vocab), stop_on_signals()
    device = choose_device(arguments.device, arguments.jobs_per_gpu)

    def score() -> None:
        model = NetworkModel.load(arguments.folder, device, double=True)
        score_run(arguments.folder, model, splits, ids, vocab, arguments.sample, stop)

    fingerprint = read_digest(arguments.folder / "card.yaml") + arguments.code
    trained = Path(arguments.trained[0]) if arguments.trained else None
    train_run(card, splits, ids, len(vocab), arguments.folder, fingerprint, device, stop, score, trained)


if __name__ == "__main__":
    main()
