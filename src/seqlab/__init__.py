"""seqlab: n-gram and recurrent models of text and series, compared on every symbol.

The package exports the names of the course module and the functions to use models from Python. They are imported on
first use, so that importing seqlab is fast.
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
    "BackoffModel": "seqlab.ngram.model",
    "NgramModel": "seqlab.ngram.language",
    "symbol_probabilities": "seqlab.ngram.model",
    "load_network": "seqlab.rnn.network",
    "stream_bits": "seqlab.rnn.scoring",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqlab' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
