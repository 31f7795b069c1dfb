"""A language model that was published, in use: it goes on with a text, or says what the text costs it.

The files that make one: vocab.json, and model.npz for an n-gram, or weights.safetensors and network.json for a network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError
from seqlab.ledger.perplexity import perplexity
from seqlab.text.tokens import to_bytes
from seqlab.text.vocab import Vocab

SETTINGS: dict[str, Any] = {
    "mode": "continue",
    "symbols": 60,
    "temperature": 1.0,
    "seed": 1,
}  # what predict takes, and its defaults


@dataclass(frozen=True)
class LanguageModel:
    """`scored` gives the bits of every symbol but the first, `drawn` indices that follow a prompt."""

    vocab: Vocab
    scored: Any
    drawn: Any

    @classmethod
    def load(cls, folder: str | Path) -> "LanguageModel":
        """The model in `folder`; InputError where a file is damaged."""
        folder = Path(folder)
        vocab = Vocab.load(folder / "vocab.json")
        return cls(vocab, *(_ngram(folder) if (folder / "model.npz").exists() else _network(folder)))

    def predict(self, texts: Sequence[str], settings: dict[str, Any]) -> list[dict[str, Any]]:
        """One answer for each text: with `mode` continue its continuation of `symbols` symbols, with `mode` score what
        it costs. Raises InputError for another mode or a text that is too short.
        """
        settings = SETTINGS | settings
        if settings["mode"] == "score":
            return [self.score(text) for text in texts]
        if settings["mode"] != "continue":
            raise InputError(f"mode is {settings['mode']!r}; allowed are continue and score")
        amount = int(settings["symbols"]), float(settings["temperature"]), int(settings["seed"])
        return [{"continuation": self.go_on(text, *amount)} for text in texts]

    def go_on(self, text: str, symbols: int, temperature: float, seed: int) -> str:
        """`symbols` symbols drawn after `text`; always the same for the same seed."""
        prompt = self._indices(text, 1)
        drawn = self.drawn(prompt.tolist(), symbols, np.random.default_rng(seed), temperature)
        return (" " if self.vocab.unit == "word" else "") + self.vocab.text_of(drawn)

    def score(self, text: str) -> dict[str, Any]:
        """What `text` costs from its second symbol on; the first is context only."""
        indices = self._indices(text, 2)
        bits = self.scored(indices)
        words = self.vocab.unit == "word"  # each is charged for the blank before it
        scored = to_bytes(self.vocab.tokenize(text)[1:], self.vocab.unit).decode("utf-8", errors="ignore")
        characters = len(scored) + words
        return {
            "bits_per_char": float(bits.sum()) / max(characters, 1),
            "bits_per_symbol": float(bits.mean()),
            "perplexity": perplexity(bits),
            "symbols": len(bits),
            "unknown": int((indices[1:] == 0).sum()),
        }

    def _indices(self, text: str, least: int) -> NDArray[Any]:
        indices = self.vocab.encode(self.vocab.tokenize(text))
        if len(indices) < least:
            raise InputError(f"the text {text!r} has {len(indices)} symbols; give at least {least}")
        return indices


def _ngram(folder: Path) -> tuple[Any, Any]:
    from seqlab.ngram.model import NgramModel, generate, symbol_probabilities

    model = NgramModel.load(folder / "model.npz")

    def scored(indices: NDArray[Any]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):  # a probability of zero costs infinitely many bits
            return -np.log2(symbol_probabilities(model, [indices]))

    return scored, lambda *drawing: generate(model, *drawing)


def _network(folder: Path) -> tuple[Any, Any]:
    from seqlab.rnn.checkpoint import load_network
    from seqlab.rnn.scoring import generate, stream_bits

    architecture, parameters, _ = load_network(folder)
    parameters = {name: value.double() for name, value in parameters.items()}  # as the ledger was scored

    def scored(indices: NDArray[Any]) -> NDArray[np.float64]:
        return stream_bits(architecture, parameters, [indices])[0]

    return scored, lambda *drawing: generate(architecture, parameters, *drawing)
