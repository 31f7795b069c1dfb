"""Write the card of a run: its settings, seeds and the checksums of its data."""

import argparse

from seqlab.cards import training_symbols_needed, write_card
from seqlab.errors import InputError, command
from seqlab.files import json_argument
from seqlab.provenance import sha256_of
from seqlab.text.splits import read_splits


@command
def main() -> None:
    parser, run = argparse.ArgumentParser(description=__doc__), json_argument("settings", "seeds")
    for name in ("corpus", "unit", "family", "model"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--run", required=True, type=run, help="settings and seeds, as JSON")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"the {name} whose checksum the card takes")
    parser.add_argument("--output", required=True, help="card.yaml to write")
    arguments = parser.parse_args()
    card = {name: getattr(arguments, name) for name in ("corpus", "unit", "family", "model")}
    data = {name: sha256_of(getattr(arguments, name)) for name in ("ids", "splits", "vocab")}
    key, needed = training_symbols_needed(arguments.run["settings"])
    symbols = read_splits(arguments.splits)["splits"]["train"]["symbols"]
    if symbols < needed:
        raise InputError(
            f"the training split of corpus {arguments.corpus} has {symbols} symbols, but {arguments.model} with {key} "
            f"{arguments.run['settings'][key]} needs {needed}; use a longer text or a smaller {key}"
        )
    write_card(arguments.output, card | arguments.run | {"data": data})


if __name__ == "__main__":
    main()
