"""seqlab: how well n-grams and recurrent networks predict a text, measured so that anyone can check it.

The names of the course module are here, and what one needs to use a model from Python; each is loaded when it is
first asked for, so that importing seqlab costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load_text": "seqlab.text.reading",
    "clean_text": "seqlab.text.cleaning",
    "tokenize": "seqlab.text.tokens",
    "Vocab": "seqlab.text.vocab",
    "build_time_machine": "seqlab.text.time_machine",
    "perplexity": "seqlab.ledger.perplexity",
    "read_scores": "seqlab.ledger.scores",
    "estimate": "seqlab.ngram.smoothing",
    "NgramModel": "seqlab.ngram.model",
    "symbol_probabilities": "seqlab.ngram.model",
    "load_network": "seqlab.rnn.network",
    "stream_bits": "seqlab.rnn.scoring",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqlab' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
