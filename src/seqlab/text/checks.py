"""What is odd about a text, before anything learns from it.

A finding is a warning, or an error where it makes results meaningless: then the work stops, unless the configuration
accepts findings of that kind.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.text.tokens import join
from seqlab.text.vocab import Vocab

NAMES_OF_TAGS = "a|body|br|div|form|head|html|input|li|link|meta|p|script|span|style|table|td|tr|ul"
TAG = re.compile(rf"</?(?:{NAMES_OF_TAGS})\b[^<>]*>", re.IGNORECASE)
MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u00bf™œ\x9d]|\ufffd")
EMOTICON = re.compile(r"(?<=\s)[:;]-?[)(DP](?=\s)")
PICTURES = 0x2190  # arrows and what comes after; before it stand signs such as that of degrees
EMOJI = re.compile("[\U0001f000-\U0001faff\U0001fc00-\U0001fffd]")  # assigned or reserved for emoji (UTS 51)
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters and marks that show nothing, beside all of category Cf
JOINERS = re.compile("(?<=[^\x00-\xff])[\u200c\u200d]|[\u0600-\u0605\u06dd\u070f]")  # of Cf, but needed or seen
WITHOUT_BLANKS = {  # scripts that put none between words: ranges of code points
    "Chinese or Japanese": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Thai": "\u0e00-\u0e7f",
    "Lao": "\u0e80-\u0eff",
    "Tibetan": "\u0f00-\u0fff",
    "Burmese": "\u1000-\u109f",
    "Khmer": "\u1780-\u17ff",
}
MOST = 0.3  # share of letters from which a text is one of such a script
RESERVED = ("<unk>", "<UNK>", "<s>", "</s>")  # words with a meaning of their own in other tools
LONG_LINE = 40  # characters; shorter lines, such as refrains and headings, may well come twice
REPEATED = 0.02  # share of long lines above which repetition is told
RARE = 1e-3  # share of a text below which a kind of symbol looks like an insertion
COPIED, SAME = 0.05, 0.5  # shares of test that stand in train too, from which that is a warning and an error
SPAN = {"char": 100, "byte": 100, "word": 20, "bpe": 30}  # symbols in a row that two texts share by copying alone


@dataclass(frozen=True)
class Finding:
    """What was found: its kind, whether it stops the work, and a sentence that says what and where."""

    kind: str
    stops: bool
    sentence: str


def check_raw(text: str) -> list[Finding]:
    """What is odd about a raw text: markup, a wrong encoding, odd line ends, control characters, repeated lines."""
    found = []
    if tags := TAG.findall(text):
        share = sum(map(len, tags)) / len(text)
        sentence = f"{len(tags):,} HTML tags, the first {tags[0][:60]!r} in line {_line(text, text.index(tags[0]))}"
        found.append(Finding("html", share > 0.05, f"{sentence}; {share:.1%} of the text is markup"))
    if match := MOJIBAKE.search(text):
        number = len(MOJIBAKE.findall(text))
        sentence = f"{number:,} places look decoded in the wrong way, the first {match[0]!r} in line"
        found.append(Finding("encoding", False, f"{sentence} {_line(text, match.start())}"))
    both = text.count("\r\n")
    ends = {"CR LF": both, "LF": text.count("\n") - both, "CR": text.count("\r") - both}
    if ends["CR LF"] or ends["CR"]:
        told = ", ".join(f"{number:,} {name}" for name, number in ends.items() if number)
        found.append(Finding("line_ends", False, f"line ends are {told}"))
    if (place := text.find("\ufeff")) >= 0:
        found.append(Finding("byte_order_mark", False, f"a byte-order mark in line {_line(text, place)}"))
    return [*found, *_control(text), *_repeated(text)]


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _control(text: str) -> list[Finding]:
    """Control characters, characters that show nothing, and code points that Unicode gives no meaning to."""
    characters = set(text) - set("\n\r\t\f\x1c\ufeff")
    categories = {character: unicodedata.category(character) for character in characters}
    needed = {
        character for character, number in Counter(JOINERS.findall(text)).items() if number == text.count(character)
    }
    kinds = {
        "control": {c for c in characters if categories[c] == "Cc"},
        "invisible": {c for c in characters if categories[c] == "Cf" or c in FILLERS} - needed,
        "private": {c for c in characters if categories[c] == "Co"},
        "unassigned": {c for c in characters if categories[c] == "Cn" and not EMOJI.match(c)},
    }
    found = []
    for kind, odd in kinds.items():
        if odd:
            first = min(odd, key=text.index)
            name = unicodedata.name(first, "").lower()
            number = sum(text.count(character) for character in odd)
            sentence = f"{number:,} {kind} characters, the first U+{ord(first):04X}{name and f' ({name})'} in line"
            found.append(Finding(f"{kind}_characters", False, f"{sentence} {_line(text, text.index(first))}"))
    return found


def _repeated(text: str) -> list[Finding]:
    lines = Counter(line.strip() for line in text.splitlines() if len(line.strip()) >= LONG_LINE)
    again = sum(number - 1 for number in lines.values())
    if again <= REPEATED * max(1, lines.total()):
        return []
    line, number = lines.most_common(1)[0]
    sentence = f"{again:,} of {lines.total():,} long lines stand there before; {number} times {line[:60]!r}"
    return [Finding("repeated_lines", False, sentence)]


def check_clean(text: str) -> list[Finding]:
    """What is odd about the text that models see: symbols of a kind that hardly occurs, such as emoticons."""
    odd = Counter(EMOTICON.findall(text))
    odd |= {c: text.count(c) for c in set(text) if _is_picture(c)}
    if not odd or sum(odd.values()) > RARE * len(text):
        return []
    told = ", ".join(f"'{c}' {n} times" for c, n in sorted(odd.items(), key=lambda item: -item[1])[:5])
    first = min(odd, key=text.index)
    where = f"the first in line {_line(text, text.index(first))}"
    return [Finding("insertions", False, f"pictures or symbols in an otherwise plain text: {told}; {where}")]


def _is_picture(character: str) -> bool:
    """Return whether a character is a symbol or an emoji, also one that is younger than Python's tables."""
    category = unicodedata.category(character)
    if category == "Cn":
        return EMOJI.match(character) is not None
    return ord(character) >= PICTURES and category in ("So", "Sk", "Co")


