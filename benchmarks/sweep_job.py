"""The job of sweep.py: train configurations with all their seeds, as the rule train_rnn does.

    python benchmarks/sweep_job.py --text FILE --shapes '[["lstm", 2, 256]]' --seeds 1 2 3 --settings JSON

The last line is JSON: the seconds of the trainings, together and each, without those of starting the program.
"""

import argparse
import json
import time
from pathlib import Path

from seqlab.fleet.calibration import choose_ways
from seqlab.fleet.fleet import Fleet
from seqlab.fleet.settings import TrainingSettings
from seqlab.fleet.training import train_fleet
from seqlab.machine.calibration import open_calibration
from seqlab.machine.devices import choose_device, use_threads
from seqlab.rnn.network import Architecture
from seqlab.rnn.task import LanguageTask
from seqlab.text.vocab import Vocab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--shapes", type=json.loads, required=True, help="cell, layers and hidden units of each")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    use_threads(1)
    device = choose_device(arguments.device)
    text = Path(arguments.text).read_text(encoding="utf-8")
    first, second = int(0.9 * len(text)), int(0.95 * len(text))
    vocab = Vocab(text[:first])
    settings = TrainingSettings.from_card(arguments.settings)
    train, valid = vocab.encode(text[:first]), [vocab.encode(text[first:second])]
    started, times = time.perf_counter(), {}
    for cell, layers, hidden in arguments.shapes:
        began = time.perf_counter()
        fleet = Fleet.start(Architecture(cell, layers, hidden, len(vocab)), settings, arguments.seeds, device)
        task = LanguageTask.of(fleet.network, train, valid, device)
        fleet.ways = choose_ways(fleet, len(train), open_calibration())
        train_fleet(fleet, task)
        times[f"{cell}-{layers}x{hidden}"] = seconds = round(time.perf_counter() - began, 2)
        print(f"{cell} {layers}x{hidden}  {seconds:.2f} s", flush=True)
    print(json.dumps({"seconds": time.perf_counter() - started, "each": times}))


if __name__ == "__main__":
    main()
