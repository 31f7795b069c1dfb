"""Laws of a fair perplexity, each with the measurement that tests it.

The four conditions of openai/parameter-golf 1017 (a distribution that depends on the strict past, sums to one, is fixed
before its symbol is read, and one pass) are laws 1 to 4. The others find faults of scoring programs: chunks, a second
implementation, denominators, the vocabulary, hidden state, and costs below what is possible.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seqlab.audit.candidate import Bits, Precision, charge_bits, charge_texts, has_bits, read_distribution
from seqlab.audit.subject import Subject
from seqlab.ledger.statistics import compare_bits
from seqlab.ngram.arpa_names import LINE_END, LINE_START
from seqlab.text.vocab import UNKNOWN

CHANGED_PLACES = 6
RANDOM_CONTEXTS, RANDOM_LENGTH = 10, 12
TRIED_PLACES, TRIED_SYMBOLS, LAST_TRIED_PLACE = 3, 30, 200
REPEATED_PLACES = 3
CHUNK_LENGTHS = (1, 2, 3, 17, 64, 511, 512, 513)
TRAIN_CONTEXT = 50  # symbols before an occurrence in train
MOST_OCCURRENCES = 200  # entries of the vocabulary looked up in train
LEDGER_ROUNDING = 2e-7  # relative; the ledger is stored in float32
COMPRESSOR_SHARE = 0.5
CONTINUATION_BYTES = re.compile("[\udc80-\udcbf]")  # bytes that begin no character, as Python passes them
BY_CONSTRUCTION = "the model has no bits of its own: every symbol costs what the distribution after its prefix says"


class Outcome(StrEnum):
    """Outcome of a law."""

    KEPT = "kept"
    FLAGGED = "flagged"  # kept, but unusual
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Measurement:
    """Measured value of a law, None where it was not measured, with the place or the reason."""

    value: float | None
    detail: str = ""
    is_unusual: bool = False


@dataclass(frozen=True)
class Law:
    """A law is kept where the value that `measure` returns is at most `bound` of the candidate's precision."""

    name: str
    unit: str
    meaning: str
    measure: Callable[[Subject], Measurement]
    bound: Callable[[Precision], float]


@dataclass(frozen=True)
class Finding:
    """Outcome of a law on a model; `value` is None where the law was skipped."""

    law: Law
    value: float | None
    bound: float
    outcome: Outcome
    sentence: str

    @property
    def is_kept(self) -> bool:
        """True unless the law is broken."""
        return self.outcome != Outcome.BROKEN


def measure_causality(subject: Subject) -> Measurement:
    """Largest change in the bits of the symbols before a place where one symbol, or all from there on, are replaced."""
    if not has_bits(subject.candidate):
        return Measurement(0.0, BY_CONSTRUCTION)
    text, bits = subject.text, subject.bits
    others = [(index + 1) % subject.vocabulary for index in text]
    ranges = [(place, end) for place in subject.places(CHANGED_PLACES) for end in (place + 1, len(text))]
    texts = [[*text[:start], *others[start:end], *text[end:]] for start, end in ranges]
    changed = charge_texts(subject.candidate, texts)
    value, place = max(
        (largest_difference(bits[: start - 1], costs[: start - 1]), start)
        for (start, _), costs in zip(ranges, changed, strict=True)
    )
    return Measurement(value, f"other symbols from place {place} on change the bits of symbols before it")


def measure_totals(subject: Subject) -> Measurement:
    """Largest distance from one of the sum of all probabilities, in seen and unseen contexts."""
    distributions = [(f"{place} given", read) for place, read in subject.distributions.items()]
    for prefix in subject.random_texts(RANDOM_CONTEXTS, RANDOM_LENGTH):
        distributions.append((f"{RANDOM_LENGTH} random", read_distribution(subject.candidate, prefix)))
    totals = [(float(np.exp2(read).sum()), context) for context, read in distributions]
    total, context = max(totals, key=lambda pair: abs(pair[0] - 1) if pair[0] == pair[0] else np.inf)
    value = abs(total - 1) if total == total else np.inf
    return Measurement(value, f"the probabilities after {context} symbols sum to {total:.9g}")


def measure_foreknowledge(subject: Subject) -> Measurement:
    """Largest difference between what a symbol is charged and its probability before it was read, over many symbols at
    one place.
    """
    if not has_bits(subject.candidate):
        return Measurement(0.0, BY_CONSTRUCTION)
    text, errors = subject.text, []
    random = np.random.default_rng(subject.seed)
    for place in subject.places(TRIED_PLACES, LAST_TRIED_PLACE):
        expected = -read_distribution(subject.candidate, text[:place])
        symbols = random.permutation(subject.vocabulary)[:TRIED_SYMBOLS].tolist()
        scored = charge_texts(subject.candidate, [[*text[:place], symbol] for symbol in symbols])
        charged = np.array([bits[-1] for bits in scored])
        errors.append((largest_difference(charged, expected[symbols]), place))
    value, place = max(errors)
    return Measurement(value, f"at place {place} a symbol is charged other bits than its probability before it is read")


