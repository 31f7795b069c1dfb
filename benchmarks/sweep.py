"""The networks of an experiment, trained by seqlab and by a loop over a plain script, on the same machine.

    SEQLAB_MIRROR=folder python benchmarks/sweep.py [--epochs 3]     the folder holds time_machine.txt
    python benchmarks/sweep.py --text FILE --hidden 8 --layers 1 --epochs 1

The grid is that of config/time_machine.yaml by character: every cell, number of layers, hidden size and seed. seqlab
runs as under Snakemake: a job for each configuration trains all its seeds with one thread, `--cores` jobs side by side,
the largest first. The peer is benchmarks/plain_torch.py, one process after the other for each configuration and seed,
with the threads torch chooses. Both pay for starting their processes. `ratio` is the peer's wall time by seqlab's;
`--epochs` shortens both. The last line is JSON.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from ngram import machine

from seqlab.errors import InputError, command

ROOT = Path(__file__).parents[1]
JOB = Path(__file__).with_name("sweep_job.py")
PEER = Path(__file__).with_name("plain_torch.py")


def grid(arguments: argparse.Namespace) -> tuple[list[tuple[str, int, int]], list[int], dict[str, Any]]:
    """Cells, layers and hidden sizes; seeds; settings, all of the experiment where they are not given."""
    rnn = yaml.safe_load((ROOT / "config/config.yaml").read_text())["rnn"]
    own = yaml.safe_load((ROOT / "config/time_machine.yaml").read_text())["rnn"]
    settings = rnn["training"] | own["training"] | {"precision": arguments.precision, "early_stopping": 0}
    settings |= {"epochs": arguments.epochs} if arguments.epochs else {}
    layers, hidden = arguments.layers or own["layers"], arguments.hidden or own["hidden"]
    found = sorted(product(own["cells"], layers, hidden), key=lambda shape: -work(*shape))
    return found, arguments.seeds or own["seeds"], settings


def work(cell: str, layers: int, hidden: int) -> int:
    """How long a job takes, for the order of jobs."""
    return {"rnn": 1, "gru": 3, "lstm": 4}[cell] * layers * hidden**2


def run(program: Path, text: Path, shape: tuple[str, int, int], settings: dict[str, Any], *more: str) -> float:
    """Run one process; returns its seconds."""
    cell, layers, hidden = shape
    words = ["--text", str(text), "--cell", cell, "--layers", str(layers), "--hidden", str(hidden)]
    started = time.perf_counter()
    line = [sys.executable, str(program), *words, "--settings", json.dumps(settings), *more]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"{program.name} failed for {cell} {layers}x{hidden}:\n{done.stderr}")
    seconds = time.perf_counter() - started
    print(f"{program.stem} {cell}-{layers}x{hidden} {' '.join(more)}  {seconds:.1f} s", flush=True)
    return seconds


def prepared(path: str | None, folder: Path) -> Path:
    """The text both train on: letters in lower case and blanks, as the module cleans it."""
    file = Path(path or Path(os.environ.get("SEQLAB_MIRROR", ".")) / "time_machine.txt")
    if not file.is_file():
        raise InputError(f"{file} is missing; set SEQLAB_MIRROR to the folder that holds it, or give --text FILE")
    text = folder / "text.txt"
    text.write_text(re.sub("[^a-z]+", " ", file.read_text(encoding="utf-8").lower()).strip(), encoding="utf-8")
    return text


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="instead of The Time Machine")
    parser.add_argument("--epochs", type=int, help="instead of those of the experiment")
    parser.add_argument("--layers", type=int, nargs="+")
    parser.add_argument("--hidden", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--precision", default="float32", help="of seqlab's products")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    shapes, seeds, settings = grid(arguments)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.cores) as jobs:
        text = prepared(arguments.text, Path(folder))
        started = time.perf_counter()
        list(jobs.map(lambda shape: run(JOB, text, shape, settings, "--seeds", *map(str, seeds)), shapes))
        ours = time.perf_counter() - started
        started = time.perf_counter()
        for shape, seed in product(shapes, seeds):
            run(PEER, text, shape, settings, "--seed", str(seed))
        theirs = time.perf_counter() - started
    print(f"{len(shapes) * len(seeds)} networks, {settings['epochs']} epochs, {arguments.cores} cores; {machine()}")
    print(f"seqlab {ours:.0f} s, plain torch {theirs:.0f} s, ratio {theirs / ours:.2f}")
    figures = {"ratio": round(theirs / ours, 2), "seqlab_seconds": round(ours, 1), "plain_seconds": round(theirs, 1)}
    print(json.dumps(figures | {"epochs": settings["epochs"], "precision": arguments.precision}))


if __name__ == "__main__":
    main()
