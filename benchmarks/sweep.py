"""The networks of an experiment, trained by seqlab and by a loop over a plain script, on the same machine.

    SEQLAB_MIRROR=folder python benchmarks/sweep.py [--epochs 3]     the folder holds time_machine.txt
    python benchmarks/sweep.py --text FILE --hidden 8 --layers 1 --epochs 1

The grid is that of config/time_machine.yaml by character: every point of its axes and every seed. seqlab
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

from seqlab.axes import SHAPE, network_runs
from seqlab.errors import InputError, command

ROOT = Path(__file__).parents[1]
JOB = Path(__file__).with_name("sweep_job.py")
PEER = Path(__file__).with_name("plain_torch.py")


def grid(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], list[int]]:
    """The settings of every network, the largest first, and the seeds: those of the experiment unless given."""
    rnn = yaml.safe_load((ROOT / "config/config.yaml").read_text())["rnn"]
    own = yaml.safe_load((ROOT / "config/time_machine.yaml").read_text())["rnn"]
    settings = rnn["training"] | own["training"] | {"precision": arguments.precision, "early_stopping": 0}
    settings |= {"epochs": arguments.epochs} if arguments.epochs else {}
    shape = {"cell": own["cells"], "layers": arguments.layers or own["layers"]}
    shape["hidden"] = arguments.hidden or own["hidden"]
    runs = network_runs("rnn", shape | settings).values()
    return sorted(runs, key=lambda run: -work(run)), arguments.seeds or own["seeds"]


def work(settings: dict[str, Any]) -> int:
    """How long a job takes, for the order of jobs."""
    return {"rnn": 1, "gru": 3, "lstm": 4}[settings["cell"]] * settings["layers"] * settings["hidden"] ** 2


def run(program: Path, text: Path, settings: dict[str, Any], *more: str) -> float:
    """Run one process; returns its seconds."""
    cell, layers, hidden = (settings[key] for key in SHAPE)
    words = ["--text", str(text), "--cell", cell, "--layers", str(layers), "--hidden", str(hidden)]
    training = {key: value for key, value in settings.items() if key not in SHAPE}
    started = time.perf_counter()
    line = [sys.executable, str(program), *words, "--settings", json.dumps(training), *more]
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
    runs, seeds = grid(arguments)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.cores) as jobs:
        text = prepared(arguments.text, Path(folder))
        started = time.perf_counter()
        list(jobs.map(lambda settings: run(JOB, text, settings, "--seeds", *map(str, seeds)), runs))
        ours = time.perf_counter() - started
        started = time.perf_counter()
        for settings, seed in product(runs, seeds):
            run(PEER, text, settings, "--seed", str(seed))
        theirs = time.perf_counter() - started
    epochs = runs[0]["epochs"]
    print(f"{len(runs) * len(seeds)} networks, {epochs} epochs, {arguments.cores} cores; {machine()}")
    print(f"seqlab {ours:.0f} s, plain torch {theirs:.0f} s, ratio {theirs / ours:.2f}")
    figures = {"ratio": round(theirs / ours, 2), "seqlab_seconds": round(ours, 1), "plain_seconds": round(theirs, 1)}
    print(json.dumps(figures | {"epochs": epochs, "precision": arguments.precision}))


if __name__ == "__main__":
    main()
