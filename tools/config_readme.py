"""Write config/README.md from the schema, whose descriptions are the documentation; --check only compares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from seqlab.io.errors import InputError, command

SCHEMA, PAGE = Path("workflow/schemas/config.schema.yaml"), Path("config/README.md")
INTRODUCTION = """# Configuration
`config.yaml` is the default experiment. Every other file here holds only what differs from it:

    snakemake --cores 2 --configfile config/time_machine.yaml
    snakemake --cores 2 --config corpus=path/to/my.txt cleaning=letters
    snakemake --cores 2 --config series=path/to/my.csv column=height period=12
    snakemake --cores 2 --config experiment=dropout 'rnn={training: {dropout: [0.0, 0.3, 0.5]}}'

Lists replace the default's, blocks are merged key by key. A key that is not in this table is refused. An experiment is
called like its file, and its results lie in `results/NAME`; `experiment: NAME` gives it another name. Which texts
there are, and how to add one, stands in `corpora.yaml`, which series in `series.yaml`. This page is written from
`workflow/schemas/config.schema.yaml` by `make docs`.

| key | allowed | meaning |
|---|---|---|
"""


def rows(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """A line of the table for every key, in the schema's order; keys of a list's entries are written with []."""
    for key, value in schema.get("properties", {}).items():
        name = f"{prefix}{key}"
        if prefix.startswith("rnn.training_by_unit."):
            continue  # the same keys as rnn.training
        yield f"| `{name}` | {allowed(value)} | {value['description']} |\n"
        yield from rows(value, f"{name}.")
        yield from rows(value.get("items", {}), f"{name}[].")


def allowed(value: dict[str, Any]) -> str:
    """What a key may hold, in words."""
    if value.get("axis"):
        return f"{allowed(value | {'axis': False})}; or a list, for an axis"
    if "enum" in value:
        return ", ".join(value["enum"])
    if value["type"] == "array":
        return f"list of {allowed(value['items'])}"
    words = {
        "boolean": "true or false",
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "object": "block",
    }[value["type"]]
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return ", ".join([words, *(f"{bounds[key]} {value[key]}" for key in bounds if key in value)])


@command
def main() -> None:
    page = INTRODUCTION + "".join(rows(yaml.safe_load(SCHEMA.read_text())))
    if "--check" not in sys.argv:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        raise InputError(f"{PAGE} differs from {SCHEMA}; run make docs")


if __name__ == "__main__":
    main()
