"""n-gram models of lines, from a text to an ARPA file and to scores, compared with KenLM in one run.

    python benchmarks/ngram_lines.py [--millions 1 10] [--lmplz PATH] [--threads 2]
    SEQLAB_MIRROR=folder python benchmarks/ngram_lines.py --text folder/war_and_peace.txt

Without --text, lines of ten words drawn alone from a Zipf law over 50,000, where hardly a longer n-gram comes twice:
nothing is more work. Every estimate is a process of its own, with its start, and both programs may use the same
cores and 80 % of the memory. lmplz is not in the package index: it is built from the source of kenlm 0.3.0; where it is
missing, its times are null. Scoring is timed in this process, the best of three in turns. The last line is JSON.
"""

import argparse
import gc
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seqlab import NgramModel
from seqlab.io.errors import command

ORDER, SIZE, WORDS_OF_LINE = 5, 50_000, 10
SCORED_LINES, REPEATS, STEPS = 5_000, 3, 30_000


def write_zipf(path: Path, words: int) -> None:
    """Write lines of independently drawn words."""
    weight = 1 / np.arange(1, SIZE + 1)
    random = np.random.default_rng(1)
    with path.open("w") as file:
        for _ in range(0, words, WORDS_OF_LINE * 10_000):
            drawn = np.searchsorted(np.cumsum(weight / weight.sum()), random.random((10_000, WORDS_OF_LINE)))
            file.writelines(" ".join([f"w{word}" for word in line]) + "\n" for line in drawn.tolist())


def run(arguments: list[str], **options: Any) -> dict[str, float]:
    """Run a program; return its seconds and its peak memory in megabytes."""
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, **options)
    usage = os.wait4(process.pid, 0)
    process.returncode = usage[1]
    if usage[1]:
        sys.exit(f"error: {arguments[0]} ended with {usage[1]}; run it alone to see why")
    return {"seconds": time.perf_counter() - started, "megabytes": usage[2].ru_maxrss / 1024}


def estimate(text: Path, folder: Path, lmplz: str | None, threads: int) -> dict[str, float | None]:
    """Time both programs from the text to the ARPA file."""
    seqlab = [
        sys.executable,
        "-c",
        "from seqlab.cli.main import main; main()",
        "ngram",
        "train",
        str(text),
        "-o",
        str(ORDER),
        "--threads",
        str(threads),
    ]
    figures: dict[str, float | None] = {}
    for name, outputs in {
        "arpa": ["--arpa", "a.arpa"],
        "gz": ["--arpa", "a.arpa.gz"],
        "model": ["--model", "m"],
    }.items():
        measured = run([*seqlab, *outputs], cwd=folder)
        figures |= {f"seqlab_{name}_{key}": value for key, value in measured.items()}
    figures |= {"lmplz_seconds": None, "lmplz_megabytes": None}
    if lmplz:
        options = ["-o", str(ORDER), "-S", "80%", "-T", str(folder), "--discount_fallback"]
        with text.open("rb") as source, (folder / "k.arpa").open("wb") as target:
            measured = run([lmplz, *options], stdin=source, stdout=target)
        figures |= {f"lmplz_{key}": value for key, value in measured.items()}
        (folder / "k.arpa").unlink()
    return figures


def best(*tasks: Callable[[], Any]) -> list[float]:
    """Return the shortest time of each task, all run in turns."""
    times = [math.inf] * len(tasks)
    for _ in range(REPEATS):
        for number, task in enumerate(tasks):
            gc.collect()
            started = time.perf_counter()
            task()
            times[number] = min(times[number], time.perf_counter() - started)
    return times


def score(text: Path, folder: Path, threads: int) -> dict[str, float | None]:
    """Time scores of lines, of indices and of single words in a decoder, millions a second."""
    with text.open() as file:
        lines = [line.rstrip("\n") for line, _ in zip(file, range(SCORED_LINES), strict=False)]
    model, block = NgramModel.load(folder / "m"), "".join(f"{line}\n" for line in lines).encode()
    symbols = model.encode(block)
    words = [word for line in lines for word in line.split()][:STEPS]
    count = int(model.score_symbols(symbols).is_scored.sum())

    def decode() -> None:
        state, follow = model.state(), model.follow
        for word in words:
            _, state = follow(state, word)

    tasks: dict[str, Callable[[], Any]] = {
        "seqlab_lines": lambda: model.score_text(block),
        "seqlab_lines_threads": lambda: model.score_text(block, threads),
        "seqlab_indices": lambda: model.score_symbols(symbols),
        "seqlab_steps": decode,
    }
    try:
        import kenlm

        theirs = kenlm.Model(str(folder / "a.arpa"))

        def decode_theirs() -> None:
            state, following = kenlm.State(), kenlm.State()
            theirs.BeginSentenceWrite(state)
            for word in words:
                theirs.BaseScore(state, word, following)
                state, following = following, state

        tasks["kenlm_lines"] = lambda: [list(theirs.full_scores(line)) for line in lines]
        tasks["kenlm_steps"] = decode_theirs
    except ImportError:
        print("kenlm is not installed, so there is no comparison with it; pip install kenlm==0.3.0")
    amounts = {"steps": len(words)}
    times = best(*tasks.values())
    speeds = {
        name: amounts.get(name.rpartition("_")[2], count) / seconds / 1e6
        for name, seconds in zip(tasks, times, strict=True)
    }
    started = time.perf_counter()
    NgramModel.load(folder / "m")
    return {"kenlm_lines": None, "kenlm_steps": None} | speeds | {"open_seconds": time.perf_counter() - started}


def measure(text: Path, name: str, lmplz: str | None, threads: int, estimates_only: bool) -> dict[str, Any]:
    """Return a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        figures = estimate(text, Path(folder), lmplz, threads)
        figures |= {} if estimates_only else score(text, Path(folder), threads)
        model = NgramModel.load(Path(folder) / "m")
        figures |= {"ngrams": sum(model.packed.shape.ngrams), "model_bytes": model.packed.shape.size}
    return {"text": name} | {key: value and float(f"{value:.4g}") for key, value in figures.items()}


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="a text instead of words of a Zipf law")
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10], help="words of the Zipf law")
    parser.add_argument("--lmplz", default=shutil.which("lmplz"), help="the program lmplz of KenLM")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--estimates-only", action="store_true", help="no scores; KenLM takes long to read a large ARPA"
    )
    arguments = parser.parse_args()
    rows, options = [], (arguments.lmplz, arguments.threads, arguments.estimates_only)
    if arguments.text:
        rows.append(measure(arguments.text.resolve(), arguments.text.name, *options))
    else:
        for millions in arguments.millions:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "zipf.txt"
                write_zipf(path, int(millions * 1e6))
                rows.append(measure(path, f"zipf {millions:g} M", *options))
            print(rows[-1], flush=True)
    sys.stdout.flush()
    print(json.dumps({"rows": rows, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
