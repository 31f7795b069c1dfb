"""N-gram models in the ARPA format, which KenLM, SRILM and most other tools read and write.

Logarithms are to base 10 and a probability or weight of zero is -99. A line is: logarithm of the probability, tab,
words with one blank between them, tab, logarithm of the back-off weight (not in the highest order).

In files of seqlab, which say so in their first line, words that the format cannot hold are escaped (`arpa_names`).
"""

import codecs
import gzip
import io
import re
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import replacing
from seqlab.machine.threads import map_ordered
from seqlab.ngram.arpa_names import ESCAPED_HEADER, LINE_END, LINE_START, UNKNOWNS, arpa_name, token_of
from seqlab.ngram.model import BackoffModel
from seqlab.text.vocab import UNKNOWN

ZERO, FLOOR = -99.0, 1e-99  # -99 stands for log10(0), as in SRILM
LINES_AT_ONCE = 100_000  # n-grams converted to text together
GZIP_LEVEL = 4  # half the time of level 6, for files that are 5 % larger
LONGEST_LINE = 1 << 20  # bytes; a file without line ends must not be read as a whole
COUNT_PATTERN = re.compile(rb"ngram\s+(\d{1,9})\s*=\s*(\d{1,18})")
BLANKS = b" \t\r\n"  # separators of words and lines, as in KenLM; vertical tabs and form feeds are parts of words
NUMBER_PATTERN = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
# first words of files of IRSTLM
IRSTLM_MARKS = (b"iARPA", b"qARPA", b"blmt", b"Qblmt", b"LMINTERPOLATION", b"LMCLASS", b"LMMACRO")
WRITE_AGAIN = "write the model again with the tool it came from"
GIVE_ARPA = "give a model in the ARPA format, plain or compressed by gzip"


def write_arpa(
    path: str | Path, model: BackoffModel, tokens: Sequence[str], line_start: int | None = None, threads: int = 1
) -> None:
    """Write `model` as ARPA, compressed where `path` ends in `.gz`; equal models give equal bytes.

    `tokens` are the names of the vocabulary, `<unk>` first; `line_start` is the index of `<s>` in a line-wise model.
    Other models, which know no lines, get an `<s>` and an `</s>` of probability zero as their last unigrams, since
    programs such as KenLM require both; score them without line borders (`kenlm.Model.score(text, bos=False,
    eos=False)`), and words by their `arpa_name`: a word `<s>`, `</s>` or `<unk>` of the text is not the mark of that
    name. Logarithms have nine significant digits; probabilities below 1e-99 are written as zero. Raises InputError, and
    writes nothing, for a model that does not back off and for tokens of another vocabulary.
    """
    names = _names(path, model, tokens, line_start)
    write_names(path, model, names, line_start is not None, threads)


def write_names(
    path: str | Path, model: BackoffModel, names: Sequence[str], lines: bool, threads: int = 1, escaped: bool = True
) -> None:
    """Write `model` as `write_arpa` does, with the words of the file given as `names`, (vocabulary,).

    A model without `lines` gets the marks of lines. `escaped` says that words are those of `arpa_name`.
    """
    if not model.backs_off:
        raise InputError(
            f"{path} was not written: it does not back off (add-k smoothing), and ARPA holds back-off models only; use "
            "kn or mkn"
        )
    borders = [] if lines else [LINE_START, LINE_END]
    texts = [name.encode() for name in names]
    words = np.frombuffer(b"".join(texts), dtype=np.uint8)
    ends = np.cumsum([len(text) for text in texts])
    level = GZIP_LEVEL if str(path).endswith(".gz") else None

    def format_block(block: tuple[int, int]) -> bytes:
        return _compressed(_text(model, *block, words, ends), level)

    with replacing(path, checksum=False) as temporary, temporary.open("wb") as file:
        sizes = [len(model.key[0]) + len(borders), *map(len, model.key[1:])]
        header = "".join(f"ngram {k}={size}\n" for k, size in enumerate(sizes, start=1))
        title = ESCAPED_HEADER + b"\n" if escaped else b""
        file.write(_compressed(title + f"\\data\\\n{header}".encode(), level))
        for k in range(1, model.order + 1):
            file.write(_compressed(f"\n\\{k}-grams:\n".encode(), level))
            blocks = ((k, first) for first in range(0, len(model.key[k - 1]), LINES_AT_ONCE))
            file.writelines(map_ordered(format_block, blocks, threads))
            if k == 1 and borders:
                weight = "\t0" if model.order > 1 else ""
                marks = "".join(f"{ZERO:g}\t{border}{weight}\n" for border in borders)
                file.write(_compressed(marks.encode(), level))
        file.write(_compressed(b"\n\\end\\\n", level))


