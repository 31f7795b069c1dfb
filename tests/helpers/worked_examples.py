"""What the module prints wrongly, how to compare with print, and a text with the counts of section 5.1."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqlab.ngram.model import distribution, symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab


@dataclass(frozen=True)
class Erratum:
    """A value as the module prints it and as it is."""

    printed: str
    right: str


ERRATA = {  # the table of docs/errata.md has these rows and no others
    "X_t W_xh [2,2]": Erratum("-1.7", "-2.7"),
    "A_t [2,2]": Erratum("-1.65", "-2.65"),
    "H_t [2,2]": Erratum("-0.929", "-0.990"),
    "H_t^(1) W_xh^(2)": Erratum("[[-0.024, -0.702], [-0.315, -0.829]]", "[[-0.110, -0.710], [-0.494, -0.794]]"),
    "A_t^(2)": Erratum("[[0.206, -0.612], [-0.525, -0.459]]", "[[0.120, -0.620], [-0.704, -0.424]]"),
    "H_t^(2)": Erratum("[[0.203, -0.546], [-0.482, -0.430]]", "[[0.119, -0.551], [-0.607, -0.400]]"),
    "P_uni": Erratum("9.58e-5", "9.58e-4"),
    "P_tri": Erratum("0.0145", "0.0147"),
}

NOT_PRINTED = {  # values that the module does not print but that follow from it; docs/errata.md names them too
    "perplexity 1-gram": "5.684",
    "perplexity 2-gram": "2.621",
    "perplexity 3-gram": "2.872",
    "Eq. (20) to the letter": "1.070",
    "Eq. (20) counted from 0": "2.303",
}


def agrees(computed: ArrayLike, printed: str) -> NDArray[np.bool_]:
    """Which of the numbers `computed` are the `printed` ones, row by row, when rounded to as many digits."""
    numbers = [Decimal(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", printed)]
    units = np.array([10.0 ** number.as_tuple().exponent for number in numbers])
    differences = np.ravel(computed) - np.array([float(number) for number in numbers])
    return np.abs(differences) <= 0.5 * units


# A text of 85 words with exactly the counts of section 5.1. Every piece begins with "the" and the text ends with
# "arrived", so no context of the example stands at the end and C(h) is the number of words that follow h.
PIECES = {
    "the": 32,
    "the time": 5,
    "the time time": 2,
    "the time time traveler": 3,
    "the time traveler": 3,
    "the traveler traveler arrived": 1,
    "the arrived": 2,
    "the time traveler arrived": 2,
}
TEXT = [word for piece, times in PIECES.items() for word in piece.split() * times]
VOCAB = Vocab(TEXT)
SEQUENCE = ["the", "time", "traveler", "arrived"]


def sequence_probabilities(order: int) -> NDArray[np.float64]:
    """P(x_1), P(x_2 | x_1), .. of the four words, the contexts shortened at the start, by relative frequencies."""
    model = estimate("mle", [VOCAB.encode(TEXT)], order, len(VOCAB)).model
    sequence: NDArray[Any] = VOCAB.encode(SEQUENCE)
    first = distribution(model, [])[sequence[0]]
    return np.array([first, *symbol_probabilities(model, [sequence])])
