"""One run of a sweep: an n-gram model, scored in its folder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.files import write_json, write_text
from seqlab.ledger.record import write_ledger
from seqlab.ngram.model import NgramModel, generate
from seqlab.text.splits import segments_of
from seqlab.text.vocab import Vocab


def score_run(
    folder: Path,
    training: dict[str, Any],
    splits: dict[str, Any],
    ids: NDArray[Any],
    vocab: Vocab,
    sample: dict[str, Any],
    **more: Any,
) -> None:
    """Score valid and test with the model.npz in `folder` and write training.json, scores.npz, metrics.json and
    sample.txt there.

    `splits` is the content of splits.json, `ids` are (symbols,), `sample` holds prompt, symbols and temperature, and
    `more` are further keys of training.json and metrics.json.
    """
    write_json(folder / "training.json", training | more)
    model = NgramModel.load(folder / "model.npz")
    bits: dict[str, NDArray[np.floating]]
    bits = {split: model.score(segments_of(ids, splits, split)) for split in ("valid", "test")}
    prompt = segments_of(ids, splits, "valid")[0][: sample["prompt"]].tolist()
    drawn = generate(model, prompt, sample["symbols"], np.random.default_rng(1), sample["temperature"])
    write_text(folder / "sample.txt", vocab.text_of(prompt + drawn) + "\n", checksum=False)
    write_ledger(folder, splits, bits, training, **more)
