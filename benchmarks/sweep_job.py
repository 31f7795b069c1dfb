"""seqlab's part of sweep.py: train one configuration with all its seeds, as the rule train_rnn does."""

import argparse
import json
from pathlib import Path

import torch

from seqlab.devices import use_threads
from seqlab.rnn.fleet import Fleet
from seqlab.rnn.network import Architecture
from seqlab.rnn.settings import TrainingSettings
from seqlab.rnn.training import train_fleet
from seqlab.text.vocab import Vocab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", required=True)
    parser.add_argument("--cell", required=True)
    for name in ("layers", "hidden"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    arguments = parser.parse_args()
    use_threads(1)
    text = Path(arguments.text).read_text(encoding="utf-8")
    first, second = int(0.9 * len(text)), int(0.95 * len(text))
    vocab = Vocab(text[:first])
    architecture = Architecture(arguments.cell, arguments.layers, arguments.hidden, len(vocab))
    settings = TrainingSettings.from_card(arguments.settings)
    fleet = Fleet.start(architecture, settings, arguments.seeds, torch.device("cpu"))
    train_fleet(fleet, vocab.encode(text[:first]), [vocab.encode(text[first:second])])


if __name__ == "__main__":
    main()
