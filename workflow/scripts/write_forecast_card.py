"""Write the card of a model of a series: its settings, seeds and the checksums of its data."""

import argparse

from seqlab.cards import write_card
from seqlab.errors import command
from seqlab.files import json_argument
from seqlab.provenance import sha256_of


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("series", "model"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--run", required=True, type=json_argument("settings", "seeds"), help="of the run, as JSON")
    for name in ("table", "description"):
        parser.add_argument(f"--{name}", required=True, help=f"the {name} whose checksum the card takes")
    parser.add_argument("--output", required=True, help="card.yaml to write")
    arguments = parser.parse_args()
    card = {"series": arguments.series, "family": "forecast", "model": arguments.model}
    data = {name: sha256_of(getattr(arguments, name)) for name in ("table", "description")}
    write_card(arguments.output, card | arguments.run | {"data": data})


if __name__ == "__main__":
    main()
