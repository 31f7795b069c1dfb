"""One run of a sweep: the networks that its card asks for, trained and scored in its folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.run import train_and_score
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.files import write_text
from seqlab.ledger.record import read_training, write_ledger
from seqlab.rnn.network import Architecture, load_network
from seqlab.rnn.scoring import generate, stream_bits
from seqlab.rnn.task import LanguageTask
from seqlab.text.splits import segments_of
from seqlab.text.vocab import Vocab


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

    `ids`, (symbols,), lie below the size of `vocab`, and `splits` is the content of splits.json; `sample` holds prompt,
    symbols and temperature. The rest is as in `train_and_score`.
    """
    settings = dict(card["settings"])
    architecture = Architecture(settings.pop("cell"), settings.pop("layers"), settings.pop("hidden"), len(vocab))
    fleet = Fleet.start(architecture, TrainingSettings.from_card(settings), card["seeds"], device)
    train, valid = (segments_of(ids, splits, name) for name in ("train", "valid"))
    task = LanguageTask.of(architecture, np.concatenate(train), valid, device)
    score = partial(score_run, folder, splits, ids, vocab, device, stop, sample)
    name = f"{card['corpus']}/{card['unit']} {card['model']}"
    train_and_score(fleet, task, name, folder, fingerprint, stop, score)


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
    write_ledger(folder, splits, bits, read_training(folder / "training.json"))