def check_unit(text: str, vocab: Vocab) -> list[Finding]:
    """Findings about the clean `text` cut into the unit of `vocab`: nothing kept, a unit that does not suit the
    script, words that are reserved names elsewhere.
    """
    unit, found = vocab.unit, []
    letters = max(1, sum(map(str.isalpha, text)))
    for script, ranges in WITHOUT_BLANKS.items() if unit == "word" else ():
        share = len(re.findall(f"[{ranges}]", text)) / letters
        if share > MOST:
            sentence = f"{min(share, 1):.0%} of the letters are {script}, where no blanks stand between words, so that"
            sentence += " sentences pass for words; take the unit char, byte or bpe"
            found.append(Finding("unit", False, sentence))
    if len(vocab) < 2:
        sentence = f"no {unit} stands {vocab.min_freq} times in train, so that every one would be unknown; "
        remedy = f"lower vocab.min_freq for the unit {unit}, or leave the unit out, as in --config 'units=[char]'"
        sentence += found[0].sentence if found else remedy
        return [Finding("vocabulary", True, sentence)]
    if unit != "word":
        return found
    if named := [name for name in RESERVED if name in vocab]:
        told = ", ".join(f"{name} {vocab.counts[vocab[name]]:,} times" for name in named)
        sentence = f"the text has {told} in train, each as a word like any other, with no meaning of its own"
        found.append(Finding("reserved_names", False, sentence))
    return found


