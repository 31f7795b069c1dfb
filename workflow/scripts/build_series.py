"""Generate or read one series, check it, split it along time and scale it."""

import argparse
from pathlib import Path

from seqlab.io.arguments import json_argument
from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.series.series import build_series
from seqlab.series.splits import prepare_series, write_prepared


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the series")
    parser.add_argument("--definition", required=True, type=json_argument("kind"), help="block of series.yaml, JSON")
    parser.add_argument("--file", nargs="*", default=[], help="file to read, for kind csv")
    parser.add_argument("--shares", required=True, type=json_argument("train", "valid", "test"), help="splits, as JSON")
    parser.add_argument("--needs", required=True, type=json_argument("order", "horizon", "steps"), help="as JSON")
    parser.add_argument("--folder", required=True, type=Path, help="folder for series.csv, series.json and source.json")
    arguments = parser.parse_args()
    definition = arguments.definition | ({"path": arguments.file[0]} if arguments.file else {})
    series = build_series(arguments.name, definition)
    prepared = prepare_series(arguments.name, series, definition, arguments.shares, arguments.needs)
    write_prepared(prepared, arguments.folder / "series.csv", arguments.folder / "series.json")
    source = definition.get("source") or definition.get("path") or f"built in: {definition['builtin']}"
    write_json(arguments.folder / "source.json", {"title": definition.get("title", ""), "source": source})


if __name__ == "__main__":
    main()
