"""Write the tables of config/README.md and docs/files.md from the schemas; --check compares only."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, command
from seqlab.io.schemas import TYPE_NAMES, read_schema

BEGIN, END = "<!-- begin: tools/config_readme.py -->\n", "<!-- end -->\n"
HEAD = "| key | allowed | meaning |\n|---|---|---|\n"
INTRODUCTION = """# Configuration
`config.yaml` is the default experiment and the only set of default values. Every other file here
contains only what differs from it; those in `published/` compare their results with a published
table ([docs/published.md](../docs/published.md)):

    snakemake --cores 2 --configfile config/time_machine.yaml
    snakemake --cores 2 --config corpus=path/to/my.txt cleaning=letters
    snakemake --cores 2 --config series=path/to/my.csv column=height period=12
    snakemake --cores 2 --config series=path/to/my.csv 'columns=[flow, level]' 'exogenous=[rain]'
    snakemake --cores 2 --config experiment=dropout 'rnn={training: {dropout: [0.0, 0.3, 0.5]}}'

A list replaces the default list; blocks are merged key by key. A key that is not in these tables is
an error. The name of an experiment is the name of its file, or the value of `experiment`, and its
results are in `results/NAME`.

A value of a network, such as `rnn.hidden` or `rnn.training.dropout`, can be a list: it is then an
axis, and the experiment contains every combination of all axes, or with `rnn.draw` a random sample
of them. `rnn.grids` replaces this grid by several. `[]` in a key marks the entries of a list.

`make docs` writes this page from `src/seqlab/schemas`.

## Experiment
"""
CORPORA = """
## Texts
`corpora.yaml` has a block for each text that an experiment can name. To add a text, copy a block
and give it a name of letters, digits, `_` and `-`.

"""
SERIES = """
## Series
`series.yaml` has a block for each series of numbers that an experiment can name, in the same way.

"""
FILES = {
    "card": "card.yaml",
    "splits": "splits.json",
    "metrics": "metrics.json of a text",
    "series_metrics": "metrics.json of a series",
    "ngram_model": "model.json of seqlab ngram",
    "provenance": "provenance.json",
}


def rows(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """A line of the table for every key, in the order of the schema; [] marks keys of the entries of a list."""
    blocks = []
    for key, value in schema.get("properties", {}).items():
        yield f"| `{prefix}{key}` | {allowed(value)} | {value['description']} |\n"
        if value.get("properties") in blocks or f"{prefix}{key}".startswith(("rnn.by_unit.", "rnn.grids")):
            continue  # the same keys as the key before it, or as rnn and rnn.training
        if "properties" in value:
            blocks.append(value["properties"])
        yield from rows(value, f"{prefix}{key}.")
        yield from rows(value.get("items", {}), f"{prefix}{key}[].")


def allowed(value: dict[str, Any]) -> str:
    """Return the allowed values of a key in words."""
    if value.get("axis"):
        return f"{allowed(value | {'axis': False})}; or a list, for an axis"
    if "allowed" in value:
        return str(value["allowed"])
    if "enum" in value:
        return ", ".join(value["enum"])
    if value["type"] == "array":
        return f"list of {allowed(value['items'])}"
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    words = " or ".join(TYPE_NAMES.get(kind, kind).removeprefix("a ").removesuffix(" of keys") for kind in types)
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return ", ".join([words, *(f"{bounds[key]} {value[key]}" for key in bounds if key in value)])


def table(name: str) -> str:
    """Return the table of the schema `name`."""
    return HEAD + "".join(rows(read_schema(name)))


def readme() -> str:
    """Return the content of config/README.md."""
    return INTRODUCTION + table("config") + CORPORA + table("corpora") + SERIES + table("series")


def file_formats(page: str) -> str:
    """The content of docs/files.md: `page` with new tables."""
    before, after = page.split(BEGIN)[0], page.split(END)[-1]
    tables = "".join(f"\n## {title}\n{table(name)}" for name, title in FILES.items())
    return f"{before}{BEGIN}{tables}\n{END}{after}"


@command
def main() -> None:
    readme_path, files_path = Path("config/README.md"), Path("docs/files.md")
    pages = {readme_path: readme(), files_path: file_formats(files_path.read_text(encoding="utf-8"))}
    for path, page in pages.items():
        if "--check" not in sys.argv:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            raise InputError(f"{path} differs from the schemas; run make docs")


if __name__ == "__main__":
    main()
