"""Trained language model with its vocabulary: continuations and scores of texts.

Its files are vocab.json, and model.npz for an n-gram, or weights.safetensors and network.json for a network.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.cards import read_card
from seqlab.io.errors import InputError, quote
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import Place, find_experiment
from seqlab.ledger.perplexity import compute_figures
from seqlab.sampling import SymbolModel, drawn
from seqlab.text.splits import describe_splits
from seqlab.text.vocab import Vocab

MODEL_FILES = NGRAM_FILE, NETWORK_FILE = "model.npz", "weights.safetensors"
# the settings of `LanguageModel.predict`
PREDICT_DEFAULTS: dict[str, Any] = {"mode": "continue", "symbols": 60, "temperature": 1.0, "seed": 1}


def open_model(folder: Path, choose_device: Callable[[], Any] = lambda: "cpu", double: bool = False) -> SymbolModel:
    """Return the model in `folder`; FileNotFoundError where there is none, InputError for damage.

    A network is put on the device that `choose_device` returns, in `double` precision where it scores a ledger.
    """
    if (folder / NGRAM_FILE).exists():
        from seqlab.ngram.model import BackoffModel

        return BackoffModel.load(folder / NGRAM_FILE)
    from seqlab.rnn.model import NetworkModel

    return NetworkModel.load(folder, choose_device(), double)


@dataclass(frozen=True)
class LanguageModel:
    """A model and the vocabulary of its symbols."""

    name: str
    vocab: Vocab
    model: SymbolModel

    @classmethod
    def load(cls, folder: str | Path, device: Any = "cpu") -> "LanguageModel":
        """Return the model in `folder`: the folder of a run among the results, or one with its own vocab.json.

        Raises InputError where there is none, a file is damaged, or the vocabulary is not that of the run.
        """
        folder = Path(folder)
        beside = folder / "vocab.json"
        vocab = beside if beside.exists() else _prepared_vocabulary(folder)
        if vocab is None or not any((folder / name).exists() for name in MODEL_FILES):
            raise InputError(
                f"{folder} holds no model; name the folder of a run, such as results/default/python_docs/char/ngram/"
                f"mkn-5, with {' or '.join(MODEL_FILES)} in it"
            )
        return cls(folder.resolve().name, Vocab.load(vocab), open_model(folder, lambda: device, double=True))

    def predict(self, texts: Sequence[str], settings: dict[str, Any]) -> list[dict[str, Any]]:
        """Return an answer for each text: with `mode` continue its continuation by `symbols` symbols, with `mode` score
        its metrics. Raises InputError for another mode or a text that is too short.
        """
        settings = PREDICT_DEFAULTS | settings
        if settings["mode"] == "score":
            return [self.score(text)[0] for text in texts]
        if settings["mode"] != "continue":
            raise InputError(f"mode is {settings['mode']!r}; allowed are continue and score")
        amount = int(settings["symbols"]), float(settings["temperature"]), int(settings["seed"])
        return [{"continuation": self.continue_text(text, *amount)} for text in texts]

    def continue_text(self, text: str, symbols: int, temperature: float, seed: int) -> str:
        """Draw `symbols` symbols after `text` from the first replica; the result depends on the seed alone."""
        reading = self.model.read(self.encoded(text, 1)[1].tolist())
        return self.continuation_text(list(drawn(reading, symbols, np.random.default_rng(seed), temperature)))

    def continuation_text(self, indices: Sequence[int]) -> str:
        """Return the text of `indices` as the continuation of another text."""
        return (" " if self.vocab.unit == "word" else "") + self.vocab.text_of(indices)

    def score(self, text: str) -> list[dict[str, Any]]:
        """Return the metrics of `text` for each replica, as in metrics.json; the first symbol is context only."""
        tokens, indices = self.encoded(text, 2)
        counts = self.counts(tokens, indices)
        return [compute_figures(bits, counts) for bits in self.model.score([indices])]

    def counts(self, tokens: Sequence[str], indices: NDArray[Any]) -> dict[str, Any]:
        """Count the scored symbols, characters, bytes and words of a text, as in splits.json."""
        segments = {"text": [[0, len(tokens)]]}
        counts: dict[str, Any] = describe_splits("contiguous", segments, indices, tokens, self.vocab.unit)["splits"][
            "text"
        ]
        return counts | {"characters": max(counts["characters"], 1)}  # part of a character counts as one

    def encoded(self, text: str, least: int) -> tuple[list[str], NDArray[Any]]:
        """Return the tokens of `text` and their indices, (tokens,); InputError for fewer than `least`, and for bytes
        that are not UTF-8, which Python passes as halves of surrogate pairs.
        """
        if half := re.search("[\ud800-\udfff]", text):
            fault = f"byte 0x{ord(half[0]) - 0xDC00:02x}" if "\udc80" <= half[0] <= "\udcff" else "half a character"
            raise InputError(
                f"the text {quote(text)} has {fault} at place {half.start()}, which is not UTF-8; correct it"
            )
        tokens = self.vocab.tokenize(text)
        if len(tokens) < least:
            raise InputError(f"the text {quote(text)} has {len(tokens)} symbols; give at least {least}")
        return tokens, self.vocab.encode(tokens)


def _prepared_vocabulary(folder: Path) -> Path | None:
    """Return the path of vocab.json of the training text of the run in `folder`; None for another folder.

    A run that its experiment no longer lists, because the experiment was run again with another text, has the
    vocabulary of its corpus with the checksum in its card.
    """
    experiment, card_path = find_experiment(folder), folder / "card.yaml"
    if experiment is None or not card_path.exists():
        return None
    card = read_card(card_path)
    prepared = experiment.prepared.get(Place(experiment.folder, card.get("corpus", ""), card.get("unit", "")))
    if prepared is None:
        vocabularies = sorted(Path(experiment.folder).with_name("corpora").glob(f"{card.get('corpus')}/*/vocab.json"))
        return next((path for path in vocabularies if sha256_of(path) == card["data"].get("vocab")), None)
    vocab = Path(prepared) / "vocab.json"
    if vocab.exists():
        read_card(card_path, vocab=vocab)
    return vocab
