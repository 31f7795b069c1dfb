"""One run of a sweep: the networks that its card asks for, trained and scored in its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.io.files import remove, write_text
from seqlab.ledger.record import read_training, record
from seqlab.rnn.checkpoint import load_network
from seqlab.rnn.fleet import Fleet
from seqlab.rnn.halving import Rungs
from seqlab.rnn.live import LiveHistory
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import generate, stream_bits
from seqlab.rnn.settings import TrainingSettings
from seqlab.rnn.training import train_fleet
from seqlab.text.splits import segments_of
from seqlab.text.vocab import Vocab

CHECKPOINT = "unfinished.safetensors"  # in the folder of a run until it is scored


def train_run(
    card: dict[str, Any],
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocab: Vocab,
    folder: Path,
    fingerprint: str,
    device: torch.device,
    stop: Callable[[], bool],
    sample: dict[str, Any],
) -> None:
    """Train a network for every seed of `card`, then score valid and test and draw a sample.

    `ids`, (symbols,), lie below the size of `vocab`, and `splits` is the content of splits.json. What an interrupted
    run left in `folder` is gone on with where its `fingerprint` of card, data and code is this one; `stop` is as in
    `train_fleet`, and so is what is raised. `sample` holds prompt, symbols and temperature. A line for each epoch is
    printed.
    """
    train, valid = (segments_of(ids, splits, name) for name in ("train", "valid"))
    settings = dict(card["settings"])
    architecture = Architecture(settings.pop("cell"), settings.pop("layers"), settings.pop("hidden"), len(vocab))
    training = TrainingSettings.from_card(settings)
    sweep = card | {"settings": settings, "model": None}  # what configurations that are compared with each other share
    rungs = Rungs(folder.parent / "halving", card["model"], sweep, training.epochs, training.halving)
    fleet = Fleet.start(architecture, training, card["seeds"], device)
    live = LiveHistory(folder, fleet)
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    print(f"{name}  {architecture.parameters:,} parameters, seeds {card['seeds']}", flush=True)
    train_fleet(
        fleet,
        np.concatenate(train),
        valid,
        report=live.beside(lambda line: print(f"{name}  {line}", flush=True)),
        checkpoint=(folder / CHECKPOINT, fingerprint),
        stop=stop,
        judge=rungs.judge,
    )
    fleet.write_results(folder)
    score_run(folder, splits, ids, vocab, device, stop, sample)
    remove(folder / CHECKPOINT)
    live.remove()


def score_run(
    folder: Path,
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocab: Vocab,
    device: torch.device,
    stop: Callable[[], bool],
    sample: dict[str, Any],
) -> None:
    """Score valid and test with the network in `folder` and write scores.npz, metrics.json and sample.txt there.

    Double precision, so that the figures do not depend on how the text is cut into chunks. Raises KeyboardInterrupt
    where `stop` is true between two steps.
    """
    architecture, parameters, _ = load_network(folder)
    parameters = {name: value.to(device).double() for name, value in parameters.items()}
    bits: dict[str, NDArray[np.floating]] = {}
    for split in ("valid", "test"):
        if stop():
            raise KeyboardInterrupt
        bits[split] = stream_bits(architecture, parameters, segments_of(ids, splits, split))
    prompt = segments_of(ids, splits, "valid")[0][: sample["prompt"]].tolist()
    drawn = generate(
        architecture, parameters, prompt, sample["symbols"], np.random.default_rng(1), sample["temperature"]
    )
    write_text(folder / "sample.txt", vocab.text_of(prompt + drawn) + "\n", checksum=False)
    record(folder, splits, bits, read_training(folder / "training.json"))
