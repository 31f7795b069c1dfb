"""Scores and sample of a language model in the folder of its run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.files import write_text
from seqlab.ledger.record import read_training, write_ledger
from seqlab.sampling import SymbolModel, drawn
from seqlab.text.splits import segments_of
from seqlab.text.vocab import Vocab


def score_run(
    folder: Path,
    model: SymbolModel,
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocab: Vocab,
    sample: dict[str, Any],
    stop: Callable[[], bool] = lambda: False,
    **more: Any,
) -> None:
    """Score validation and test with `model`, and write scores.npz, metrics.json and sample.txt into `folder`.

    `splits` is the content of splits.json, `ids` are (symbols,), `sample` holds prompt, symbols and temperature, and
    `more` are further keys of metrics.json. The folder has a card.yaml and a training.json. Raises KeyboardInterrupt
    where `stop` is true between two splits.
    """
    bits: dict[str, NDArray[np.floating]] = {}
    for split in ("valid", "test"):
        if stop():
            raise KeyboardInterrupt
        bits[split] = model.score(segments_of(ids, splits, split))
    prompt = segments_of(ids, splits, "valid")[0][: sample["prompt"]].tolist()
    continuation = drawn(model.read(prompt), sample["symbols"], np.random.default_rng(1), sample["temperature"])
    write_text(folder / "sample.txt", vocab.text_of([*prompt, *continuation]) + "\n", checksum=False)
    write_ledger(folder, splits, bits, read_training(folder / "training.json"), **more)
