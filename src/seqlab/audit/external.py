"""Models of other programs in an experiment, family external: their symbols in its vocabulary, and their scores."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.audit.candidate import Bits, Candidate, ModelCandidate, charge_bits, has_bits, read_distribution
from seqlab.audit.foreign import USUAL_LIMITS, Limits, open_foreign_model
from seqlab.audit.laws import largest_difference
from seqlab.io.arguments import count_argument
from seqlab.io.errors import InputError, quote
from seqlab.ngram.arpa import read_arpa
from seqlab.ngram.arpa_names import LINE_END, LINE_START
from seqlab.text.vocab import UNKNOWN

ABSENT = -1  # index of <unk> in a model without it
CHECKED_PLACES, LAST_CHECKED_PLACE = 20, 1000  # at which bits are compared with the distribution
MOST_DIFFERENCE = 1e-4  # bits; other programs may compute in float32
MOST_NAMES = 5  # of symbols in a sentence


def add_limit_arguments(parser: ArgumentParser) -> None:
    """Add to `parser` the limits of a program that runs models of other programs, for `read_limits`."""
    helps = {
        "seconds": "of all calls of an external model",
        "call_seconds": "of one call",
        "memory": "GiB of its process",
    }
    for name, value in USUAL_LIMITS._asdict().items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=count_argument, default=value, help=helps[name])


def read_limits(arguments: Namespace) -> Limits:
    """Return the limits of the arguments of `add_limit_arguments`."""
    return Limits(arguments.seconds, arguments.call_seconds, arguments.memory)


@contextmanager
def open_external(settings: Mapping[str, Any], limits: Limits) -> Iterator[Candidate]:
    """Yield the model of a run of family external: a class in a process of its own, or an n-gram model in ARPA format.

    Raise InputError as `open_foreign_model` and `read_arpa`, and for `settings` without model and arpa.
    """
    if "arpa" in settings:
        model, names, _ = read_arpa(settings["arpa"])
        yield ModelCandidate(names, model)
        return
    if "model" not in settings:
        raise InputError("the settings of the external model lack model and arpa; pass those of the workflow")
    with open_foreign_model(settings["model"], limits) as (candidate, _):
        yield candidate


def match_vocabulary(names: Sequence[str], tokens: Sequence[str], label: str) -> NDArray[np.int64]:
    """Return the index in `names`, the symbols of the model `label`, of each of `tokens`, (V,).

    The order of the names is free. A model may lack `<unk>`, which is then ABSENT, and may have `<s>` and `</s>`. Raise
    InputError where other names differ.
    """
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        numbers.setdefault(name, []).append(number)
    # from the last token, because entry 0 is <unk>, which may also be a word of the text
    backwards = [numbers[token].pop() if numbers.get(token) else ABSENT for token in reversed(tokens)]
    indices = np.array(backwards[::-1], dtype=np.int64)
    lacking = [token for token, number in zip(tokens[1:], indices[1:], strict=True) if number == ABSENT]
    if lacking:
        raise InputError(f"{label} lacks {_list_names(lacking)}, which the vocabulary of train has; add them to it")
    surplus = [name for name, left in numbers.items() if left and name not in (LINE_START, LINE_END)]
    if surplus:
        raise InputError(
            f"{label} has {_list_names(surplus)}, which the vocabulary of train lacks; remove them from it"
        )
    return indices


def translate_segments(
    segments: Iterable[NDArray[Any]], indices: NDArray[np.int64], label: str, split: str
) -> list[NDArray[np.int64]]:
    """Return `segments` of a split in the indices of the model `label`; `indices` is the result of `match_vocabulary`.

    Raise InputError for unknown symbols where the model has no `<unk>`.
    """
    texts = [indices[segment] for segment in segments]
    if unknown := sum(int((text == ABSENT).sum()) for text in texts):
        raise InputError(f"{label} has no {UNKNOWN}, which stands for {unknown:,} symbols of {split}; add it")
    return texts


def charge_segments(candidate: Candidate, segments: Sequence[NDArray[Any]], label: str, split: str) -> Bits:
    """Return the bits of every symbol but the first of each segment, (symbols,), by the candidate's own method where it
    has one that agrees with its distributions at CHECKED_PLACES places.

    Raise InputError for bits of another number, NaN, negative ones, and bits that disagree.
    """
    costs = []
    for segment in segments:
        bits = charge_bits(candidate, segment.tolist())
        if bits.shape != (len(segment) - 1,):
            raise InputError(
                f"{label} returns {len(bits)} bits for {len(segment)} symbols of {split}; return one for each but the "
                "first"
            )
        if not (bits >= -MOST_DIFFERENCE).all():
            place = int(np.argmin(bits >= -MOST_DIFFERENCE)) + 1
            raise InputError(
                f"{label} charges {bits[place - 1]} bits for the symbol at place {place} of {split}; correct it"
            )
        costs.append(np.maximum(bits, 0.0))
    if has_bits(candidate):
        _compare_forms(candidate, segments[0], costs[0], label, split)
    return np.concatenate(costs)


def _compare_forms(candidate: Candidate, segment: NDArray[Any], bits: Bits, label: str, split: str) -> None:
    """Raise InputError where `bits` differ from the distributions before their symbols."""
    last = min(len(segment) - 1, LAST_CHECKED_PLACE)
    for place in np.unique(np.linspace(1, last, CHECKED_PLACES).round().astype(int)).tolist():
        expected = -read_distribution(candidate, segment[:place].tolist())[[segment[place]]]
        if largest_difference(bits[place - 1 : place], expected) > MOST_DIFFERENCE:
            raise InputError(
                f"{label}: bits charges {bits[place - 1]:.6g} bits for the symbol at place {place} of {split}, but "
                f"log2_probabilities says {expected[0]:.6g}; correct one, or remove bits"
            )


def _list_names(names: Sequence[str]) -> str:
    """Return the first of `names` for a sentence, and the number of the others."""
    rest = f" and {len(names) - MOST_NAMES:,} more symbols" if len(names) > MOST_NAMES else ""
    return ", ".join(quote(name) for name in names[:MOST_NAMES]) + rest
