"""Breakdown of bits by groups of symbols and contexts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.ledger.record import read_ledger
from seqlab.questions.subject import Subject
from seqlab.questions.verdicts import CHOSEN_FAMILIES

CONTEXT_LENGTHS = {"char": 3, "byte": 3, "word": 1, "bpe": 2}  # symbols of a context that is counted in train
REPEAT_LENGTHS = {"char": 4, "byte": 4, "word": 1, "bpe": 2}  # symbols of a stretch whose last occurrence is located
PLACE_QUESTION, KIND_QUESTION = "place in the word", "kind of symbol"
LAST_PLACE = 6  # this place in a word and all later ones are one group

Labels = tuple[str, list[str], NDArray[np.int64]]  # question, names of its groups, the group of every scored symbol


@dataclass(frozen=True)
class BreakdownRow:
    """A row of breakdown.csv: the mean bits of a model on the symbols of test in one group of a question."""

    question: str
    group: str
    model: str
    symbols: int
    bits_per_symbol: float


def answer(subject: Subject) -> tuple[list[BreakdownRow], dict[str, Any]]:
    """Return the rows of the best model of each family, and the content of contrast.json: the places where the best
    n-gram and the best network differ most, empty unless both exist.
    """
    train, test, vocab = subject.segments["train"], subject.segments["test"], subject.vocab
    best = {family: run for family in CHOSEN_FAMILIES if (run := subject.best(family))}
    bits = {family: read_ledger(run)[1]["test"].mean(0) for family, run in best.items()}
    models = {best[family].model: costs for family, costs in bits.items()}
    rows = break_down(models, train, test, vocab.tokens, vocab.unit)
    pair = [best[family].model if family in best else None for family in ("ngram", "rnn")]
    places = find_contrasts(bits["ngram"], bits["rnn"], test, vocab.tokens) if None not in pair else []
    return rows, {"ngram": pair[0], "rnn": pair[1], "unit": vocab.unit, "places": places}


def break_down(
    bits: Mapping[str, NDArray[Any]],
    train: Sequence[NDArray[Any]],
    scored: Sequence[NDArray[Any]],
    tokens: Sequence[str],
    unit: str,
) -> list[BreakdownRow]:
    """Return the mean bits of each model, `bits[model]` of shape (scored symbols,), in each group of each question.

    `train` and `scored` are segments of ids; the first symbol of each scored segment is context only. Groups without
    symbols are omitted.
    """
    rows = []
    for question, names, label in _labels(train, scored, tokens, unit):
        counts = np.bincount(label, minlength=len(names))
        for model, costs in bits.items():
            total = np.bincount(label, weights=np.asarray(costs, dtype=np.float64), minlength=len(names))
            rows += [
                BreakdownRow(question, name, model, int(count), float(cost / count))
                for name, count, cost in zip(names, counts, total, strict=True)
                if count
            ]
    return rows


def _labels(
    train: Sequence[NDArray[Any]], scored: Sequence[NDArray[Any]], tokens: Sequence[str], unit: str
) -> Iterator[Labels]:
    length = CONTEXT_LENGTHS[unit]
    stretch = "symbol" if length == 1 else f"{length} symbols"
    occurrences = np.concatenate([count_contexts(train, segment, length) for segment in scored])
    yield f"how often train has the {stretch} before", *_binned(occurrences, (0, 1, 10, 100, 1000))
    if unit == "char":
        places = np.concatenate([find_places_in_words(segment, tokens)[1:] for segment in scored])
        names = ["none", *map(str, range(1, LAST_PLACE)), f"{LAST_PLACE}+"]
        yield PLACE_QUESTION, names, np.minimum(places, LAST_PLACE)
    names = ["letter", "digit", "blank", "other", "unknown"]
    classes = np.array([_class_of(token, number) for number, token in enumerate(tokens)])
    yield KIND_QUESTION, names, np.concatenate([classes[segment[1:]] for segment in scored])
    length = REPEAT_LENGTHS[unit]
    stretch = "it" if length == 1 else f"it and the {length - 1} before it"
    distances = np.concatenate([measure_distances(segment, length)[1:] for segment in scored])
    yield f"symbols since {stretch} last occurred", *_binned(distances, (0, 1, 10, 100, 1000), "never")


def _binned(values: NDArray[np.int64], borders: Sequence[int], zero: str = "0") -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the bins that begin at `borders`, with 0 as a bin of its own, and the bin of each value."""
    names = [zero]
    for low, high in zip(borders[1:], [*borders[2:], 0], strict=True):
        names.append(f"{low:,} to {high - 1:,}" if high else f"{low:,}+")
    bins: NDArray[np.int64] = np.searchsorted(np.array(borders), values, side="right") - 1
    return names, bins


