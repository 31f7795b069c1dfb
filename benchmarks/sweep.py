"""Networks of an experiment, trained by seqlab and by a loop over a plain script on the same machine.

    SEQLAB_MIRROR=folder python benchmarks/sweep.py [--epochs 3]     the folder holds time_machine.txt
    python benchmarks/sweep.py --text FILE --hidden 8 --layers 1 --epochs 1

The grid is that of config/time_machine.yaml by character: every cell, number of layers, hidden size and seed. seqlab
runs as under Snakemake: a job for each configuration trains all its seeds with one thread, `--cores` jobs side by side,
the largest first. The peer is benchmarks/plain_torch.py, one process after the other for each configuration and seed,
with the threads torch chooses. Both pay for starting their processes. With `--device cuda` each side is one process on
the GPU, seqlab training configuration after configuration and the peer network after network, and the time of starting
the two is left out. `ratio` is the peer's time by seqlab's; `--epochs` shortens both. The last line is JSON.
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

from seqlab.io.errors import InputError, command

ROOT = Path(__file__).parents[1]
JOB = Path(__file__).with_name("sweep_job.py")
PEER = Path(__file__).with_name("plain_torch.py")


def grid(arguments: argparse.Namespace) -> tuple[list[tuple[str, int, int]], list[int], dict[str, Any]]:
    """Return shapes, seeds and settings; the defaults are those of the experiment."""
    rnn = yaml.safe_load((ROOT / "config/config.yaml").read_text())["rnn"]
    overrides = yaml.safe_load((ROOT / "config/time_machine.yaml").read_text())["rnn"]
    settings = rnn["training"] | overrides["training"] | {"precision": arguments.precision, "early_stopping": 0}
    settings |= {"epochs": arguments.epochs} if arguments.epochs else {}
    layers, hidden = arguments.layers or overrides["layers"], arguments.hidden or overrides["hidden"]
    shapes = sorted(product(overrides["cells"], layers, hidden), key=lambda shape: -work(*shape))
    return shapes, arguments.seeds or overrides["seeds"], settings


def work(cell: str, layers: int, hidden: int) -> int:
    """Estimate the duration of a job, for the order of jobs."""
    return {"rnn": 1, "gru": 3, "lstm": 4}[cell] * layers * hidden**2


def run(
    program: Path, text: Path, shapes: list[tuple[str, int, int]], settings: dict[str, Any], *more: str
) -> dict[str, Any]:
    """Run one process; return its reported seconds of training, in total and for each network."""
    line = [sys.executable, str(program), "--text", str(text), "--shapes", json.dumps(shapes)]
    started = time.perf_counter()
    done = subprocess.run(
        [*line, "--settings", json.dumps(settings), *more], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InputError(f"{program.name} failed for {shapes}:\n{done.stderr}")
    seconds = time.perf_counter() - started
    *lines, last = done.stdout.splitlines()
    for network in lines:
        if network.endswith(" s"):
            print(f"{program.stem} {network}", flush=True)
    print(f"{program.stem} {' '.join(more)}  {seconds:.1f} s", flush=True)
    return json.loads(last)


def prepared(path: str | None, folder: Path) -> Path:
    """Return the training text in lower-case letters and blanks, cleaned as in the course module."""
    file = Path(path or Path(os.environ.get("SEQLAB_MIRROR", ".")) / "time_machine.txt")
    if not file.is_file():
        raise InputError(f"{file} is missing; set SEQLAB_MIRROR to the folder that holds it, or give --text FILE")
    text = folder / "text.txt"
    text.write_text(re.sub("[^a-z]+", " ", file.read_text(encoding="utf-8").lower()).strip(), encoding="utf-8")
    return text


def on_processor(
    jobs: ThreadPoolExecutor, text: Path, shapes: list[tuple[str, int, int]], settings: dict[str, Any], seeds: list[int]
) -> tuple[float, float]:
    """Return the wall times of seqlab's jobs in parallel, and of the peer's processes one after the other."""
    started = time.perf_counter()
    list(jobs.map(lambda shape: run(JOB, text, [shape], settings, "--seeds", *map(str, seeds)), shapes))
    ours = time.perf_counter() - started
    started = time.perf_counter()
    for shape, seed in product(shapes, seeds):
        run(PEER, text, [shape], settings, "--seeds", str(seed))
    return ours, time.perf_counter() - started


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="text instead of The Time Machine")
    parser.add_argument("--epochs", type=int, help="epochs instead of those of the experiment")
    parser.add_argument("--layers", type=int, nargs="+")
    parser.add_argument("--hidden", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--precision", default="float32", help="precision of seqlab's products")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    shapes, seeds, settings = grid(arguments)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.cores) as jobs:
        text = prepared(arguments.text, Path(folder))
        if arguments.device == "cpu":
            ours, theirs = on_processor(jobs, text, shapes, settings, seeds)
            networks = {}
        else:
            more = ["--device", arguments.device, "--seeds", *map(str, seeds)]
            ran, peer = (run(program, text, shapes, settings, *more) for program in (JOB, PEER))
            ours, theirs = ran["seconds"], peer["seconds"]
            networks = {"each": {name: [seconds, peer["each"][name]] for name, seconds in ran["each"].items()}}
    where = f"{arguments.cores} cores" if arguments.device == "cpu" else "one GPU"
    print(f"{len(shapes) * len(seeds)} networks, {settings['epochs']} epochs, {where}; {machine()}")
    print(f"seqlab {ours:.1f} s, plain torch {theirs:.1f} s, ratio {theirs / ours:.2f}")
    figures = {"ratio": round(theirs / ours, 2), "seqlab_seconds": round(ours, 1), "plain_seconds": round(theirs, 1)}
    print(json.dumps(figures | networks | {"epochs": settings["epochs"], "precision": arguments.precision}))


if __name__ == "__main__":
    main()
