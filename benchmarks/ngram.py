"""n-gram models of War and Peace, order 5, compared with nltk and KenLM in one run on one core.

    SEQLAB_MIRROR=folder python benchmarks/ngram.py        the folder holds war_and_peace.txt
    python benchmarks/ngram.py --text FILE [--quick]       another text; --quick takes its first 3,000 lines

Every time is the best of three (scoring against KenLM: of fifteen), taken in turns (nltk: once). All begin with the
text, so splitting it into words and looking these up is part of every time. The last line is JSON; a ratio is null
where its package is missing.
"""

import argparse
import gc
import json
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from seqlab.io.errors import InputError, command
from seqlab.ngram.arpa import write_arpa
from seqlab.ngram.model import BackoffModel, symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab

ORDER, QUICK = 5, 3_000
ESTIMATES, SCORES = 3, 15  # how often each is timed; scoring is over in 20 ms
START = 1  # <s> in the vocabulary
NLTK_WORDS = 40  # scored by nltk, which takes a third of a second for each


def seconds(*tasks: Callable[[], Any], repeats: int = ESTIMATES) -> list[float]:
    """Return the shortest time of each task, all run in turns."""
    best = [math.inf] * len(tasks)
    for _ in range(repeats):
        for number, task in enumerate(tasks):
            if repeats > 1:
                task()  # so that none finds the caches full of what another left there
            gc.collect()
            gc.disable()  # as timeit does: how often it would run depends on what else is in memory
            started = time.perf_counter()
            task()
            best[number] = min(best[number], time.perf_counter() - started)
            gc.enable()
    return best


def encoded(lines: Sequence[str], vocab: Vocab) -> list[np.ndarray]:
    """Return each line as indices between `<s>` and `</s>`."""
    indices = vocab.encode(f"<s> {' </s> <s> '.join(lines)} </s>".split())
    starts = [*np.flatnonzero(indices == START).tolist(), len(indices)]
    return [indices[start:stop] for start, stop in pairwise(starts)]


def vocabulary(lines: Sequence[str]) -> Vocab:
    """Return the vocabulary of all words."""
    return Vocab(" ".join(lines).split(), 1, ("<s>", "</s>"))


