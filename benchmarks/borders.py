"""The effect of training across the borders of segments, which scoring never crosses.

    python benchmarks/borders.py --text time_machine.txt [--streams 50] [--epochs 8] [--seeds 1 2 3 4 5]

The text is cleaned to letters and divided by `char_rnn_streams`, so train consists of many segments. The same networks
(LSTM, one layer) are trained twice: on the segments joined, as the workflow does, and with no target behind a border
and a new state after it. `difference` is the test cost of the second less that of the first, in bits per character, the
mean over seeds with its standard error. The last line is JSON.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ngram import machine

from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.io.errors import command
from seqlab.machine.devices import use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.rnn.task import LanguageTask
from seqlab.text.cleaning import clean_text
from seqlab.text.splits import divide_text
from seqlab.text.vocab import Vocab

CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"
SHARES = {"kind": "char_rnn_streams", "train": 0.9, "valid": 0.05, "test": 0.05, "block": 100}


@dataclass(frozen=True)
class DividedTask(LanguageTask):
    """A language task in which no target lies behind a border, and the state begins anew after one.

    `begins`, (T,) of bool, marks the first symbol of every segment but the first.
    """

    begins: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def costs(self, parameters: Any, places: torch.Tensor, state: Any, *options: Any) -> Any:
        costs, after = super().costs(parameters, places, state, *options)
        crosses = self.begins[places + 1]
        goes_on = (~crosses.any(-1))[..., None]
        return costs * ~crosses.permute(2, 0, 1), [tuple(part * goes_on for part in layer) for layer in after]


def measure_costs(task: LanguageTask, test: list[np.ndarray], epochs: int, seeds: list[int]) -> np.ndarray:
    """Bits per character on test of the networks trained on `task`, (seeds,)."""
    settings = TrainingSettings.from_configuration(CONFIGURATION, epochs=epochs, early_stopping=0)
    fleet = Fleet.start(task.network, settings, seeds, torch.device("cpu"))
    train_fleet(fleet, task, lambda line: print(line, flush=True))
    return stream_bits(task.network, fleet.best, test).mean(1)


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    arguments = parser.parse_args()
    use_threads(1)
    text = clean_text(arguments.text.read_text(encoding="utf-8"))
    ranges = divide_text(len(text), SHARES | {"streams": arguments.streams})
    vocab = Vocab("".join(text[start:stop] for start, stop in ranges["train"]))
    segments = {
        split: [vocab.encode(list(text[start:stop])) for start, stop in parts] for split, parts in ranges.items()
    }
    network = Architecture("lstm", 1, arguments.hidden, len(vocab))
    joined = LanguageTask.of(network, np.concatenate(segments["train"]), segments["valid"])
    begins = torch.zeros(len(joined.data), dtype=torch.bool)
    begins[np.cumsum([len(segment) for segment in segments["train"]])[:-1]] = True
    divided = DividedTask(network, joined.data, joined.valid, begins=begins)
    options = segments["test"], arguments.epochs, arguments.seeds
    costs = {"joined": measure_costs(joined, *options), "divided": measure_costs(divided, *options)}
    difference = costs["divided"] - costs["joined"]
    figures: dict[str, Any] = {name: round(float(values.mean()), 6) for name, values in costs.items()}
    error = float(difference.std(ddof=1)) / len(difference) ** 0.5
    figures |= {"difference": round(float(difference.mean()), 6), "standard_error": round(error, 6)}
    figures |= {"symbols": len(begins), "borders": int(begins.sum()), "seeds": len(difference)}
    print(machine())
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
