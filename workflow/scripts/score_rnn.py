"""Score valid and test with every replica of a recurrent network, and draw a sample of text from the first."""

import argparse
from pathlib import Path

import numpy as np

from seqlab.cards import read_card
from seqlab.devices import add_device_arguments, choose_device, use_threads
from seqlab.errors import command
from seqlab.files import json_argument, write_text
from seqlab.ledger.record import read_training, record
from seqlab.rnn.checkpoint import load_network
from seqlab.rnn.scoring import generate, stream_bits
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser, sample = argparse.ArgumentParser(description=__doc__), json_argument("prompt", "symbols", "temperature")
    for name in ("card", "ids", "splits", "vocab", "training"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder, with weights and network")
    parser.add_argument(
        "--sample-settings",
        required=True,
        type=sample,
        help="prompt, symbols, temperature, as JSON",
    )
    add_device_arguments(parser)
    for name in ("scores", "metrics", "sample"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} to write")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    read_card(
        arguments.card, "rnn", ids=arguments.ids, splits=arguments.splits, vocab=arguments.vocab
    )  # refuses others
    splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
    ids = read_ids(arguments.ids, splits)
    architecture, parameters, _ = load_network(arguments.folder)
    device = choose_device(arguments.device, arguments.jobs_per_gpu)
    # double precision, so that the figures do not depend on how the text is cut into chunks
    parameters = {name: value.to(device).double() for name, value in parameters.items()}
    bits = {
        split: stream_bits(architecture, parameters, segments_of(ids, splits, split)) for split in ("valid", "test")
    }
    wanted = arguments.sample_settings
    prompt = segments_of(ids, splits, "valid")[0][: wanted["prompt"]].tolist()
    drawn = generate(
        architecture, parameters, prompt, wanted["symbols"], np.random.default_rng(1), wanted["temperature"]
    )
    write_text(arguments.sample, vocab.text_of(prompt + drawn) + "\n")
    record(arguments.card, splits, bits, arguments.scores, arguments.metrics, read_training(arguments.training))


if __name__ == "__main__":
    main()