def check_splits(splits: dict[str, Sequence[NDArray[Any]]], tokens: Sequence[str], unit: str) -> list[Finding]:
    """What train, valid and test, each some segments of ids, have to do with each other: symbols that train lacks, and
    stretches that stand in both.
    """
    found = []
    scored = sum(len(segment) for segment in splits["test"])
    unknown = sum(int((segment == 0).sum()) for segment in splits["test"])
    if unknown:
        sentence = f"{unknown:,} of {scored:,} symbols of test are not in the vocabulary of train"
        found.append(Finding("unknown_symbols", False, sentence))
    for name in ("valid", "test"):
        copied = shared_positions(splits["train"], splits[name], SPAN[unit])
        share = copied / max(1, sum(len(segment) for segment in splits[name]))
        if share > COPIED:
            sentence = f"{share:.1%} of {name} stands in train too, in stretches of {SPAN[unit]} symbols or more"
            found.append(Finding("overlap", share > SAME, sentence))
    span, where = longest_shared(splits["train"], splits["test"])
    if span >= SPAN[unit]:
        segment, start = where
        symbols = splits["test"][segment][start : start + min(span, 60)]
        quoted = join([tokens[symbol] for symbol in symbols], unit)
        sentence = f"test and train share {span:,} symbols in a row: {quoted[:60]!r} ..."
        found.append(Finding("shared_span", False, sentence))
    return found


def shared_positions(train: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]], span: int) -> int:
    """How many symbols of `other` lie in a stretch of `span` symbols that stands in `train` too."""
    known = np.concatenate([_windows(segment, span) for segment in train])
    known.sort()
    total = 0
    for segment in other:
        starts = np.flatnonzero(_member(_windows(segment, span), known))
        covered = np.zeros(len(segment) + 1, dtype=np.int64)
        np.add.at(covered, starts, 1)
        np.add.at(covered, starts + span, -1)
        total += int((np.cumsum(covered)[:-1] > 0).sum())
    return total


def longest_shared(train: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> tuple[int, tuple[int, int]]:
    """The length of the longest stretch that stands in both, and the segment of `other` and place in it where it
    begins, by halving: where a stretch of n is shared, so is one of n - 1.
    """
    low, high = 0, min(max(map(len, train)), max(map(len, other)))
    where = (0, 0)
    while low < high:
        middle = (low + high + 1) // 2
        place = _first_shared(train, other, middle)
        if place is None:
            high = middle - 1
        else:
            low, where = middle, place
    return low, where


def _first_shared(train: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]], span: int) -> tuple[int, int] | None:
    known = np.concatenate([_windows(segment, span) for segment in train])
    known.sort()
    for number, segment in enumerate(other):
        starts = np.flatnonzero(_member(_windows(segment, span), known))
        if len(starts):
            return number, int(starts[0])
    return None


def _windows(segment: NDArray[Any], span: int) -> NDArray[np.uint64]:
    """A hash of every stretch of `span` symbols, (symbols - span + 1,): a polynomial modulo 2 ** 64 of mixed symbols.

    Sums of powers wrap round, which unsigned integers do without harm.
    """
    if len(segment) < span:
        return np.empty(0, dtype=np.uint64)
    base = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse
    random = np.random.default_rng(0).integers(1, 1 << 63, int(segment.max()) + 1, dtype=np.uint64)
    powers = np.cumprod(np.full(len(segment), base, dtype=np.uint64))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(random[segment] * powers, dtype=np.uint64)])
    inverse = np.uint64(pow(int(base), -1, 1 << 64))
    back = np.cumprod(np.full(len(segment), inverse, dtype=np.uint64))[: len(segment) - span + 1]
    windows: NDArray[np.uint64] = (sums[span:] - sums[:-span]) * back
    return windows


def _member(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of `values` are among `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    member: NDArray[np.bool_] = known[place] == values
    return member
