"""Runs of one shape trained as one fleet, compared with a fleet for each run, one after the other.

    SEQLAB_MIRROR=folder python benchmarks/joined.py [--device cuda]     the folder holds time_machine.txt
    python benchmarks/joined.py --text FILE --hidden 8 --epochs 1

The runs differ in learning rate and dropout, as with `rnn.fleet: shapes`; each has `--seeds`. Both sides are one
process with one thread, or on one GPU. `ratio` is the time of the fleets one after the other by that of the joint one,
`difference` the largest relative difference of their validation losses. The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from itertools import product
from pathlib import Path

import torch
from ngram import machine
from sweep import prepared

from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import command
from seqlab.machine.calibration import open_calibration
from seqlab.machine.devices import choose_device, use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask
from seqlab.text.vocab import Vocab

CONFIGURATION = Path(__file__).parents[1] / "config/config.yaml"
RATES, DROPOUT = [0.003, 0.006, 0.012], [0.0, 0.2, 0.4]


def train(fleet: Fleet, task: LanguageTask) -> tuple[float, list[float]]:
    """Return the seconds of a training, and the validation loss of every replica after it."""
    fleet.ways = choose_ways(fleet, len(task.data), open_calibration())
    started = time.perf_counter()
    train_fleet(fleet, task, lambda line: None)
    seconds = time.perf_counter() - started
    return seconds, [fleet.losses(replica)[-1] for replica in range(len(fleet.seeds))]


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="text instead of The Time Machine")
    parser.add_argument("--cells", nargs="+", default=["gru", "lstm"])
    parser.add_argument("--hidden", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    use_threads(1)
    device = choose_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        text = prepared(arguments.text, Path(folder)).read_text(encoding="utf-8")
    cut = int(0.95 * len(text))
    vocab = Vocab(text[:cut])
    train_ids, valid = (vocab.encode(list(part)) for part in (text[:cut], text[cut:]))
    where = torch.cuda.get_device_name() if device.type == "cuda" else "one thread"
    print(f"torch {torch.__version__}, {where}; {machine()}")
    rows = []
    for cell, hidden in product(arguments.cells, arguments.hidden):
        network = Architecture(cell, 1, hidden, len(vocab))
        task = LanguageTask.of(network, train_ids, [valid], device)
        common = {"epochs": arguments.epochs, "batch_size": 32, "early_stopping": 0}
        runs = [
            TrainingSettings.from_configuration(CONFIGURATION, **common, learning_rate=rate, dropout=share)
            for rate, share in product(RATES, DROPOUT)
        ]
        alone = [train(Fleet.start(network, run, arguments.seeds, device), task) for run in runs]
        settings = [run for run in runs for _ in arguments.seeds]
        joint, losses = train(Fleet.join(network, settings, arguments.seeds * len(runs), device), task)
        expected = [loss for _, of_run in alone for loss in of_run]
        difference = max(abs(loss / right - 1) for loss, right in zip(losses, expected, strict=True))
        apart = sum(seconds for seconds, _ in alone)
        rows.append({"cell": cell, "hidden": hidden, "networks": len(losses), "ratio": round(apart / joint, 2)})
        rows[-1] |= {
            "seconds": round(joint, 2),
            "seconds_apart": round(apart, 2),
            "difference": float(f"{difference:.1e}"),
        }
        print(rows[-1], flush=True)
    print(json.dumps({"rows": rows, "epochs": arguments.epochs}))


if __name__ == "__main__":
    main()