def measure_passes(subject: Subject) -> Measurement:
    """Largest change in the bits of a text that a copy of itself follows; infinite for a wrong number of costs, a
    negative one or NaN.
    """
    if not has_bits(subject.candidate):
        return Measurement(0.0, BY_CONSTRUCTION)
    text, bits = subject.text, subject.bits
    if bits.shape != (len(text) - 1,):
        return Measurement(np.inf, f"{len(text)} symbols have costs of shape {bits.shape}, not ({len(text) - 1},)")
    if not (bits >= -subject.precision.bits).all():
        place = int(np.argmin(bits >= -subject.precision.bits)) + 1
        return Measurement(np.inf, f"the symbol at place {place} costs {bits[place - 1]} bits")
    twice = charge_bits(subject.candidate, [*text, *text])
    if twice.shape != (2 * len(text) - 1,):
        return Measurement(np.inf, f"{2 * len(text)} symbols have costs of shape {twice.shape}")
    return Measurement(largest_difference(bits, twice[: len(bits)]), "a text costs other bits where a copy follows it")


def measure_chunks(subject: Subject) -> Measurement:
    """Largest difference between the bits of a text and those of its beginnings, alone and in one batch."""
    if not has_bits(subject.candidate):
        return Measurement(0.0, BY_CONSTRUCTION)
    text, bits = subject.text, subject.bits
    lengths = [length for length in CHUNK_LENGTHS if length + 1 <= len(text)]  # symbols that are charged
    errors = []
    for length in lengths:
        shorter = charge_bits(subject.candidate, text[: length + 1])
        errors.append((largest_difference(shorter, bits[:length]), f"the first {length + 1} symbols alone"))
    if hasattr(subject.candidate, "score_together"):
        batch = charge_texts(subject.candidate, [text[: length + 1] for length in lengths])
        for length, together in zip(lengths, batch, strict=True):
            error = largest_difference(together, bits[:length])
            errors.append((error, f"the first {length + 1} symbols in a batch"))
    value, place = max(errors)
    return Measurement(value, f"{place} cost other bits than in the whole text")


def measure_forms(subject: Subject) -> Measurement:
    """Largest difference between charged bits and minus log2 of the probability; stored bits are compared too."""
    if not has_bits(subject.candidate):
        return Measurement(0.0, BY_CONSTRUCTION)
    text, bits = subject.text, subject.bits
    errors = [(0.0, "")]
    for place, logarithms in subject.distributions.items():
        error = largest_difference(bits[place - 1 : place], -logarithms[text[place : place + 1]])
        errors.append((error, f"the symbol at place {place} is charged other bits than its probability"))
    if subject.ledger is not None:
        stored = np.asarray(subject.ledger[: len(bits)], dtype=np.float64)
        excess = np.maximum(differences(stored, bits) - LEDGER_ROUNDING * np.abs(bits), 0)
        place = int(np.argmax(excess)) + 1
        errors.append((float(excess[place - 1]), f"the ledger holds other bits of the symbol at place {place}"))
    return Measurement(*max(errors))


def measure_denominators(subject: Subject) -> Measurement:
    """Largest difference between the numbers of characters, bytes and words divided by and those of the raw text."""
    if subject.divisors is None or subject.scored_texts is None:
        return Measurement(None, "no figure per character, byte or word and its raw text are known")
    counts = {
        "characters": sum(len(CONTINUATION_BYTES.sub("", text)) for text in subject.scored_texts),
        "bytes": sum(len(text.encode("utf-8", "surrogateescape")) for text in subject.scored_texts),
        "words": sum(max(1, len(text.split())) for text in subject.scored_texts),
    }
    errors = [(abs(counts[name] - number), name) for name, number in subject.divisors.items() if name in counts]
    value, name = max(errors)
    return Measurement(value, f"bits are divided by {subject.divisors[name]} {name}; the text has {counts[name]}")


def measure_vocabulary(subject: Subject) -> Measurement:
    """Number of vocabulary entries that are named twice, do not occur in train, or never get a probability."""
    names = subject.candidate.symbols()
    twice = len(names[1:]) - len(set(names[1:]))  # entry 0 is <unk>, which may also be a word of the text
    exempt = {index for index, name in enumerate(names) if name in (UNKNOWN, LINE_START, LINE_END)}
    likeliest = np.max([*subject.distributions.values()], axis=0)
    impossible = set(np.flatnonzero(~(likeliest > -np.inf)).tolist()) - exempt
    if subject.train is None:
        detail = f"{twice} names are listed twice" if twice else f"{len(impossible)} entries have probability zero"
        return Measurement(twice, detail + "; the vocabulary of train is not known", bool(impossible))
    train = np.asarray(subject.train)
    absent = set(range(len(names))) - exempt - set(np.unique(train).tolist()) - subject.parts
    missing = sorted(impossible - absent - subject.parts)[:MOST_OCCURRENCES]
    never = [index for index in missing if not _is_possible(subject, train, index)]
    faulty = [*sorted(absent), *never]
    example = f", such as {names[faulty[0]]!r}" if faulty else ""
    detail = f"{twice} names twice, {len(absent)} entries not in train, {len(never)} without probability{example}"
    return Measurement(twice + len(faulty), detail)


