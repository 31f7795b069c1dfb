"""Time and memory of counting and estimation by size of the text: modified Kneser-Ney, order 5.

    python benchmarks/ngram_growth.py [--millions 1 3 10 30] [--bound 500]

Two sources: a Markov chain of order 2 over 87 symbols, and words drawn alone from a Zipf law over 50,000, where hardly
a longer n-gram comes twice: nothing grows faster. Every step is a process of its own, whose peak memory is its
resident set without the files it reads, which are memory-mapped. Shards are counted and merged under a bound in
megabytes; the processes that do so may not allocate more than that and what the interpreter takes (RLIMIT_DATA), so a
number in the table shows that they kept to it. The last line is JSON.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from seqlab.io.errors import InputError, command
from seqlab.ngram.counts import count_ngrams
from seqlab.ngram.shards import count_shard, merge_shards, read_counts
from seqlab.ngram.smoothing import estimate_from_counts

ORDER, SHARDS, CHAINS = 5, 4, 2_000
MEGABYTE = 1 << 20
INTERPRETER = 200 * MEGABYTE  # what Python, numpy and their libraries allocate before anything is counted
SOURCES = {"markov 87": 87, "zipf 50,000": 50_000}


def markov(symbols: int, size: int) -> np.ndarray:
    """Return a text of a Markov chain of order 2 with Zipf-distributed transitions in random order."""
    random = np.random.default_rng(1)
    weight = 1 / np.arange(1, size + 1) ** 1.5
    cumulative = np.cumsum(weight / weight.sum())
    ranked = random.permuted(np.tile(np.arange(size, dtype=np.uint8), (size * size, 1)), axis=1)
    steps = -(-symbols // CHAINS)
    text = np.empty((CHAINS, steps), dtype=np.uint8)
    before, last = random.integers(0, size, (2, CHAINS))
    for step in range(steps):  # all chains take a step at the same time
        rank = np.minimum(np.searchsorted(cumulative, random.random(CHAINS)), size - 1)
        before, last = last, ranked[before.astype(np.int64) * size + last, rank]
        text[:, step] = last
    return text.ravel()[:symbols] + 1  # 0 stands for what is unknown


def zipf(symbols: int, size: int) -> np.ndarray:
    """Return independently drawn words."""
    weight = 1 / np.arange(1, size + 1)
    drawn = np.searchsorted(np.cumsum(weight / weight.sum()), np.random.default_rng(1).random(symbols))
    return (np.minimum(drawn, size - 1) + 1).astype(np.uint16)


class Watch:
    """Seconds, and the highest anonymous memory seen in between, in megabytes."""

    def __enter__(self) -> "Watch":
        self.peak, self.done = 0.0, threading.Event()
        self.sampler = threading.Thread(target=self._sample)
        self.sampler.start()
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.started
        self.done.set()
        self.sampler.join()

    def _sample(self) -> None:
        while not self.done.wait(0.01):
            status = Path("/proc/self/status").read_text()
            self.peak = max(self.peak, int(status.split("RssAnon:")[1].split()[0]) / 1024)


def step(name: str, folder: Path, vocabulary: int, bound: int) -> dict[str, float]:
    """Run one step in this process; return its seconds, its peak in megabytes and its counts."""
    ids = np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)
    if name.startswith(("shard", "merge")):
        limit = bound * MEGABYTE + INTERPRETER
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with Watch() as watch:
        if name.startswith("shard"):
            number = int(name.removeprefix("shard"))
            count_shard(folder / name, [ids], ORDER, vocabulary, number, SHARDS, bound)
        elif name == "merge":
            parts = [folder / f"shard{number}" for number in range(1, SHARDS + 1)]
            merge_shards(folder / "merged", parts, ORDER, vocabulary, bound)
        elif name == "estimate":
            estimated = estimate_from_counts("mkn", read_counts(folder / "merged", ORDER, vocabulary), vocabulary)
        else:
            estimated = estimate_from_counts("mkn", count_ngrams([ids], ORDER, vocabulary), vocabulary)
    figures = {"seconds": watch.seconds, "megabytes": watch.peak}
    return figures | ({"ngrams": estimated.model.parameters} if name in ("whole", "estimate") else {})


def run(name: str, folder: Path, vocabulary: int, bound: int) -> dict[str, float]:
    """Run one step in its own process."""
    arguments = ["--step", name, "--folder", str(folder), "--vocabulary", str(vocabulary), "--bound", str(bound)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    return json.loads(done.stdout)


def measure(source: str, symbols: int, bound: int) -> dict[str, float | str]:
    """A line of the table."""
    size = SOURCES[source]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "ids.npy", markov(symbols, size) if source.startswith("markov") else zipf(symbols, size))
        whole = run("whole", folder, size + 1, bound)
        counting = [run(f"shard{number}", folder, size + 1, bound) for number in range(1, SHARDS + 1)]
        merging = run("merge", folder, size + 1, bound)
        estimating = run("estimate", folder, size + 1, bound)
    if whole["ngrams"] != estimating["ngrams"]:
        raise InputError("the shards do not add up to the whole; report this with the sizes used")
    return {
        "source": source,
        "symbols": symbols,
        "ngrams": whole["ngrams"],
        "whole_seconds": whole["seconds"],
        "whole_mb": whole["megabytes"],
        "shards_seconds": sum(shard["seconds"] for shard in counting) + merging["seconds"],
        "shards_mb": max(part["megabytes"] for part in (*counting, merging)),
        "estimate_seconds": estimating["seconds"],
        "estimate_mb": estimating["megabytes"],
    }


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", nargs="+", type=float, default=[1, 3, 10, 30], help="millions of symbols")
    parser.add_argument("--bound", type=int, default=500, help="memory limit of counting in shards, in megabytes")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--vocabulary", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(step(arguments.step, arguments.folder, arguments.vocabulary, arguments.bound)))
        return
    heads = "source, million symbols, million n-grams, whole, peak MB, in shards, peak MB, estimate from them, peak MB"
    print(f"| {' | '.join(heads.split(', '))} |\n|{'---|' * 9}")
    lines = []
    for source in SOURCES:
        for millions in arguments.millions:
            line = measure(source, int(millions * 1e6), arguments.bound)
            cells = [source, f"{millions:g}", f"{line['ngrams'] / 1e6:.1f}"]
            for name in ("whole", "shards", "estimate"):
                cells += [f"{line[f'{name}_seconds']:.1f} s", f"{line[f'{name}_mb']:,.0f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
            lines.append({name: float(f"{x:.4g}") if isinstance(x, float) else x for name, x in line.items()})
    print(json.dumps({"rows": lines}))


if __name__ == "__main__":
    main()
