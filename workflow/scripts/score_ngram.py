"""Score valid and test with an n-gram model, and draw a sample of text from it."""

import argparse

import numpy as np

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.files import json_argument, write_text
from seqlab.ledger.record import read_training, record
from seqlab.ngram.model import NgramModel, generate, symbol_probabilities
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser, sample = argparse.ArgumentParser(description=__doc__), json_argument("prompt", "symbols", "temperature")
    for name in ("card", "ids", "splits", "vocab", "training", "model"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument(
        "--sample-settings",
        required=True,
        type=sample,
        help="prompt, symbols, temperature, as JSON",
    )
    for name in ("scores", "metrics", "sample"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} to write")
    arguments = parser.parse_args()
    read_card(
        arguments.card, "ngram", ids=arguments.ids, splits=arguments.splits, vocab=arguments.vocab
    )  # refuses others
    splits, vocab = read_splits(arguments.splits), Vocab.load(arguments.vocab)
    ids, model = read_ids(arguments.ids, splits), NgramModel.load(arguments.model)
    bits = {}
    for split in ("valid", "test"):
        with np.errstate(divide="ignore"):  # a probability of zero costs infinitely many bits
            bits[split] = -np.log2(symbol_probabilities(model, segments_of(ids, splits, split)))[None]
    wanted = arguments.sample_settings
    prompt = segments_of(ids, splits, "valid")[0][: wanted["prompt"]].tolist()
    drawn = generate(model, prompt, wanted["symbols"], np.random.default_rng(1), wanted["temperature"])
    write_text(arguments.sample, vocab.text_of(prompt + drawn) + "\n")
    training = read_training(arguments.training)
    more = {name: training[name] for name in ("pruned_from",) if name in training}
    record(arguments.card, splits, bits, arguments.scores, arguments.metrics, training, **more)


if __name__ == "__main__":
    main()
