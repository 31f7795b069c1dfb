"""The table of Karpathy, Johnson & Li (2015) by byte, network after network, within a time limit.

    SEQLAB_MIRROR=folder python benchmarks/published_cells.py --device cuda --seconds 150 --folder results/gpu_cells
    python benchmarks/published_cells.py --text FILE --hidden 8 --layers 1 --epochs 1 --seconds 60 --folder FOLDER

The mirror holds war_and_peace.txt; text, cleaning and split are those of config/war_and_peace_rnn.yaml. Every cell,
number of layers and hidden size is trained for all seeds together, from the largest network to the smallest. When
`--seconds` are over, a checkpoint is written, from which the next call continues; finished networks are listed in
`{folder}/{cell}.json` and not trained again. The last line is JSON: a row for each finished cell, with the loss of
every seed on valid and test in nats per byte, and the number of remaining ones.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError, command
from seqlab.io.files import read_json, write_json
from seqlab.machine.devices import choose_device, use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask
from seqlab.text.cleaning import apply_cleaning
from seqlab.text.splits import divide_text

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config/war_and_peace_rnn.yaml"


def read_text(path: str | None) -> bytes:
    """Return the bytes of the text, cleaned as in the experiment."""
    file = Path(path or Path(os.environ.get("SEQLAB_MIRROR", ".")) / "war_and_peace.txt")
    if not file.is_file():
        raise InputError(f"{file} is missing; set SEQLAB_MIRROR to the folder that holds it, or give --text FILE")
    return apply_cleaning(file.read_text(encoding="utf-8"), "dos", str(file)).encode()


def train_cell(
    shape: tuple[str, int, int],
    settings: TrainingSettings,
    seeds: list[int],
    segments: dict[str, list[np.ndarray]],
    folder: Path,
    stop: Callable[[], bool],
    device: torch.device,
) -> dict[str, Any]:
    """Return the row of a cell; KeyboardInterrupt, after writing a checkpoint, when `stop` is true."""
    symbols = 1 + max(int(segment.max()) for part in segments.values() for segment in part)
    architecture = Architecture(*shape, symbols)
    fleet = Fleet.start(architecture, settings, seeds, device)
    name = "{}-{}x{}".format(*shape)
    checkpoint = folder / f"{name}.safetensors"
    training = np.concatenate(segments["train"])
    saved = checkpoint, f"{name} {settings} {seeds} {len(training)}"
    task = LanguageTask.of(architecture, training, segments["valid"], device)
    train_fleet(fleet, task, lambda line: print(name, line, flush=True), saved, stop)
    losses = {
        split: (stream_bits(architecture, fleet.best, segments[split]).mean(1) * math.log(2)).tolist()
        for split in ("valid", "test")
    }
    seconds = sum({row["epoch"]: row["seconds"] for row in fleet.history}.values())
    checkpoint.unlink()
    return {"network": name, "seconds": round(seconds, 1)} | losses


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="text instead of War and Peace")
    parser.add_argument("--folder", type=Path, required=True, help="folder of results and checkpoints")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--layers", type=int, nargs="+", default=[3, 2, 1])
    parser.add_argument("--hidden", type=int, nargs="+", default=[512, 256, 128, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, help="epochs instead of those of the experiment")
    parser.add_argument("--precision", default="tf32")
    arguments = parser.parse_args()
    ends = time.perf_counter() + arguments.seconds
    use_threads(1)
    device = choose_device(arguments.device)
    default, config = (yaml.safe_load(path.read_text()) for path in (ROOT / "config/config.yaml", CONFIG))
    values = default["rnn"]["training"] | config["rnn"]["training"] | {"precision": arguments.precision}
    values |= {"epochs": arguments.epochs} if arguments.epochs else {}
    text = read_text(arguments.text)
    ids = np.unique(np.frombuffer(text, dtype=np.uint8), return_inverse=True)[1]
    ranges = divide_text(len(ids), config["split"])
    segments = {split: [ids[start:end] for start, end in parts] for split, parts in ranges.items()}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows, left = [], 0
    for hidden, layers, cell in product(arguments.hidden, arguments.layers, ("lstm", "gru", "rnn")):
        done = arguments.folder / f"{cell}-{layers}x{hidden}.json"
        if not done.exists() and time.perf_counter() < ends:
            settings = TrainingSettings.from_card(values)
            try:
                row = train_cell(
                    (cell, layers, hidden),
                    settings,
                    arguments.seeds,
                    segments,
                    arguments.folder,
                    lambda: time.perf_counter() > ends,
                    device,
                )
                write_json(done, row)
            except KeyboardInterrupt:
                print(f"{cell}-{layers}x{hidden} continues in the next call", flush=True)
        rows += [read_json(done)] if done.exists() else []
        left += not done.exists()
    print(json.dumps({"rows": rows, "left": left}))


if __name__ == "__main__":
    main()
