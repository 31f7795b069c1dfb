"""N-gram models of texts: training, files, scores of sentences, and states for decoders."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.io.files import check_file, read_json, replacing_folder, write_json
from seqlab.machine.threads import map_ordered
from seqlab.ngram.arpa import read_arpa, write_names
from seqlab.ngram.arpa_names import LINE_END, LINE_START, arpa_name
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.packed import PackedModel, Shape
from seqlab.ngram.training import MARKS, START_INDEX, TrainingSettings, train_model
from seqlab.ngram.words import WordTable
from seqlab.text.blocks import read_blocks
from seqlab.text.tokens import tokenize
from seqlab.text.vocab import UNKNOWN

if TYPE_CHECKING:
    from seqlab.ngram.stepping import Stepper

BLOCK = 1 << 16  # symbols scored together: their arrays fit into the cache of a processor
MODEL_FILE, DESCRIPTION_FILE = "model.ngram", "model.json"
State = tuple[int, ...]  # entry k - 1: the number of the n-gram of the last k symbols, or -1 where it is not kept
FORMAT = 1  # version of both files
TRAINING_FACTS = ("discounts",)  # of the description, which a changed model lacks
TRAIN_AGAIN = "train it again, or copy the folder again"


@dataclass(frozen=True)
class TextScores:
    """Scores of all symbols of a text, (symbols,); with lines, `<s>` has the order 0 and is not scored."""

    symbols: NDArray[np.uint32]  # indices of the vocabulary; 0 is an unknown word
    log10: NDArray[np.float64]
    orders: NDArray[np.uint8]  # of the n-gram that gave the probability
    lines: bool

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """True for symbols that are scored: all but `<s>`, and but the first of a stream."""
        if self.lines:
            return self.orders > 0
        return np.arange(len(self.symbols)) > 0

    def cut_sentences(self) -> list["TextScores"]:
        """Return the scores of every line, without `<s>`; those of a stream are one line without the first symbol."""
        starts = np.flatnonzero(self.orders == 0) if self.lines else np.zeros(1, dtype=np.int64)
        stops = [*starts[1:].tolist(), len(self.symbols)]
        ranges = [slice(start + 1, stop) for start, stop in zip(starts.tolist(), stops, strict=True)]
        return [TextScores(self.symbols[place], self.log10[place], self.orders[place], self.lines) for place in ranges]

    def summarize(self) -> dict[str, Any]:
        """Return symbols, unknown, log10_total, perplexity and perplexity_without_unknown of the scored symbols.

        A perplexity is 10 to minus the mean of log10; without scored symbols it is None.
        """
        return self._figures(self.is_scored)

    def summarize_all(self) -> dict[str, Any]:
        """Return the figures of `summarize` over all symbols, as those of `cut_sentences`."""
        return self._figures(np.ones(len(self.symbols), dtype=bool))

    def _figures(self, is_counted: NDArray[np.bool_]) -> dict[str, Any]:
        log10, is_unknown = self.log10[is_counted], self.symbols[is_counted] == 0
        return {
            "symbols": len(log10),
            "unknown": int(is_unknown.sum()),
            "log10_total": float(log10.sum()),
            "perplexity": _perplexity(log10),
            "perplexity_without_unknown": _perplexity(log10[~is_unknown]),
        }


def _perplexity(log10: NDArray[np.float64]) -> float | None:
    if not len(log10):
        return None
    mean = -float(log10.mean())
    return math.inf if mean > 300 else 10.0**mean


class NgramModel:
    """An n-gram model with its vocabulary, of lines between `<s>` and `</s>` or of one stream.

    `packed` holds the arrays, `description` what model.json says. Use `train` or `load`.
    """

    def __init__(self, packed: PackedModel, description: dict[str, Any]) -> None:
        self.packed, self.description = packed, description
        self.unit: str = description["unit"]
        self.lines: bool = description["lines"]

    @classmethod
    def train(
        cls, texts: Path | str | Iterable[Path | str], vocabulary: Sequence[str] | None = None, **settings: Any
    ) -> "NgramModel":
        """Return a model of `texts`: a path or paths of files, or strings of one or more lines.

        `settings` are those of `seqlab.ngram.training.TrainingSettings`, such as order, unit, lines, smoothing and
        threads. Raises InputError as `train_model` and `read_blocks`.
        """
        items = [texts] if isinstance(texts, str | Path) else texts
        trained = train_model(chain.from_iterable(map(_blocks_of, items)), TrainingSettings(**settings), vocabulary)
        return cls(PackedModel.pack(trained.model, trained.table), trained.description)

    @classmethod
    def load(cls, path: str | Path) -> "NgramModel":
        """Return the model in the folder `path`, memory-mapped, or in an ARPA file, which is read as a whole.

        Raises InputError where there is none, for a file of another version, and for a file that is truncated or not
        that of its description; its size and a checksum of 64 stretches are compared.
        """
        path = Path(path)
        if path.is_file():
            return cls._of_arpa(path)
        if not (path / DESCRIPTION_FILE).exists():
            raise InputError(
                f"{path} holds no n-gram model; give the folder that seqlab ngram train wrote, or an ARPA file"
            )
        description = read_json(path / DESCRIPTION_FILE)
        if description.get("format") != FORMAT:  # of which the schema says nothing
            raise InputError(
                f"{path / DESCRIPTION_FILE} has the format {description.get('format')!r} and this version of seqlab "
                f"reads format {FORMAT}; train the model again"
            )
        check_file(path / DESCRIPTION_FILE, description, "ngram_model")
        shape = Shape(tuple(description["ngrams"]), description["word_bytes"], description["slots"])
        file = path / MODEL_FILE
        size = file.stat().st_size if file.exists() else 0
        if size != shape.size:
            raise InputError(f"{file} has {size} bytes and {shape.size} are expected; {TRAIN_AGAIN}")
        packed = PackedModel.map(file, shape)
        if packed.digest() != description["digest"]:
            raise InputError(f"{file} is not the file that {DESCRIPTION_FILE} beside it describes; {TRAIN_AGAIN}")
        return cls(packed, description)

    @classmethod
    def _of_arpa(cls, path: Path) -> "NgramModel":
        model, tokens, start = read_arpa(path)
        lines = start is not None
        order = [0, *range(1, len(tokens))]
        if lines:
            if LINE_END not in tokens:
                raise InputError(f"{path} has {LINE_START} and no {LINE_END}; write the model again with both")
            marks = [0, start, tokens.index(LINE_END)]
            order = [*marks, *(index for index in range(len(tokens)) if index not in marks)]
            model = _renumbered(model, order)
        texts = [b"" if rank < (MARKS if lines else 1) else tokens[index].encode() for rank, index in enumerate(order)]
        description = {"unit": "word", "lines": lines, "escaped": False, "merges": [], "notes": []}
        return cls(PackedModel.pack(model, WordTable.of(texts)), description)

    def save(self, folder: str | Path) -> None:
        """Write model.ngram and model.json into `folder`, which is replaced as a whole."""
        shape = self.packed.shape
        facts = {"format": FORMAT, "ngrams": list(shape.ngrams), "word_bytes": shape.word_bytes, "slots": shape.slots}
        description = self.description | facts | {"digest": self.packed.digest()}
        with replacing_folder(folder) as temporary:
            self.packed.data.tofile(temporary / MODEL_FILE)
            write_json(temporary / DESCRIPTION_FILE, description, checksum=False)

    @property
    def order(self) -> int:
        """The highest order."""
        return self.packed.shape.order

    @property
    def start(self) -> int | None:
        """The index of `<s>` in a model of lines."""
        return START_INDEX if self.lines else None

    def with_ngrams(self, model: BackoffModel) -> "NgramModel":
        """Return a model of the same vocabulary."""
        kept = {key: value for key, value in self.description.items() if key not in TRAINING_FACTS}
        return NgramModel(PackedModel.pack(model, self.packed.table), kept)

    @property
    def marks(self) -> int:
        """Number of entries of the vocabulary that are no words: the unknown word, with lines `<s>` and `</s>`."""
        return MARKS if self.lines else 1

    @cached_property
    def tokens(self) -> list[str]:
        """The words of the vocabulary; the first is the unknown word, and in models of lines the marks follow."""
        marks = [UNKNOWN, LINE_START, LINE_END][: self.marks]
        return [*marks, *(text.decode() for text in self.packed.table.texts()[self.marks :])]

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of every word of the vocabulary, without unknown word and marks."""
        return {token: number for number, token in enumerate(self.tokens) if number >= self.marks}

    def unpack(self) -> BackoffModel:
        """Return the model as arrays of keys and probabilities."""
        return self.packed.unpack()

    def write_arpa(self, path: str | Path, threads: int = 1) -> None:
        """Write the model as ARPA, compressed where `path` ends in `.gz`."""
        write_model_as_arpa(path, self.unpack(), self.tokens, self.description, threads)

    def encode(self, text: bytes) -> NDArray[np.uint32]:
        """Return the indices of the symbols of `text`, whole lines of UTF-8, with marks in models of lines."""
        if self.unit == "word":
            return self.packed.table.index(text, self.lines)
        lines = text.decode().removesuffix("\n").split("\n") if self.lines else [text.decode()]
        symbols: list[int] = []
        for line in lines:
            indices = [self.index.get(token, 0) for token in self._tokenize(line)]
            symbols += [START_INDEX, *indices, START_INDEX + 1] if self.lines else indices
        return np.array(symbols, dtype=np.uint32)

    def score_symbols(self, symbols: NDArray[np.uint32]) -> TextScores:
        """Return the scores of symbols with the marks of `encode`, (symbols,), the first of a stream included."""
        from seqlab.ngram.compiled import score_symbols

        log10, orders = np.empty(len(symbols)), np.empty(len(symbols), dtype=np.uint8)
        for first in range(0, len(symbols), BLOCK):
            start = max(first - self.order, 0)  # contexts reach back into the block before
            block = symbols[start : first + BLOCK]
            scores, matched = np.empty(len(block)), np.empty(len(block), dtype=np.uint8)
            score_symbols(*self.packed.arguments, block, self.lines, self._sort_positions(block), scores, matched)
            log10[first : first + BLOCK], orders[first : first + BLOCK] = (
                scores[first - start :],
                matched[first - start :],
            )
        return TextScores(symbols, log10, orders, self.lines)

    def _sort_positions(self, symbols: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the places of all symbols with one before them, sorted by that and then by themselves."""
        position = np.arange(1, len(symbols))
        if self.lines:
            position = position[symbols[1:] != START_INDEX]
        width, shift = (self.packed.shape.ngrams[0] - 1).bit_length(), len(symbols).bit_length()
        pair = symbols[position - 1].astype(np.int64) << width | symbols[position]
        packed = np.sort((pair >> max(2 * width + shift - 63, 0)) << shift | position)  # faster than an argsort
        return packed & ((1 << shift) - 1)

    def score_text(self, text: bytes | Iterable[bytes], threads: int = 1) -> TextScores:
        """Return the scores of a text, one block or several of whole lines; `threads` share lines between them."""
        blocks = [text] if isinstance(text, bytes) else text
        if self.lines:
            parts = list(
                map_ordered(lambda block: self.score_symbols(self.encode(block)), _cut(blocks, threads), threads)
            )
        else:
            parts = [self.score_symbols(self.encode(b"".join(blocks)))]
        symbols, log10, orders = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("symbols", "log10", "orders")
        )
        return TextScores(symbols, log10, orders, self.lines)

    def score(self, sentence: str, start: bool = True, end: bool = True) -> float:
        """Return log10 of the probability of a sentence, as `kenlm.Model.score`.

        `start` begins with `<s>` and `end` scores `</s>`; neither has a meaning in a stream, of which all symbols are
        scored, the first without context.
        """
        state = self.state(start)
        total = 0.0
        for token in self._tokenize(sentence):
            log10, state = self.follow(state, token)
            total += log10
        return total + (self.end(state) if end and self.lines else 0.0)

    def state(self, start: bool = True) -> State:
        """Return the state after `<s>` in a model of lines, or with `start` false, and in a stream, after nothing.

        States are values: equal states predict the same, so that a decoder can join them.
        """
        state = [-1] * max(self.order - 1, 1)
        if start and self.lines:
            state[0] = START_INDEX
        return tuple(state)

    @cached_property
    def follow(self) -> Callable[[State, str], tuple[float, State]]:
        """Function of a state and a token: log10 of the probability of the token, and the state after it."""
        return self._stepper.follow()

    def end(self, state: State) -> float:
        """Return log10 of the probability that the line ends after `state`, in a model of lines."""
        return self._stepper.end(state)

    def find_token(self, token: str) -> int:
        """Return the index of a word, 0 for an unknown word."""
        if self.unit != "word":
            return self.index.get(token, 0)
        symbols = self.packed.table.index(token.encode(), lines=False)
        return int(symbols[0]) if len(symbols) == 1 else 0

    @cached_property
    def _stepper(self) -> "Stepper":
        from seqlab.ngram.stepping import Stepper

        return Stepper(self)

    def _tokenize(self, text: str) -> list[str]:
        if self.unit == "word":
            return [word for word in re.split(r"[ \t\r\n]+", text) if word]
        return tokenize(text, self.unit, self.description["merges"])


def write_model_as_arpa(
    path: str | Path, model: BackoffModel, tokens: Sequence[str], description: dict[str, Any], threads: int = 1
) -> None:
    """Write `model` with the `tokens` and the description of an NgramModel as ARPA."""
    marks = MARKS if description["lines"] else 1
    escaped = description["escaped"]
    names = [*tokens[:marks], *(arpa_name(token) if escaped else token for token in tokens[marks:])]
    write_names(path, model, names, description["lines"], threads, escaped)


def _blocks_of(item: Path | str) -> Iterator[bytes]:
    """Yield blocks of a file, or a text as one block."""
    if isinstance(item, Path):
        yield from read_blocks([str(item)], [])
    else:
        yield f"{item}\n".encode() if not item.endswith("\n") else item.encode()


def _cut(blocks: Iterable[bytes], threads: int) -> Iterator[bytes]:
    """Yield pieces of whole lines of `blocks`, for some work to each of the `threads`."""
    for block in blocks:
        if threads <= 1:
            yield block
            continue
        size, first = -(-len(block) // (4 * threads)), 0
        while first < len(block):
            stop = block.find(b"\n", first + size) + 1 or len(block)
            yield block[first:stop]
            first = stop


def _renumbered(model: BackoffModel, order: Sequence[int]) -> BackoffModel:
    """Return `model` with entry `order[i]` of its vocabulary at place i."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[np.asarray(order)] = np.arange(len(order))
    key, probability, backoff = [np.arange(len(order))], [model.probability[0][order]], []
    number = rank  # of the n-grams of the order below, by their old number
    if model.order > 1:
        backoff.append(model.backoff[0][order])
    for k in range(2, model.order + 1):
        context, symbol = np.divmod(model.key[k - 1], model.vocabulary)
        keys = number[context] * model.vocabulary + rank[symbol]
        place = np.argsort(keys)
        number = np.empty_like(place)
        number[place] = np.arange(len(place))
        key.append(keys[place])
        probability.append(model.probability[k - 1][place])
        if k < model.order:
            backoff.append(model.backoff[k - 1][place])
    return BackoffModel(model.vocabulary, True, key, probability, backoff)
