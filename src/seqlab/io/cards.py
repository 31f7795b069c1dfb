"""The card of a run: everything that decides its result, written before anything else of the run."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from seqlab.io.arguments import json_argument
from seqlab.io.errors import InputError, flatten
from seqlab.io.files import check_file, damaged, read_digest, verified, write_text
from seqlab.io.provenance import fingerprint_files
from seqlab.io.schemas import check, read_schema

CARD_KEYS = ("corpus", "unit", "series", "family", "model", "settings", "seeds", "data")  # in file order
FAMILY_SETTINGS: dict[str, dict[str, type]] = {  # settings that every model of a family has, and their types in tables
    "ngram": {"smoothing": str, "order": int},
    "rnn": {"cell": str, "layers": int, "hidden": int},
}


def add_run_arguments(parser: ArgumentParser, *data: str) -> None:
    """Add to `parser` the arguments of a program that makes a run: its settings, the files `data`, and its folder."""
    run = json_argument("family", "model", "settings", "seeds")
    parser.add_argument("--run", required=True, type=run, help="names, settings and seeds of the run, as JSON")
    for name in data:
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus; the card records its checksum")
    parser.add_argument("--folder", required=True, type=Path, help="folder for the files of the run")


def begin_run(arguments: Namespace, family: str, *data: str, needed: Iterable[str] = ()) -> dict[str, Any]:
    """Write card.yaml into the folder of the arguments of `add_run_arguments`; return the card.

    Raise InputError before writing where the run is incomplete, is of another `family` or lacks a `needed` setting.
    """
    if arguments.run["family"] != family:
        raise InputError(f"--run is of family {flatten(arguments.run['family'])}; pass a run of family {family}")
    card = arguments.run | {"data": {name: _digest(getattr(arguments, name)) for name in data}}
    check(card, read_schema("card"), "--run:")
    if missing := [key for key in needed if key not in card["settings"]]:
        raise InputError(f"--run lacks the setting {missing[0]}; pass the settings that the workflow passes")
    write_card(arguments.folder / "card.yaml", card)
    return read_card(arguments.folder / "card.yaml")


def _digest(files: str | Path | list[str]) -> str:
    """Return the SHA-256 of a file among the results, or one of several files of a user."""
    return fingerprint_files(files) if isinstance(files, list) else read_digest(files)


def write_card(path: str | Path, card: dict[str, Any]) -> None:
    """Write `card` with its keys in a fixed order."""
    write_text(path, yaml.safe_dump({key: card[key] for key in CARD_KEYS if key in card}, sort_keys=False))


def read_card(path: str | Path, family: str | None = None, **data: str | Path) -> dict[str, Any]:
    """Return the card in `path`; InputError where it is damaged, violates its schema or is not of `family`.

    `data` are files that the run uses (ids, splits, vocab; table and description of a series): InputError where the
    checksum of one differs from the checksum in the card.
    """
    try:
        card = yaml.safe_load(verified(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # an impossible date is a ValueError
        raise damaged(path, f"it is not valid YAML: {flatten(error)}") from None
    check_file(path, card, "card")
    if family not in (None, card["family"]):
        raise InputError(f"{path} is the card of a model of family {card['family']}; use one of family {family}")
    for name, file in data.items():
        if card["data"].get(name) != read_digest(file):
            raise InputError(
                f"{file} differs from the file that {path} was written for; delete the card and run the workflow again"
            )
    return card
