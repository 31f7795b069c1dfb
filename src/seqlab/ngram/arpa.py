"""N-gram models as ARPA text, the format that KenLM, SRILM and most other tools read and write.

Logarithms are to base 10 and a probability or weight of zero is -99. A line is: logarithm of the probability, tab,
words with one blank between them, tab, logarithm of the back-off weight (not in the highest order). White space and
control characters inside a word are written as their code point, a blank as `<0x20>` and a line end as `<0x0A>`.
"""

import gzip
import io
import re
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from seqlab.errors import InputError
from seqlab.files import replacing
from seqlab.ngram.model import NgramModel
from seqlab.text.vocab import UNKNOWN

LINE_START, LINE_END = "<s>", "</s>"
ZERO, SMALLEST = -99.0, 1e-99  # -99 stands for log10(0), as in SRILM
CHUNK = 100_000  # n-grams that are text at the same time while a model is written
LONGEST_LINE = 1 << 20  # bytes; a file without line ends must not be taken into memory whole
COUNT = re.compile(rb"ngram\s+(\d{1,9})\s*=\s*(\d{1,18})")
HIDDEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # white space, control characters, half surrogates
WRITE_AGAIN = "write the model again with the tool it came from"
GIVE_ARPA = "give a model in the ARPA format, plain or compressed by gzip"


def arpa_name(token: str) -> str:
    """`token` as it stands in an ARPA file: white space and control characters become `<0xNN>`, their code point in
    hexadecimal. `token_of` undoes it, except for a token that looks like such a name itself.
    """
    return HIDDEN.sub(lambda match: f"<0x{ord(match[0]):02X}>", token)


def token_of(name: str) -> str:
    """The token that `arpa_name` wrote as `name`; code points that it would not have replaced are left as they are."""
    return re.sub(r"<0x[0-9A-F]{2,4}>", _character, name)


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[0][3:-1], 16))
    return character if arpa_name(character) == match[0] else match[0]


def write_arpa(path: str | Path, model: NgramModel, tokens: Sequence[str], line_start: int | None = None) -> None:
    """Write `model` as ARPA, compressed where `path` ends in `.gz`; equal models give equal bytes.

    `tokens` are the names of the vocabulary, `<unk>` first; `line_start` is the index of `<s>` in a line-wise model.
    Other models, which know no lines, get an `<s>` and an `</s>` of probability zero as their last unigrams, since
    readers such as KenLM demand both; score with them without line borders (`kenlm.Model.score(text, bos=False,
    eos=False)`). Logarithms have nine significant digits; what is below 1e-99 is written as zero.
    Raises InputError, and writes nothing, for a model that does not back off and for tokens that ARPA cannot hold.
    """
    names = _names(path, model, tokens, line_start)
    borders = [LINE_START, LINE_END] if line_start is None else []
    with (
        replacing(path) as temporary,
        temporary.open("wb") as plain,
        # neither name nor time in the gzip header, so that the bytes depend on the model alone
        gzip.GzipFile("", "wb", 6, plain, mtime=0) if str(path).endswith(".gz") else nullcontext(plain) as file,
    ):
        sizes = [len(model.key[0]) + len(borders), *map(len, model.key[1:])]
        header = "".join(f"ngram {k}={size}\n" for k, size in enumerate(sizes, start=1))
        file.write(f"\\data\\\n{header}".encode())
        for k in range(1, model.order + 1):
            file.write(f"\n\\{k}-grams:\n".encode())
            for first in range(0, len(model.key[k - 1]), CHUNK):
                file.write(_text(model, k, names, first).encode())
            if k == 1:
                weight = "\t0" if model.order > 1 else ""
                file.write("".join(f"{ZERO:g}\t{border}{weight}\n" for border in borders).encode())
        file.write(b"\n\\end\\\n")


def _names(path: str | Path, model: NgramModel, tokens: Sequence[str], line_start: int | None) -> NDArray[np.object_]:
    """The vocabulary as it stands in the file, shape (vocabulary,)."""
    starts = [index for index, token in enumerate(tokens) if token == LINE_START]
    ends = [token for token in tokens if token == LINE_END]
    if not model.backs_off:
        problem = "the model does not back off (add-k smoothing), and ARPA holds back-off models only; use kn or mkn"
    elif list(tokens[:1]) != [UNKNOWN] or not len(tokens) == len(set(tokens)) == model.vocabulary:
        problem = f"the tokens must be the {model.vocabulary} names of the vocabulary, each once, {UNKNOWN} first"
    elif starts != ([] if line_start is None else [line_start]):
        problem = f"{LINE_START} is the token {starts} and line_start is {line_start}; they must be the same"
    elif ends and line_start is None:
        problem = f"{LINE_END} is a token of a model without lines, and means the end of a line in ARPA; rename it"
    elif unfit := [token for token in tokens if not token or token_of(arpa_name(token)) != token]:
        problem = f"the token {unfit[0]!r} is empty or looks like the name of a control character; rename it"
    else:
        return np.array([arpa_name(token) for token in tokens], dtype=object)
    raise InputError(f"{path} was not written: {problem}")