def _class_of(token: str, number: int) -> int:
    if number == 0:
        return 4
    return 0 if token.isalpha() else 1 if token.isdigit() else 2 if token.isspace() else 3


def count_contexts(train: Sequence[NDArray[Any]], segment: NDArray[Any], length: int) -> NDArray[np.int64]:
    """Return how often `train` has the `length` symbols before each symbol of `segment`, (n,), but the first: (n - 1,).

    Only occurrences with a following symbol count, since models learn from no others. Near the start of a segment the
    context is shorter.
    """
    occurrences = np.zeros(len(segment), dtype=np.int64)
    for size in range(1, length + 1):
        known, counts = _distinct([_grams(part[:-1], size) for part in train])
        contexts = _grams(segment[:-1], size)
        place = np.minimum(np.searchsorted(known, contexts), len(known) - 1)
        count = np.where(known[place] == contexts, counts[place], 0) if len(known) else np.zeros_like(contexts)
        reached = slice(size, None) if size == length else slice(size, size + 1)
        occurrences[reached] = count[: len(occurrences[reached])]
    return occurrences[1:]


def _distinct(grams: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    values, counts = np.unique(np.concatenate(grams), return_counts=True)
    return values, counts.astype(np.int64)


def _grams(segment: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return a number for each stretch of `size` symbols, (symbols - size + 1,). Sizes up to 4 need vocabularies of
    less than 2 ** 15 symbols.
    """
    symbols = np.asarray(segment, dtype=np.int64)
    number = max(0, len(symbols) - size + 1)
    packed = np.zeros(number, dtype=np.int64)
    for offset in range(size):
        packed = (packed << (60 // size)) + symbols[offset : offset + number]
    return packed


def find_places_in_words(segment: NDArray[Any], tokens: Sequence[str]) -> NDArray[np.int64]:
    """Return the place in its word of each symbol of `segment`, from 1 on, (n,); 0 outside of letters and digits."""
    inside = np.array([token.isalnum() for token in tokens])[segment]
    place = np.arange(len(segment))
    border = np.where(inside, -1, place)
    return place - np.maximum.accumulate(border) if len(segment) else place


def measure_distances(segment: NDArray[Any], length: int) -> NDArray[np.int64]:
    """Return the distance from each symbol of `segment` to the previous occurrence of the `length` symbols that end
    there, (n,); 0 for none.
    """
    grams = _grams(segment, length)
    order = np.argsort(grams, kind="stable")
    again = np.flatnonzero(grams[order][1:] == grams[order][:-1]) + 1
    distance = np.zeros(len(segment), dtype=np.int64)
    distance[order[again] + length - 1] = order[again] - order[again - 1]
    return distance


def find_contrasts(
    first: NDArray[Any],
    second: NDArray[Any],
    scored: Sequence[NDArray[Any]],
    tokens: Sequence[str],
    number: int = 6,
    before: int = 60,
    after: int = 15,
) -> list[dict[str, Any]]:
    """Return the symbols with the largest differences between two models, with bits (scored symbols,), in their text:
    `number` where the first model charges more, largest first, then `number` where the second does.

    An entry is `{"difference", "at", "tokens", "differences"}`: the bits of the first less those of the second, the
    index of the symbol in the tokens around it, and the differences of these tokens. Entries do not overlap.
    """
    with np.errstate(invalid="ignore"):  # infinite bits of both are no difference
        difference = np.nan_to_num(np.asarray(first, dtype=np.float64) - second, nan=0.0, posinf=99.0, neginf=-99.0)
    ids = np.concatenate([segment[1:] for segment in scored])
    taken = np.zeros(len(ids), dtype=bool)
    places: list[dict[str, Any]] = []
    for sign in (1, -1):
        strongest = np.argsort(-sign * difference, kind="stable")
        for place in _apart(strongest[sign * difference[strongest] > 0], taken, number, before, after):
            start = max(0, place - before)
            text = [tokens[symbol] for symbol in ids[start : place + after]]
            entry = {"difference": float(difference[place]), "at": place - start, "tokens": text}
            places.append(entry | {"differences": difference[start : place + after].tolist()})
    return places


def _apart(places: NDArray[np.int64], taken: NDArray[np.bool_], number: int, before: int, after: int) -> Iterator[int]:
    """Yield the first `number` of `places` without `taken` symbols around them, and mark these symbols as taken."""
    for place in map(int, places):
        around = slice(max(0, place - before), place + after)
        if number and not taken[around].any():
            taken[around] = True
            number -= 1
            yield place