def _compressed(text: bytes, level: int | None) -> bytes:
    """Return `text` as a member of a gzip file, without name and time, so that the bytes depend on the text alone."""
    return text if level is None else gzip.compress(text, level, mtime=0)


def _names(path: str | Path, model: BackoffModel, tokens: Sequence[str], line_start: int | None) -> list[str]:
    """Return the words of the file for the vocabulary, (vocabulary,)."""
    starts = [index for index, token in enumerate(tokens) if token == LINE_START]
    different = len(set(tokens[1:])) + 1
    if list(tokens[:1]) != [UNKNOWN] or not len(tokens) == different == model.vocabulary:
        problem = f"its tokens must be the {model.vocabulary} names of the vocabulary, each once, {UNKNOWN} first"
    elif line_start is not None and starts != [line_start]:
        problem = f"{LINE_START} is the token {starts} and line_start is {line_start}; they must be the same"
    elif "" in tokens:
        problem = f"the token {tokens.index('')} is empty, which ARPA cannot hold; omit it from the text"
    else:
        marks = () if line_start is None else (LINE_START, LINE_END)  # in a stream they are words of the text
        return [UNKNOWN, *(token if token in marks else arpa_name(token) for token in tokens[1:])]
    raise InputError(f"{path} was not written: {problem}")


def _text(model: BackoffModel, k: int, first: int, words: NDArray[np.uint8], ends: NDArray[np.int64]) -> bytes:
    """Return the lines of at most LINES_AT_ONCE n-grams of order k, from number `first` on.

    Word i is `words[ends[i - 1] : ends[i]]`.
    """
    from seqlab.ngram.compiled import NUMBER_LENGTH, format_ngrams  # numba takes a second to load

    number = np.arange(first, min(first + LINES_AT_ONCE, len(model.key[k - 1])))
    columns = [np.log10(np.clip(model.probability[k - 1][number], FLOOR, 1.0))]  # rounding can exceed 1
    if k < model.order:
        columns.append(np.log10(np.maximum(model.backoff[k - 1][number], FLOOR)))
    numbers = np.stack(columns, axis=1)
    size = np.abs(numbers.ravel())
    odd = np.flatnonzero((size != 0) & ((size < 1e-4) | (size >= 100)))  # with an exponent, or more than two digits
    odd_texts = [b"%.9g" % number for number in numbers.ravel()[odd].tolist()]
    odd_ends = np.cumsum([len(text) for text in odd_texts], dtype=np.int64)
    symbols = model.symbols(k, number)
    room = int(np.diff(ends, prepend=0)[symbols].sum()) + len(symbols) * (k + numbers.shape[1] * (NUMBER_LENGTH + 1))
    out = np.empty(room + sum(map(len, odd_texts)), dtype=np.uint8)
    joined = np.frombuffer(b"".join(odd_texts), dtype=np.uint8)
    return out[: format_ngrams(out, symbols, words, ends, numbers, odd, joined, odd_ends)].tobytes()


