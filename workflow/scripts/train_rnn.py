"""Train a recurrent network for every seed of its card, all at once."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.cards import read_card
from seqlab.devices import choose_device, use_threads
from seqlab.errors import command
from seqlab.interruption import stop_on_signals
from seqlab.provenance import fingerprint
from seqlab.rnn.fleet import Fleet
from seqlab.rnn.halving import Rungs
from seqlab.rnn.live import LiveHistory
from seqlab.rnn.network import Architecture
from seqlab.rnn.settings import TrainingSettings
from seqlab.rnn.training import train_fleet
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--code", nargs="+", required=True, help="files whose change makes a checkpoint worthless")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="so many jobs may share one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder: weights, history, training")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    card = read_card(arguments.card, "rnn", ids=arguments.ids, splits=arguments.splits, vocab=arguments.vocab)
    splits = read_splits(arguments.splits)
    ids, vocab = read_ids(arguments.ids, splits), Vocab.load(arguments.vocab)
    architecture = Architecture(*(card["settings"].pop(name) for name in ("cell", "layers", "hidden")), len(vocab))
    settings = TrainingSettings.from_card(card["settings"])
    sweep, halving = card | {"model": None}, arguments.folder.parent / "halving"
    rungs = Rungs(halving, card["model"], sweep, settings.epochs, settings.halving)
    fleet = Fleet.start(architecture, settings, card["seeds"], choose_device(arguments.device, arguments.jobs_per_gpu))
    live = LiveHistory(arguments.folder, fleet)
    unfinished = arguments.folder / "unfinished.safetensors"
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    print(f"{name}  {architecture.parameters:,} parameters, seeds {card['seeds']}", flush=True)
    train_fleet(
        fleet,
        np.concatenate(segments_of(ids, splits, "train")),
        segments_of(ids, splits, "valid"),
        report=live.beside(lambda line: print(f"{name}  {line}", flush=True)),
        checkpoint=(unfinished, fingerprint([arguments.card, arguments.ids, *arguments.code])),
        stop=stop_on_signals(),
        judge=rungs.judge,
    )
    fleet.write_results(arguments.folder)
    unfinished.unlink(missing_ok=True)
    live.remove()


if __name__ == "__main__":
    main()