def _is_possible(subject: Subject, train: NDArray[np.integer], index: int) -> bool:
    """Return whether the symbol has a probability where it first occurs in train."""
    place = int(np.argmax(train[1:] == index)) + 1
    if train[place] != index:
        return True  # the first symbol of train, seen nowhere else
    prefix = train[max(place - TRAIN_CONTEXT, 0) : place].tolist()
    return bool(read_distribution(subject.candidate, prefix)[index] > -np.inf)


def measure_memory(subject: Subject) -> Measurement:
    """Largest change in the bits and probabilities of a text after other texts were scored; zero to the bit."""
    text = subject.text
    prefixes = [text[:place] for place in subject.places(REPEATED_PLACES, LAST_TRIED_PLACE)]
    others = [[(index + 1) % subject.vocabulary for index in text], text[::-1], *subject.random_texts(1, len(text))]
    charge_bits(subject.candidate, text)
    first = [charge_bits(subject.candidate, text), *(read_distribution(subject.candidate, p) for p in prefixes)]
    value = 0.0
    for other in others:
        charge_bits(subject.candidate, other)
        later = [charge_bits(subject.candidate, text)]
        later += reversed([read_distribution(subject.candidate, prefix) for prefix in reversed(prefixes)])
        value = max(value, *map(largest_difference, first, later))
    return Measurement(value, "a text costs other bits after other texts were scored")


def measure_shortfall(subject: Subject) -> Measurement:
    """Bits per symbol by which a model is below the entropy of the source, beyond the 95 % interval; zero above."""
    bits = subject.test_bits
    if bits is None:
        return Measurement(None, "no ledger of a test split is known")
    mean, limit = float(np.mean(bits, dtype=np.float64)), subject.compressor_bits
    is_unusual = limit is not None and mean < COMPRESSOR_SHARE * limit
    detail = f"{mean:.4f} bits per symbol"
    if is_unusual:
        detail += f" is below {COMPRESSOR_SHARE:.0%} of the best compressor, {limit:.4f}; check the text for leaks"
    if subject.floor_bits is None:
        if limit is None:
            return Measurement(None, "neither an entropy rate nor a compressor is known")
        return Measurement(0.0, detail + "; no entropy rate is known", is_unusual)
    if not np.isfinite(bits).all():
        return Measurement(0.0, detail, is_unusual)
    difference = mean - float(np.mean(subject.floor_bits, dtype=np.float64))
    detail += f", {difference:+.4f} from the floor"
    if difference >= 0:
        return Measurement(0.0, detail, is_unusual)
    comparison = compare_bits(np.atleast_2d(bits), np.atleast_2d(subject.floor_bits))
    return Measurement(max(0.0, -comparison.high), detail, is_unusual)


def differences(first: Bits, second: Bits) -> Bits:
    """Return absolute differences, zero between equal infinities and infinite for NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(first == second, 0.0, np.nan_to_num(np.abs(first - second), nan=np.inf, posinf=np.inf))


def largest_difference(first: Bits, second: Bits) -> float:
    """Return the largest absolute difference; infinite where the shapes differ."""
    if first.shape != second.shape:
        return np.inf
    return float(differences(first, second).max(initial=0.0))


def _nothing(precision: Precision) -> float:
    return 0.0


def _of_bits(precision: Precision) -> float:
    return precision.bits


def _of_totals(precision: Precision) -> float:
    return precision.total


LAWS: Sequence[Law] = (
    Law("causal", "bits", "changing a symbol changes no cost before it", measure_causality, _of_bits),
    Law("normalised", "probability", "probabilities sum to one in every context", measure_totals, _of_totals),
    Law("fixed before it is read", "bits", "a distribution ignores its symbol", measure_foreknowledge, _of_bits),
    Law("one pass", "bits", "each symbol but the first is charged once", measure_passes, _of_bits),
    Law("same for every chunk", "bits", "lengths and batches change no cost", measure_chunks, _of_bits),
    Law("bits of that distribution", "bits", "a cost is minus log2 of its probability", measure_forms, _of_bits),
    Law("denominators", "units", "bits are divided by counts of the raw text", measure_denominators, _nothing),
    Law("vocabulary", "entries", "every entry comes from train and has a probability", measure_vocabulary, _nothing),
    Law("deterministic", "bits", "earlier calls change nothing, to the bit", measure_memory, _nothing),
    Law("not below the floor", "bits", "no cost is below the entropy of the source", measure_shortfall, _nothing),
)