class _Lines:
    """Iterator over the non-blank lines of a file, with the current position and the vocabulary read so far."""

    def __init__(self, path: str | Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.number = 0  # of the last line read
        self.marker = b""  # the last line that ended a section
        self.escaped = False  # true where the words are those of `arpa_name`
        self.escapes: set[str] = set()  # the tokens of escaped words, which must differ
        self.tokens = [UNKNOWN]
        self.known = {name.encode(): 0 for name in UNKNOWNS}  # the places of the words of the file

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.number += 1
            try:
                line = self.file.readline(LONGEST_LINE + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                self.refuse(f"the compressed data is cut off or damaged ({error})", "copy the file again")
            if not line:
                return
            if len(line) > LONGEST_LINE:
                self.refuse(f"the line is longer than {LONGEST_LINE} bytes", GIVE_ARPA)
            if stripped := line.strip(BLANKS):
                yield stripped

    def section(self) -> Iterator[bytes]:
        """Yield the lines up to the next that begins with a backslash."""
        for line in self:
            if line.startswith(b"\\"):
                self.marker = line
                return
            yield line
        self.refuse("the file ends without \\end\\, so it is incomplete", "copy or write the file again")

    def refuse(self, fault: str, remedy: str = WRITE_AGAIN, line: int | None = None) -> NoReturn:
        raise InputError(f"{self.path}, line {self.number if line is None else line}: {fault}; {remedy}")


def read_arpa(path: str | Path) -> tuple[BackoffModel, list[str], int | None]:
    """Return the model in `path`, plain or compressed by gzip, its tokens, and the index of `<s>` (None without it).

    `<unk>` or `<UNK>` is token 0, as in KenLM, with probability zero where the file has neither; the others follow in
    the order of the unigrams. A missing back-off weight is 1, and -99 or less is zero. `<s>` is never predicted, so its
    probability is zero. Highest orders without n-grams are omitted. Raises InputError, with file and line, for a file
    that is not a complete ARPA model.
    """
    model = BackoffModel(0, True, [], [], [])
    with _opened(Path(path)) as file:
        lines = _Lines(path, file)
        for k, count in enumerate(counts := _header(lines), start=1):
            words, values = _section(lines, k, count)
            model = replace(model, vocabulary=len(lines.tokens))
            _append(model, lines, words, values)
        if lines.marker != b"\\end\\":
            lines.refuse(f"{_shown(lines.marker)} is in the line where \\end\\ was expected")
        for _ in lines:  # to the end, where gzip keeps its checksum
            pass
    line_start = lines.known.get(LINE_START.encode())
    if line_start is not None:
        model.probability[0][line_start] = 0.0  # lmplz writes log10(1), SRILM log10(0)
    order = int(np.count_nonzero(counts))
    model = BackoffModel(
        model.vocabulary, True, model.key[:order], model.probability[:order], model.backoff[: order - 1]
    )
    if line_start == model.vocabulary - 2 and _knows_no_lines(model, lines.tokens):
        return _without_borders(model), lines.tokens[:-2], None
    return model, lines.tokens, line_start


def _knows_no_lines(model: BackoffModel, tokens: list[str]) -> bool:
    """Return whether `<s>` and `</s>` are there for the format alone, as `write_arpa` adds them."""
    if tokens[-2:] != [LINE_START, LINE_END] or model.probability[0][-2:].any():
        return False
    first = model.vocabulary - 2
    follows = any((key % model.vocabulary >= first).any() for key in model.key[1:])
    return not follows and not any((key // model.vocabulary >= first).any() for key in model.key[1:2])


def _without_borders(model: BackoffModel) -> BackoffModel:
    """Return `model` without its last two unigrams."""
    size = model.vocabulary - 2
    key = [model.key[0][:size], *(key // model.vocabulary * size + key % model.vocabulary for key in model.key[1:])]
    probability = [model.probability[0][:size], *model.probability[1:]]
    backoff = [model.backoff[0][:size], *model.backoff[1:]] if model.order > 1 else []
    return BackoffModel(size, True, key, probability, backoff)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"  # the name may differ
    return cast(BinaryIO, io.BufferedReader(cast(Any, gzip.open(path)))) if packed else path.open("rb")


def _header(lines: _Lines) -> list[int]:
    """Return the number of n-grams of each order; reads up to the first section."""
    for line in lines:  # lines before \data\ are comments
        if line.startswith(codecs.BOM_UTF8):
            lines.refuse("the file begins with a byte-order mark", "save it as UTF-8 without one")
        if (word := line.split(None, 1)[0]) in IRSTLM_MARKS:
            lines.refuse(
                f"{_shown(word)} marks a model of IRSTLM that is not an ARPA file", "run compile-lm --text yes on it"
            )
        if b"\0" in line:
            lines.refuse("the file is binary", GIVE_ARPA)
        if line == b"\\data\\":
            break
        lines.escaped |= line == ESCAPED_HEADER
    else:
        lines.refuse("the file ends without \\data\\", GIVE_ARPA)
    counts: list[int] = []
    for line in lines.section():
        match = COUNT_PATTERN.fullmatch(line)
        if match is None or int(match[1]) != len(counts) + 1:
            lines.refuse(f"{_shown(line)} is in the line where ngram {len(counts) + 1}=<number> was expected")
        counts.append(int(match[2]))
    if not any(counts) or 0 in counts[: np.count_nonzero(counts)]:
        lines.refuse(f"the header gives the orders {counts} n-grams, so one is missing")
    return counts


def _section(lines: _Lines, k: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read the `count` n-grams of order k: words, (N, k), and two logarithms and the line of each, (N, 3).

    The unigrams define the vocabulary; a missing `<unk>` is added.
    """
    if lines.marker != b"\\%d-grams:" % k:
        lines.refuse(f"{_shown(lines.marker)} is in the line where the section \\{k}-grams: was expected")
    words, values = array("q"), array("d")
    for line in lines.section():
        fields = re.split(rb"[ \t]+", line, maxsplit=k + 2)  # one piece more than allowed
        try:
            value, weight = _logarithm(fields[0]), _logarithm(fields[k + 1]) if len(fields) > k + 1 else 0.0
        except ValueError:
            fields = []
        if not k < len(fields) <= k + 2:
            lines.refuse(f"{_shown(line)} is not a number, as many words as the order ({k}) and perhaps a back-off")
        if not (value <= 0 and weight < -ZERO):  # false for nan as well
            lines.refuse(f"log10 of probability and back-off are {value} and {weight}; at most 0 and 99 are allowed")
        try:
            if k == 1:
                _take_word(lines, fields[1])
            words.extend(map(lines.known.__getitem__, fields[1 : k + 1]))
        except (KeyError, UnicodeDecodeError):
            lines.refuse(f"{_shown(line)} has a word that is not among the unigrams or not UTF-8")
        values.extend((value, weight, lines.number))
    if (actual := len(values) // 3) != count:
        lines.refuse(f"the section \\{k}-grams: ends after {actual} n-grams, and the header says {count}")
    if k == 1 and 0 not in words:
        words.append(0)
        values.extend((ZERO, 0.0, 0))
    return np.array(words).reshape(-1, k), np.array(values).reshape(-1, 3)


def _logarithm(field: bytes) -> float:
    """Return the number in `field`; ValueError for numbers of Python alone, such as 1_0."""
    if not NUMBER_PATTERN.fullmatch(field):
        raise ValueError(field)
    return float(field)


def _take_word(lines: _Lines, word: bytes) -> None:
    """Add `word` of a unigram to the vocabulary unless it is there."""
    if word not in lines.known:
        token = token_of(word.decode()) if lines.escaped else word.decode()
        if lines.escaped and word not in (LINE_START.encode(), LINE_END.encode()):
            if token in lines.escapes:
                lines.refuse(f"{_shown(word)} is a word that is listed above under another name")
            lines.escapes.add(token)
        lines.known[word] = len(lines.tokens)
        lines.tokens.append(token)


def _append(model: BackoffModel, lines: _Lines, words: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Add the n-grams of a section to `model`, which has all orders below."""
    k = words.shape[1]
    context = words[:, 0] if k > 1 else np.zeros(len(words), dtype=np.int64)
    for j in range(2, k):
        context = model.find(j, context, words[:, j - 1])
    for row in np.flatnonzero(context < 0)[:1]:
        lines.refuse(f"the first {k - 1} words of the n-gram are not among the {k - 1}-grams", line=int(values[row, 2]))
    key = context * model.vocabulary + words[:, -1]
    place = np.argsort(key, kind="stable")  # so that of two equal n-grams the later one is reported
    for row in place[1:][np.diff(key[place]) == 0][:1]:
        lines.refuse("the n-gram is in the file twice", line=int(values[row, 2]))
    probability, backoff = (np.where(value <= ZERO, 0.0, 10.0**value) for value in values[place, :2].T.copy())
    model.key.append(key[place])
    model.probability.append(probability)
    model.backoff.append(backoff)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode(errors="replace"))
