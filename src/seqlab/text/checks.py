"""Checks of a text before training: encoding, markup, repetition, units and splits.

A finding is a warning, or an error where it makes results meaningless: then the workflow stops, unless the
configuration accepts findings of its kind.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.text.tokens import join_tokens
from seqlab.text.vocab import Vocab

TAG_NAMES = "a|body|br|div|form|head|html|input|li|link|meta|p|script|span|style|table|td|tr|ul"
TAG = re.compile(rf"</?(?:{TAG_NAMES})\b[^<>]*>", re.IGNORECASE)
MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u00bf™œ\x9d]|\ufffd")
EMOTICON = re.compile(r"(?<=\s)[:;]-?[)(DP](?=\s)")
FIRST_PICTURE = 0x2190  # the first arrow; signs such as that of degrees come before
EMOJI = re.compile("[\U0001f000-\U0001faff\U0001fc00-\U0001fffd]")  # assigned or reserved for emoji (UTS 51)
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # invisible letters and marks outside category Cf
JOINERS = re.compile("(?<=[^\x00-\xff])[\u200c\u200d]|[\u0600-\u0605\u06dd\u070f]")  # of Cf, but needed or visible
SCRIPTS_WITHOUT_BLANKS = {  # ranges of code points
    "Chinese or Japanese": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Thai": "\u0e00-\u0e7f",
    "Lao": "\u0e80-\u0eff",
    "Tibetan": "\u0f00-\u0fff",
    "Burmese": "\u1000-\u109f",
    "Khmer": "\u1780-\u17ff",
}
SCRIPT_SHARE = 0.3  # share of letters from which a text counts as one of such a script
RESERVED_WORDS = ("<unk>", "<UNK>", "<s>", "</s>")  # words with a special meaning in other tools
LONG_LINE = 40  # characters; shorter lines, such as refrains and headings, are often repeated
REPEATED_SHARE = 0.02  # share of long lines above which repetition is reported
RARE_SHARE = 1e-3  # share of a text below which a kind of symbol looks like an insertion
COPIED_SHARE, SAME_SHARE = 0.05, 0.5  # shares of test copied from train, above which there is a warning or an error
# symbols in a row that two texts share only where one copies the other
SHARED_SPANS = {"char": 100, "byte": 100, "word": 20, "bpe": 30}


@dataclass(frozen=True)
class Finding:
    """A finding: its kind, whether it stops the workflow, and a sentence with its place."""

    kind: str
    stops: bool
    sentence: str


def check_raw(text: str) -> list[Finding]:
    """Check a raw text for markup, a wrong encoding, mixed line ends, control characters and repeated lines."""
    findings = []
    if tags := TAG.findall(text):
        share = sum(map(len, tags)) / len(text)
        sentence = f"{len(tags):,} HTML tags, the first {tags[0][:60]!r} in line {_line(text, text.index(tags[0]))}"
        findings.append(Finding("html", share > 0.05, f"{sentence}; {share:.1%} of the text is markup"))
    if match := MOJIBAKE.search(text):
        number = len(MOJIBAKE.findall(text))
        sentence = f"{number:,} places look wrongly decoded, the first {match[0]!r} in line"
        findings.append(Finding("encoding", False, f"{sentence} {_line(text, match.start())}"))
    crlf_count = text.count("\r\n")
    ends = {"CR LF": crlf_count, "LF": text.count("\n") - crlf_count, "CR": text.count("\r") - crlf_count}
    if ends["CR LF"] or ends["CR"]:
        description = ", ".join(f"{number:,} {name}" for name, number in ends.items() if number)
        findings.append(Finding("line_ends", False, f"line ends are {description}"))
    if (place := text.find("\ufeff")) >= 0:
        findings.append(Finding("byte_order_mark", False, f"a byte-order mark in line {_line(text, place)}"))
    return [*findings, *_control(text), *_repeated(text)]


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _control(text: str) -> list[Finding]:
    """Find control characters, invisible characters, and code points without a meaning in Unicode."""
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
    findings = []
    for kind, matches in kinds.items():
        if matches:
            first = min(matches, key=text.index)
            name = unicodedata.name(first, "").lower()
            number = sum(text.count(character) for character in matches)
            sentence = f"{number:,} {kind} characters, the first U+{ord(first):04X}{name and f' ({name})'} in line"
            findings.append(Finding(f"{kind}_characters", False, f"{sentence} {_line(text, text.index(first))}"))
    return findings


def _repeated(text: str) -> list[Finding]:
    lines = Counter(line.strip() for line in text.splitlines() if len(line.strip()) >= LONG_LINE)
    repetitions = sum(number - 1 for number in lines.values())
    if repetitions <= REPEATED_SHARE * max(1, lines.total()):
        return []
    line, number = lines.most_common(1)[0]
    sentence = f"{repetitions:,} of {lines.total():,} long lines are repetitions; {number} times {line[:60]!r}"
    return [Finding("repeated_lines", False, sentence)]


def check_clean(text: str) -> list[Finding]:
    """Check a clean text for rare kinds of symbols, such as emoticons."""
    symbols = Counter(EMOTICON.findall(text))
    symbols |= {c: text.count(c) for c in set(text) if _is_picture(c)}
    if not symbols or sum(symbols.values()) > RARE_SHARE * len(text):
        return []
    examples = ", ".join(f"'{c}' {n} times" for c, n in sorted(symbols.items(), key=lambda item: -item[1])[:5])
    first = min(symbols, key=text.index)
    where = f"the first in line {_line(text, text.index(first))}"
    return [Finding("insertions", False, f"pictures or symbols in an otherwise plain text: {examples}; {where}")]


def _is_picture(character: str) -> bool:
    """Return whether a character is a symbol or an emoji, unknown ones of newer versions of Unicode included."""
    category = unicodedata.category(character)
    if category == "Cn":
        return EMOJI.match(character) is not None
    return ord(character) >= FIRST_PICTURE and category in ("So", "Sk", "Co")


def check_unit(text: str, vocab: Vocab) -> list[Finding]:
    """Check the clean `text` cut into the unit of `vocab`: an empty vocabulary, a unit that does not suit the script,
    words that are reserved names in other tools.
    """
    unit, findings = vocab.unit, []
    letters = max(1, sum(map(str.isalpha, text)))
    for script, ranges in SCRIPTS_WITHOUT_BLANKS.items() if unit == "word" else ():
        share = len(re.findall(f"[{ranges}]", text)) / letters
        if share > SCRIPT_SHARE:
            sentence = f"{min(share, 1):.0%} of the letters are {script}, which has no blanks between words, so that"
            sentence += " whole sentences count as words; take the unit char, byte or bpe"
            findings.append(Finding("unit", False, sentence))
    if len(vocab) < 2:
        sentence = f"no {unit} occurs {vocab.min_freq} times in train, so that all would be unknown; "
        remedy = f"lower vocab.min_freq for the unit {unit}, or omit the unit, as in --config 'units=[char]'"
        sentence += findings[0].sentence if findings else remedy
        return [Finding("vocabulary", True, sentence)]
    if unit != "word":
        return findings
    if reserved := [name for name in RESERVED_WORDS if name in vocab]:
        occurrences = ", ".join(f"{name} {vocab.counts[vocab[name]]:,} times" for name in reserved)
        sentence = f"the text has {occurrences} in train, which count as ordinary words without a special meaning"
        findings.append(Finding("reserved_names", False, sentence))
    return findings


def check_splits(splits: dict[str, Sequence[NDArray[Any]]], tokens: Sequence[str], unit: str) -> list[Finding]:
    """Check the splits, segments of ids, for symbols that train lacks and for stretches copied from train."""
    findings = []
    scored = sum(len(segment) for segment in splits["test"])
    unknown = sum(int((segment == 0).sum()) for segment in splits["test"])
    if unknown:
        sentence = f"{unknown:,} of {scored:,} symbols of test are not in the vocabulary of train"
        findings.append(Finding("unknown_symbols", False, sentence))
    for name in ("valid", "test"):
        copied = count_shared_positions(splits["train"], splits[name], SHARED_SPANS[unit])
        share = copied / max(1, sum(len(segment) for segment in splits[name]))
        if share > COPIED_SHARE:
            sentence = f"{share:.1%} of {name} is also in train, in stretches of {SHARED_SPANS[unit]} symbols or more"
            findings.append(Finding("overlap", share > SAME_SHARE, sentence))
    span, where = find_longest_shared(splits["train"], splits["test"])
    if span >= SHARED_SPANS[unit]:
        segment, start = where
        symbols = splits["test"][segment][start : start + min(span, 60)]
        quoted = join_tokens([tokens[symbol] for symbol in symbols], unit)
        sentence = f"test and train share {span:,} symbols in a row: {quoted[:60]!r} ..."
        findings.append(Finding("shared_span", False, sentence))
    return findings


def count_shared_positions(train: Sequence[NDArray[Any]], segments: Sequence[NDArray[Any]], span: int) -> int:
    """Count the symbols of `segments` in stretches of `span` symbols that are also in `train`."""
    hashes = np.concatenate([_windows(segment, span) for segment in train])
    hashes.sort()
    total = 0
    for segment in segments:
        starts = np.flatnonzero(_member(_windows(segment, span), hashes))
        covered = np.zeros(len(segment) + 1, dtype=np.int64)
        np.add.at(covered, starts, 1)
        np.add.at(covered, starts + span, -1)
        total += int((np.cumsum(covered)[:-1] > 0).sum())
    return total


def find_longest_shared(train: Sequence[NDArray[Any]], segments: Sequence[NDArray[Any]]) -> tuple[int, tuple[int, int]]:
    """Return the length of the longest stretch in both, and its segment of `segments` and place in it.

    Found by bisection: where a stretch of n symbols is shared, so is one of n - 1.
    """
    low, high = 0, min(max(map(len, train)), max(map(len, segments)))
    where = (0, 0)
    while low < high:
        middle = (low + high + 1) // 2
        place = _first_shared(train, segments, middle)
        if place is None:
            high = middle - 1
        else:
            low, where = middle, place
    return low, where


def _first_shared(train: Sequence[NDArray[Any]], segments: Sequence[NDArray[Any]], span: int) -> tuple[int, int] | None:
    hashes = np.concatenate([_windows(segment, span) for segment in train])
    hashes.sort()
    for number, segment in enumerate(segments):
        starts = np.flatnonzero(_member(_windows(segment, span), hashes))
        if len(starts):
            return number, int(starts[0])
    return None


def _windows(segment: NDArray[Any], span: int) -> NDArray[np.uint64]:
    """Hash every stretch of `span` symbols, (symbols - span + 1,), by a polynomial modulo 2 ** 64.

    Sums wrap around, as intended for unsigned integers.
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


def _member(values: NDArray[np.uint64], members: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return, for each of `values`, whether it is in the sorted `members`."""
    if not len(members):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(members, values), len(members) - 1)
    member: NDArray[np.bool_] = members[place] == values
    return member
