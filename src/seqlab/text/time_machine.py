"""Tokens and vocabulary of The Time Machine, the corpus of the course module (section 4)."""

from pathlib import Path

from seqlab.text.cleaning import clean_text
from seqlab.text.reading import load_text
from seqlab.text.tokens import tokenize
from seqlab.text.vocab import Vocab


def build_time_machine(path: str | Path, unit: str = "char") -> tuple[list[int], Vocab]:
    """Return The Time Machine as a list of indices, and its vocabulary: 173,428 characters or 32,775 words.

    As in the module, the vocabulary is that of the whole text; the workflow takes that of the train split.
    """
    tokens = tokenize(clean_text(load_text(path)), unit)
    vocab = Vocab(tokens)
    return vocab[tokens], vocab
