"""The table of Karpathy, Johnson & Li (2015) by byte, network after network, within a time limit.

    SEQLAB_MIRROR=folder python benchmarks/published_cells.py --device cuda --seconds 150 --folder results/gpu_cells
    python benchmarks/published_cells.py --text FILE --configuration FILE --seconds 60 --folder FOLDER

The mirror holds war_and_peace.txt; split, networks and settings are those of the files of configuration,
config/published/karpathy2015_large.yaml and karpathy2015.yaml. Every network is trained for all seeds together, from
the largest to the smallest. When `--seconds` are over, a checkpoint is written, from which the next call continues;
finished networks are listed in `{folder}/{network}.json` and not trained again. The last line is JSON: a row for each
finished network, with the loss of every seed on valid and test in nats per byte, and the number of remaining ones.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from seqlab.configuration import text_runs
from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError, command
from seqlab.io.files import read_json, write_json
from seqlab.machine.calibration import open_calibration
from seqlab.machine.devices import choose_device, use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.run import NETWORK_SETTINGS
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask
from seqlab.text.cleaning import apply_cleaning
from seqlab.text.splits import divide_text

ROOT = Path(__file__).parents[1]
CONFIGURATION = [ROOT / "config/published" / name for name in ("karpathy2015_large.yaml", "karpathy2015.yaml")]


def read_text(path: str | None) -> bytes:
    """Return the bytes of the text, cleaned as in the experiment."""
    file = Path(path or Path(os.environ.get("SEQLAB_MIRROR", ".")) / "war_and_peace.txt")
    if not file.is_file():
        raise InputError(f"{file} is missing; set SEQLAB_MIRROR to the folder that holds it, or give --text FILE")
    return apply_cleaning(file.read_text(encoding="utf-8"), "dos", str(file)).encode()


def read_networks(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the split and the settings of every network, by name, of a file of configuration."""
    default, config = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (ROOT / "config/config.yaml", path))
    training = default["rnn"]["training"] | config["rnn"]["training"]
    networks = default["rnn"] | config["rnn"] | {"training": training}
    runs = text_runs(default | {"ngram": [], "rnn": networks}, "byte", {})
    return config["split"], {model: run["settings"] for (family, model), run in runs.items() if family == "rnn"}


def train_network(
    name: str,
    architecture: Architecture,
    settings: TrainingSettings,
    seeds: list[int],
    segments: dict[str, list[np.ndarray]],
    folder: Path,
    stop: Callable[[], bool],
    device: torch.device,
) -> dict[str, Any]:
    """Return the row of a network; KeyboardInterrupt, after writing a checkpoint, when `stop` is true."""
    fleet = Fleet.start(architecture, settings, seeds, device)
    checkpoint = folder / f"{name}.safetensors"
    training = np.concatenate(segments["train"])
    saved = checkpoint, f"{name} {settings} {seeds} {len(training)}"
    task = LanguageTask.of(architecture, training, segments["valid"], device)
    fleet.ways = choose_ways(fleet, len(training), open_calibration())
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
    parser.add_argument("--configuration", type=Path, nargs="+", default=CONFIGURATION, help="files with the networks")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, help="epochs instead of those of the configuration")
    parser.add_argument("--precision", default="tf32")
    arguments = parser.parse_args()
    ends = time.perf_counter() + arguments.seconds
    use_threads(1)
    device = choose_device(arguments.device)
    changes = {"precision": arguments.precision} | ({"epochs": arguments.epochs} if arguments.epochs else {})
    ids = np.unique(np.frombuffer(read_text(arguments.text), dtype=np.uint8), return_inverse=True)[1]
    networks = {}
    for split, settings in map(read_networks, arguments.configuration):
        ranges = divide_text(len(ids), split)
        segments = {name: [ids[start:end] for start, end in parts] for name, parts in ranges.items()}
        for name, values in settings.items():
            shape = {key: values.pop(key) for key in NETWORK_SETTINGS if key in values}
            architecture = Architecture(**shape, vocabulary=1 + int(ids.max()))
            networks[name] = architecture, TrainingSettings.from_card(values | changes), segments
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows, left = [], 0
    for name, (architecture, settings, segments) in sorted(
        networks.items(), key=lambda item: -count_parameters(item[1][0])
    ):
        done = arguments.folder / f"{name}.json"
        if not done.exists() and time.perf_counter() < ends:
            try:
                row = train_network(
                    name,
                    architecture,
                    settings,
                    arguments.seeds,
                    segments,
                    arguments.folder,
                    lambda: time.perf_counter() > ends,
                    device,
                )
                write_json(done, row)
            except KeyboardInterrupt:
                print(f"{name} continues in the next call", flush=True)
        rows += [read_json(done)] if done.exists() else []
        left += not done.exists()
    print(json.dumps({"rows": rows, "left": left}))


def count_parameters(architecture: Architecture) -> int:
    """The number of parameters of one replica."""
    return sum(math.prod(shape) for shape in architecture.shapes.values())


if __name__ == "__main__":
    main()
