"""Estimate the time of training on a text and print it, before the first network is trained."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.io.arguments import count_argument, json_argument
from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.machine.devices import add_device_arguments, choose_device, use_threads
from seqlab.rnn.cost import describe_times, estimate_seconds
from seqlab.text.splits import read_segments
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    networks = json_argument("number", "runs")
    parser.add_argument("--networks", required=True, type=networks, help="the networks, as JSON")
    for name in ("corpus", "unit"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the networks")
    parser.add_argument("--cores", type=count_argument, required=True, help="cores of all jobs together")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--output", required=True, type=Path, help="training_time.json to write")
    add_device_arguments(parser)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    segments, vocabulary = read_segments(arguments.ids, arguments.splits), len(Vocab.load(arguments.vocab))
    device = choose_device(arguments.device, arguments.jobs_per_gpu)
    networks = arguments.networks
    runs = list(networks["runs"].values())
    seconds = estimate_seconds(runs, np.concatenate(segments["train"]), segments["valid"], vocabulary, device)
    times = dict(zip(networks["runs"], seconds, strict=True))
    jobs = 1 if device.type != "cpu" else max(arguments.cores // arguments.threads, 1)
    sentence = describe_times(times, networks["number"], jobs)
    print(f"{arguments.corpus} by {arguments.unit}: {sentence}", flush=True)
    write_json(arguments.output, {"seconds": {model: round(value, 1) for model, value in times.items()}})


if __name__ == "__main__":
    main()