def _text(model: NgramModel, k: int, names: NDArray[np.object_], first: int) -> str:
    """The lines of the n-grams of order k from number `first` on, at most CHUNK of them."""
    number = np.arange(first, min(first + CHUNK, len(model.key[k - 1])))
    value = np.log10(np.clip(model.probability[k - 1][number], SMALLEST, 1.0)).tolist()  # rounding can exceed 1
    tail = [""] * len(number)
    if k < model.order:
        tail = [f"\t{weight:.9g}" for weight in np.log10(np.maximum(model.backoff[k - 1][number], SMALLEST)).tolist()]
    columns = []
    for j in range(k, 0, -1):  # from the last word to the first
        key = model.key[j - 1][number]
        columns.append(names[key % model.vocabulary].tolist())
        number = key // model.vocabulary
    words = map(" ".join, zip(*reversed(columns), strict=True))
    return "".join([f"{p:.9g}\t{w}{b}\n" for p, w, b in zip(value, words, tail, strict=True)])


class _Lines:
    """The lines of a file that are not blank, one after the other, where we are, and the vocabulary met so far."""

    def __init__(self, path: str | Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.number = 0  # of the last line read
        self.marker = b""  # the last line that ended a section
        self.index = {UNKNOWN: 0}  # of the tokens
        self.known = {UNKNOWN.encode(): 0}  # the same of the words as they stand in the file

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
            if stripped := line.strip():
                yield stripped

    def section(self) -> Iterator[bytes]:
        """The lines up to the next that begins with a backslash."""
        for line in self:
            if line.startswith(b"\\"):
                self.marker = line
                return
            yield line
        self.refuse("the file ends without \\end\\, so it is cut off", "copy or write the file again")

    def refuse(self, what: str, remedy: str = WRITE_AGAIN, line: int | None = None) -> NoReturn:
        raise InputError(f"{self.path}, line {self.number if line is None else line}: {what}; {remedy}")


def read_arpa(path: str | Path) -> tuple[NgramModel, list[str], int | None]:
    """The model in `path`, plain or compressed by gzip, its tokens, and the index of `<s>` (None without it).

    `<unk>` is token 0, with probability zero where the file has none; the others come in the order of the unigrams.
    A missing back-off weight is 1, and -99 or less is zero. `<s>` is never predicted, so its probability is zero
    whatever the file says. Highest orders without n-grams are left out.
    Raises InputError, with file and line, for a file that is not a whole ARPA model.
    """
    model = NgramModel(0, True, [], [], [])
    with _opened(Path(path)) as file:
        lines = _Lines(path, file)
        for k, count in enumerate(counts := _header(lines), start=1):
            words, values = _section(lines, k, count)
            model = replace(model, vocabulary=len(lines.index))
            _append(model, lines, words, values)
        if lines.marker != b"\\end\\":
            lines.refuse(f"{_shown(lines.marker)} stands where \\end\\ was expected")
        for _ in lines:  # to the end, because that is where gzip keeps its checksum
            pass
    index = lines.index
    if LINE_START in index:
        model.probability[0][index[LINE_START]] = 0.0  # lmplz writes log10(1), SRILM log10(0)
    order = int(np.count_nonzero(counts))
    model = NgramModel(len(index), True, model.key[:order], model.probability[:order], model.backoff[: order - 1])
    if _knows_no_lines(model, list(index)):
        return _without_borders(model), list(index)[:-2], None
    return model, list(index), index.get(LINE_START)


def _knows_no_lines(model: NgramModel, tokens: list[str]) -> bool:
    """Whether `<s>` and `</s>` stand there only because the format wants them, as `write_arpa` writes them."""
    if tokens[-2:] != [LINE_START, LINE_END] or model.probability[0][-2:].any():
        return False
    first = model.vocabulary - 2
    follows = any((key % model.vocabulary >= first).any() for key in model.key[1:])
    return not follows and not any((key // model.vocabulary >= first).any() for key in model.key[1:2])


def _without_borders(model: NgramModel) -> NgramModel:
    """`model` without its last two unigrams."""
    size = model.vocabulary - 2
    key = [model.key[0][:size], *(key // model.vocabulary * size + key % model.vocabulary for key in model.key[1:])]
    probability = [model.probability[0][:size], *model.probability[1:]]
    backoff = [model.backoff[0][:size], *model.backoff[1:]] if model.order > 1 else []
    return NgramModel(size, True, key, probability, backoff)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"  # whatever the name says
    return cast(BinaryIO, io.BufferedReader(cast(Any, gzip.open(path)))) if packed else path.open("rb")


def _header(lines: _Lines) -> list[int]:
    """The number of n-grams of each order; reads up to the first section."""
    for line in lines:  # what stands before \data\ is comment
        if b"\0" in line:
            lines.refuse("the file is binary", GIVE_ARPA)
        if line == b"\\data\\":
            break
    else:
        lines.refuse("the file ends without \\data\\", GIVE_ARPA)
    counts: list[int] = []
    for line in lines.section():
        match = COUNT.fullmatch(line)
        if match is None or int(match[1]) != len(counts) + 1:
            lines.refuse(f"{_shown(line)} stands where ngram {len(counts) + 1}=<number> was expected")
        counts.append(int(match[2]))
    if not any(counts) or 0 in counts[: np.count_nonzero(counts)]:
        lines.refuse(f"the header gives the orders {counts} n-grams, so one is missing")
    return counts


def _section(lines: _Lines, k: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The n-grams of order k, whose header said `count`, as they stand in the file: words, shape (N, k), and the two
    logarithms and the line of each, shape (N, 3). The unigrams make the vocabulary; a missing `<unk>` is added.
    """
    if lines.marker != b"\\%d-grams:" % k:
        lines.refuse(f"{_shown(lines.marker)} stands where the section \\{k}-grams: was expected")
    words, values = array("q"), array("d")
    for line in lines.section():
        fields = line.split(None, k + 2)  # never more pieces than show that there are too many
        try:
            value, weight = float(fields[0]), float(fields[k + 1]) if len(fields) > k + 1 else 0.0
        except ValueError:
            fields = []
        if not k < len(fields) <= k + 2:
            lines.refuse(f"{_shown(line)} is not a number, as many words as the order ({k}) and perhaps a back-off")
        if not (value <= 0 and weight < -ZERO):  # false for nan as well
            lines.refuse(f"log10 of probability and back-off are {value} and {weight}; at most 0 and 99 are allowed")
        try:
            if k == 1:
                lines.known[fields[1]] = lines.index.setdefault(token_of(fields[1].decode()), len(lines.index))
            words.extend(map(lines.known.__getitem__, fields[1 : k + 1]))
        except (KeyError, UnicodeDecodeError):
            lines.refuse(f"{_shown(line)} has a word that is not among the unigrams or not UTF-8")
        values.extend((value, weight, lines.number))
    if (found := len(values) // 3) != count:
        lines.refuse(f"the section \\{k}-grams: ends after {found} n-grams, and the header says {count}")
    if k == 1 and 0 not in words:
        words.append(0)
        values.extend((ZERO, 0.0, 0))
    return np.array(words).reshape(-1, k), np.array(values).reshape(-1, 3)


def _append(model: NgramModel, lines: _Lines, words: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Put the n-grams of a section into `model`, which has all orders below."""
    k = words.shape[1]
    context = words[:, 0] if k > 1 else np.zeros(len(words), dtype=np.int64)
    for j in range(2, k):
        context = model.find(j, context, words[:, j - 1])
    for row in np.flatnonzero(context < 0)[:1]:
        lines.refuse(f"the first {k - 1} words of the n-gram are not among the {k - 1}-grams", line=int(values[row, 2]))
    key = context * model.vocabulary + words[:, -1]
    place = np.argsort(key, kind="stable")  # so that of two equal n-grams the later one is reported
    for row in place[1:][np.diff(key[place]) == 0][:1]:
        lines.refuse("the n-gram stands in the file twice", line=int(values[row, 2]))
    probability, backoff = (np.where(value <= ZERO, 0.0, 10.0**value) for value in values[place, :2].T.copy())
    model.key.append(key[place])
    model.probability.append(probability)
    model.backoff.append(backoff)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode(errors="replace"))