def against_nltk(train: list[str], test: list[str]) -> dict[str, float | None]:
    """Time Kneser-Ney from lines of text to a model, and from lines of text to probabilities."""
    vocab = vocabulary(train)
    model = estimate("kn", encoded(train, vocab), ORDER, len(vocab), START).model
    ours = seconds(
        lambda: estimate("kn", encoded(train, made := vocabulary(train)), ORDER, len(made), START),
        lambda: symbol_probabilities(model, encoded(test, vocab)),
    )
    words = sum(len(line.split()) + 1 for line in test)
    print(f"seqlab kn   estimate {ours[0]:8.2f} s   score {ours[1] / words * 1e6:12.3f} microseconds a word")
    try:
        from nltk.lm import KneserNeyInterpolated
        from nltk.lm.preprocessing import pad_both_ends, padded_everygram_pipeline
    except ImportError:
        print("nltk is not installed, so there is no comparison with it; pip install nltk==3.10.4")
        return {"estimate_vs_nltk": None, "score_vs_nltk": None}
    theirs = KneserNeyInterpolated(ORDER)
    estimating = seconds(
        lambda: theirs.fit(*padded_everygram_pipeline(ORDER, [line.split() for line in train])), repeats=1
    )[0]
    grams = []
    for line in test:
        padded = list(pad_both_ends(line.split(), n=ORDER))
        grams += [(padded[i], padded[max(i - ORDER + 1, 0) : i]) for i in range(ORDER - 1, len(padded))]
    some = grams[:: max(len(grams) // NLTK_WORDS, 1)][:NLTK_WORDS]
    scoring = seconds(lambda: [theirs.score(word, context) for word, context in some], repeats=1)[0] / len(some)
    print(f"nltk kn     estimate {estimating:8.2f} s   score {scoring * 1e6:12.1f} microseconds a word")
    return {"estimate_vs_nltk": estimating / ours[0], "score_vs_nltk": scoring / (ours[1] / words)}


def against_kenlm(train: list[str], test: list[str], folder: Path) -> dict[str, float | None]:
    """Time scoring with the same model: KenLM line by line, seqlab all lines together, both from lines of text."""
    vocab = vocabulary(train)
    model = estimate("mkn", encoded(train, vocab), ORDER, len(vocab), START).model
    indices = encoded(test, vocab)
    words = sum(len(line) - 1 for line in indices)
    try:
        import kenlm
    except ImportError:
        print("kenlm is not installed, so there is no comparison with it; pip install kenlm==0.3.0")
        return {"score_vs_kenlm": None}
    write_arpa(folder / "words.arpa", model, vocab.tokens, START)
    theirs = kenlm.Model(str(folder / "words.arpa"))
    _same_scores(model, indices, [theirs.score(line) for line in test])
    from_text, from_indices, kenlm_time = seconds(
        lambda: symbol_probabilities(model, encoded(test, vocab)),
        lambda: symbol_probabilities(model, indices),
        lambda: [list(theirs.full_scores(line)) for line in test],
        repeats=SCORES,
    )
    print(
        f"{words:,} words scored, millions of words a second: seqlab from lines of text {words / from_text / 1e6:.2f}, "
        f"from indices {words / from_indices / 1e6:.2f}; kenlm full_scores {words / kenlm_time / 1e6:.2f}"
    )
    return {"score_vs_kenlm": kenlm_time / from_text}


def _same_scores(model: BackoffModel, indices: Sequence[np.ndarray], expected: Sequence[float]) -> None:
    """Check that both programs give the same results, so that their times can be compared."""
    ends = np.cumsum([len(line) - 1 for line in indices])[:-1]
    ours = [part.sum() for part in np.split(np.log10(symbol_probabilities(model, indices)), ends)]
    if not np.allclose(ours, expected, rtol=0, atol=1e-4):
        raise InputError("seqlab and kenlm disagree about the probability of a line; report this with the text used")


def bytes_of(text: bytes, folder: Path) -> dict[str, float]:
    """Time modified Kneser-Ney by byte, and writing the model as ARPA."""
    values, indices = np.unique(np.frombuffer(text, dtype=np.uint8), return_inverse=True)
    indices = (indices + 1).astype(np.uint8)
    tokens = ["<unk>", *(f"byte{value}" for value in values)]
    model = estimate("mkn", [indices], ORDER, len(tokens)).model
    estimating, writing = seconds(
        lambda: estimate("mkn", [indices], ORDER, len(tokens)),
        lambda: write_arpa(folder / "bytes.arpa", model, tokens),
    )
    print(f"{len(indices):,} bytes, {model.parameters:,} n-grams: estimated in {estimating:.2f} s", end=", ")
    print(f"ARPA in {writing:.2f} s")
    return {"estimate_seconds_3m": estimating, "arpa_seconds_3m": writing}


def machine() -> str:
    """Return processor and versions for the head of the table."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mirror = os.environ.get("SEQLAB_MIRROR")
    parser.add_argument("--text", type=Path, default=Path(mirror) / "war_and_peace.txt" if mirror else None)
    parser.add_argument("--quick", action="store_true", help="the first lines only, as a test")
    arguments = parser.parse_args()
    if arguments.text is None or not arguments.text.is_file():
        raise InputError(f"{arguments.text or 'the text'} is missing; name one with --text or set SEQLAB_MIRROR")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    text = arguments.text.read_bytes()
    if arguments.quick:
        text = b"\n".join(text.splitlines()[:QUICK])
    lines = [" ".join(line.split()) for line in text.decode("utf-8").splitlines() if line.strip()]
    train, test = lines[: len(lines) * 9 // 10], lines[len(lines) * 9 // 10 :]
    print(f"{arguments.text.name}, {len(text.split()):,} words, order {ORDER}, one core; {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        # nltk comes last, because its millions of objects leave memory in pieces
        kenlm, whole = against_kenlm(train, test, Path(folder)), bytes_of(text, Path(folder))
        measured = against_nltk(train, test) | kenlm | whole
    sys.stdout.flush()
    print(json.dumps({name: value and float(f"{value:.4g}") for name, value in measured.items()}))


if __name__ == "__main__":
    main()
