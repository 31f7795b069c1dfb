"""Train the networks of several runs as one fleet; train_rnn takes each from the results. Resumes where interrupted."""

import argparse
from pathlib import Path

from seqlab.io.arguments import json_argument
from seqlab.io.errors import command
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.machine.interruption import stop_on_signals
from seqlab.rnn.run import train_joined_runs
from seqlab.text.splits import read_ids, read_splits
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, type=json_argument(), help="settings and seeds of each run, as JSON")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus")
    parser.add_argument("--folder", required=True, type=Path, help="folder for a folder of each run")
    parser.add_argument("--code", required=True, help="digest of the code, whose change invalidates checkpoints")
    add_device_arguments(parser)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    splits = read_splits(arguments.splits)
    ids, vocab = read_ids(arguments.ids, splits), Vocab.load(arguments.vocab)
    device = choose_device(arguments.device, arguments.jobs_per_gpu)
    train_joined_runs(
        arguments.runs, splits, ids, len(vocab), arguments.folder, arguments.code, device, stop_on_signals()
    )


if __name__ == "__main__":
    main()
