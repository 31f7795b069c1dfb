"""Time to quality of networks: tiny Shakespeare by character, first 90 % for training, last 10 % for validation.

    SEQLAB_MIRROR=folder python benchmarks/time_to_quality.py     the folder holds tiny_shakespeare.txt
    python benchmarks/time_to_quality.py --text FILE --share 0.01   another text, with a share of the training

The split is nanoGPT's, whose preset for processors reaches 1.88 nats a character. Two recipes are trained with one
process and `--threads` threads: one made to reach 1.88 soon, and one made for three minutes. The clock runs while they
train, from the first batch to the last; then all the validation text is scored as one stream, by the weights the
training ended with. A figure is null where the recipe missed its aim: `seconds_to_1_88` where the loss is above 1.88,
`loss_at_180_s` where the training took longer than 180 s. The peer is benchmarks/plain_gpt.py, a transformer with the
settings of that preset and as many threads; `ratio` is its time by that of the first recipe.

On a GPU another recipe is trained instead, made to reach 1.4697 nats, which nanoGPT's preset for GPUs does: all
`--seeds` in one fleet, and then the first of them alone. `seconds_to_1_4697` is that of the one alone, and null where
it missed the aim, `seconds_of_the_fleet` where one of the seeds did. The last line is JSON.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ngram import machine

from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import InputError, command
from seqlab.machine.calibration import open_calibration
from seqlab.machine.devices import choose_device, use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask
from seqlab.text.vocab import Vocab

SOON: dict[str, Any] = {
    "cell": "gru",
    "layers": 1,
    "hidden": 80,
    "symbols": None,  # all
    "settings": {"epochs": 1, "steps": 32, "batch_size": 64, "learning_rate": 0.03},
}
LONG: dict[str, Any] = {
    "cell": "gru",
    "layers": 1,
    "hidden": 512,
    "symbols": None,
    "settings": {"epochs": 4, "steps": 64, "batch_size": 32, "learning_rate": 0.003, "dropout": 0.1},
}
GPU: dict[str, Any] = {
    "cell": "gru",
    "layers": 2,
    "hidden": 512,
    "symbols": None,
    "settings": {
        "epochs": 5,
        "steps": 64,
        "batch_size": 32,
        "learning_rate": 0.003,
        "dropout": 0.3,
        "precision": "tf32",
    },
}
AIM, MINUTES = 1.88, 3
PEER, PEER_STEPS = Path(__file__).with_name("plain_gpt.py"), 2000
CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"
PUBLISHED = 1.4697  # nats: nanoGPT's preset for GPUs


def train(
    recipe: dict[str, Any],
    train_ids: np.ndarray,
    valid: np.ndarray,
    vocabulary: int,
    device: torch.device,
    seeds: list[int],
) -> tuple[float, list[float]]:
    """Return the seconds of training and the final loss of every seed on `valid` in nats per symbol."""
    architecture = Architecture(recipe["cell"], recipe["layers"], recipe["hidden"], vocabulary)
    fleet = Fleet.start(
        architecture, TrainingSettings.from_configuration(CONFIGURATION, **recipe["settings"]), seeds, device
    )
    started = time.perf_counter()
    task = LanguageTask.of(architecture, train_ids[: recipe["symbols"]], [valid[:200]], device)
    fleet.ways = choose_ways(fleet, len(task.data), open_calibration())
    train_fleet(fleet, task, report=lambda line: print(line, flush=True))
    took = time.perf_counter() - started
    return took, (stream_bits(architecture, fleet.valued, [valid]).mean(1) * math.log(2)).tolist()


def shortened(recipe: dict[str, Any], share: float, symbols: int) -> dict[str, Any]:
    """Return the recipe with a share of its training, in one epoch."""
    if share == 1:
        return recipe
    settings = recipe["settings"]
    size = int(share * settings["epochs"] * (recipe["symbols"] or symbols))
    size = max(size, 2 * settings["steps"] * settings["batch_size"])  # two batches
    return recipe | {"symbols": size, "settings": recipe["settings"] | {"epochs": 1}}


def find_text(path: str | None) -> Path:
    """Return the file of a text, or that of tiny Shakespeare in the folder SEQLAB_MIRROR."""
    file = Path(path or Path(os.environ.get("SEQLAB_MIRROR", ".")) / "tiny_shakespeare.txt")
    if not file.is_file():
        raise InputError(f"{file} is missing; set SEQLAB_MIRROR to the folder that holds it, or give --text FILE")
    return file


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", help="text instead of tiny Shakespeare")
    parser.add_argument("--share", type=float, default=1.0, help="share of the training, for tests")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="seeds of the recipe for GPUs")
    parser.add_argument(
        "--precision", choices=["float32", "tf32", "bfloat16"], help="precision instead of that of the recipes"
    )
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    device = choose_device(arguments.device)
    text = find_text(arguments.text).read_text(encoding="utf-8")
    cut = int(0.9 * len(text))
    vocab = Vocab(text[:cut])
    train_ids, valid = (vocab.encode(list(part)) for part in (text[:cut], text[cut:]))
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{arguments.threads} threads"
    print(f"torch {torch.__version__}, {where}; {machine()}; {len(valid):,} symbols to validate")
    on_gpu = device.type == "cuda"
    recipes = (
        {"fleet": (GPU, arguments.seeds), "alone": (GPU, [1])} if on_gpu else {"soon": (SOON, [1]), "long": (LONG, [1])}
    )
    results = {}
    for name, (recipe, seeds) in recipes.items():
        chosen = shortened(recipe, arguments.share, cut)
        if arguments.precision:
            chosen = chosen | {"settings": chosen["settings"] | {"precision": arguments.precision}}
        results[name] = train(chosen, train_ids, valid, len(vocab), device, seeds)
        seconds, losses = results[name]
        losses_text = ", ".join(f"{loss:.4f}" for loss in losses)
        print(
            f"{recipe['cell']} {recipe['layers']}x{recipe['hidden']}: {seconds:.1f} s, {losses_text} nats", flush=True
        )
    content = figures(results, arguments.seeds)
    if not on_gpu:
        steps = max(int(arguments.share * PEER_STEPS), 1)
        peer = run_peer(find_text(arguments.text), arguments.threads, steps)
        print(f"transformer: {peer['seconds']:.1f} s, {peer['loss']:.4f} nats")
        content |= {"peer": peer, "ratio": round(peer["seconds"] / results["soon"][0], 1)}
    print(json.dumps(content))


def run_peer(text: Path, threads: int, steps: int) -> dict[str, float]:
    """Return the seconds of training and the loss of the peer."""
    line = [sys.executable, str(PEER), "--text", str(text), "--threads", str(threads), "--steps", str(steps)]
    return json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def figures(results: dict[str, tuple[float, list[float]]], seeds: list[int]) -> dict[str, Any]:
    """Return the content of the last printed line, described above."""
    if "alone" in results:
        (together, losses), (seconds, (loss,)) = results["fleet"], results["alone"]
        return {
            "seconds_to_1_4697": round(seconds, 2) if loss <= PUBLISHED else None,
            "seconds_of_the_fleet": round(together, 2) if max(losses) <= PUBLISHED else None,
            "seconds": [round(together, 2), round(seconds, 2)],
            "losses": losses,
            "loss_alone": loss,
            "seeds": seeds,
        }
    (soon, (reached,)), (long, (loss,)) = results["soon"], results["long"]
    return {
        "seconds_to_1_88": round(soon, 2) if reached <= AIM else None,
        "loss_at_180_s": round(loss, 4) if long <= 60 * MINUTES else None,
        "seconds": [round(soon, 2), round(long, 2)],
        "losses": [reached, loss],
    }


if __name__ == "__main__":
    main()
