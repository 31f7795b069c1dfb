"""The card of a run: everything that decides its result, in a file that the job which makes the run writes first."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from seqlab.io.arguments import json_argument
from seqlab.io.errors import InputError, one_line
from seqlab.io.files import check_file, damaged, read_digest, verified, write_text
from seqlab.io.schemas import check, read_schema

KEYS = ("corpus", "unit", "series", "family", "model", "settings", "seeds", "data")  # in the order of the file
SETTINGS: dict[str, dict[str, type]] = {  # what every model of a family has, for columns of tables
    "ngram": {"smoothing": str, "order": int},
    "rnn": {"cell": str, "layers": int, "hidden": int},
}


def add_run_arguments(parser: ArgumentParser, *data: str) -> None:
    """Give `parser` the arguments of a program that makes a run: what decides it, the files `data`, and its folder."""
    run = json_argument("family", "model", "settings", "seeds")
    parser.add_argument("--run", required=True, type=run, help="names, settings and seeds of the run, as JSON")
    for name in data:
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus, whose checksum the card takes")
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder, for all that is made")


def begin_run(arguments: Namespace, family: str, *data: str, needed: Iterable[str] = ()) -> dict[str, Any]:
    """Write card.yaml into the folder that the arguments of `add_run_arguments` name; returns the card.

    Raises InputError, before anything is written, for a run that is not whole, of another `family`, or without a
    setting that is `needed`.
    """
    if arguments.run["family"] != family:
        raise InputError(
            f"--run names a run of family {one_line(arguments.run['family'])}; give one of family {family}"
        )
    card = arguments.run | {"data": {name: read_digest(getattr(arguments, name)) for name in data}}
    check(card, read_schema("card"), "--run:")
    if missing := [key for key in needed if key not in card["settings"]]:
        raise InputError(f"--run names a run without the setting {missing[0]}; give what the workflow gives")
    write_card(arguments.folder / "card.yaml", card)
    return read_card(arguments.folder / "card.yaml")


def write_card(path: str | Path, card: dict[str, Any]) -> None:
    """Write `card`, its keys always in the same order."""
    write_text(path, yaml.safe_dump({key: card[key] for key in KEYS if key in card}, sort_keys=False))


def read_card(path: str | Path, family: str | None = None, **data: str | Path) -> dict[str, Any]:
    """The card in `path`; InputError where a key is missing, the file is damaged, a value is of the wrong kind, or the
    card is not of the `family` that is wanted.

    `data` are the files (ids, splits, vocab; table and description of a series) that the run is about to use:
    InputError where one of them is not that of which the card holds the checksum.
    """
    try:
        card = yaml.safe_load(verified(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that can't be is a ValueError
        raise damaged(path, f"it is not valid YAML: {one_line(error)}") from None
    check_file(path, card, "card")
    if family not in (None, card["family"]):
        raise InputError(f"{path} is the card of a model of family {card['family']}; give one of family {family}")
    for name, file in data.items():
        if card["data"].get(name) != read_digest(file):
            raise InputError(f"{file} is not what {path} was written for; delete the card and run the workflow again")
    return card
