"""The card of a run: everything that decides its result, in a file that the job which makes the run writes first."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from seqlab.io.errors import InputError, shown
from seqlab.io.files import SEAL, damaged, json_argument, sealed, unsealed, write_text
from seqlab.io.names import names_folder
from seqlab.io.provenance import sha256_of

KINDS = {"corpus": str, "unit": str, "family": str, "model": str, "settings": dict, "seeds": list, "data": dict}
KEYS = tuple(KINDS)
SERIES_KEYS = ("series", "family", "model", "settings", "seeds", "data")  # of a model of a series of numbers
COUNTS = ("order", "layers", "hidden", "max_order", "period")  # settings that are whole numbers wherever they occur
SETTINGS: dict[str, dict[str, type]] = {  # what every model of a family has
    "ngram": {"smoothing": str, "order": int},
    "rnn": {"cell": str, "layers": int, "hidden": int},
    "mixture": {"parts": list},
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
    checksums = {name: sha256_of(getattr(arguments, name)) for name in data}
    card = arguments.run | {"data": checksums}
    if fault := _fault_of(card):
        raise InputError(f"--run names no run ({fault}); give what the workflow gives")
    if card["family"] != family:
        raise InputError(f"--run names a run of family {card['family']}; give one of family {family}")
    if missing := [key for key in needed if key not in card["settings"]]:
        raise InputError(f"--run names a run without the setting {missing[0]}; give what the workflow gives")
    write_card(arguments.folder / "card.yaml", card)
    return read_card(arguments.folder / "card.yaml")


def write_card(path: str | Path, card: dict[str, Any]) -> None:
    """Write `card`, whose keys are those of `KEYS`, or of `SERIES_KEYS`, always in the same order."""
    content = sealed({key: card[key] for key in (SERIES_KEYS if "series" in card else KEYS)})
    seal = {SEAL: content.pop(SEAL)}  # in front, where it is still there when the end of the file is not
    write_text(path, yaml.safe_dump(seal | content, sort_keys=False))


def read_card(path: str | Path, family: str | None = None, **data: str | Path) -> dict[str, Any]:
    """The card in `path`; InputError where a key is missing, the file is damaged, a value is of the wrong kind, or the
    card is not of the `family` that is wanted.

    `data` are the files (ids, splits, vocab; table and description of a series) that the run is about to use:
    InputError where one of them is not that of which the card holds the checksum.
    """
    try:
        card = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):  # a damaged date is a ValueError
        card = None
    card = unsealed(card, path) if isinstance(card, dict) else {}
    if not _has_all_keys(card):
        raise InputError(
            f"{path} is not a run card with the keys {', '.join(KEYS)}; delete it and run the workflow again"
        )
    if fault := _fault_of(card):
        raise damaged(path, fault)
    if family not in (None, card["family"]):
        raise InputError(f"{path} is the card of a model of family {card['family']}; give one of family {family}")
    for name, file in data.items():
        if card["data"].get(name) != sha256_of(file):
            raise InputError(f"{file} is not what {path} was written for; delete the card and run the workflow again")
    return card


def _has_all_keys(card: dict[str, Any]) -> bool:
    return set(card) in (set(KEYS), set(SERIES_KEYS))


def _fault_of(card: dict[str, Any]) -> str | None:
    """The first key of `card` that is missing or has a value that can't be, in words."""
    if not _has_all_keys(card):
        return f"its keys are {shown(sorted(card))} instead of {', '.join(KEYS)}"
    for key, kind in (KINDS | {"series": str}).items():
        if key not in card:  # a card has a corpus and a unit, or a series
            continue
        if type(card[key]) is not kind or (kind is str and not names_folder(card[key])):
            return f"its {key} is {shown(card[key])}"
    for key, wanted in SETTINGS.get(card["family"], {}).items():
        if type(card["settings"].get(key)) is not wanted:
            return f"its setting {key} is {shown(card['settings'].get(key))}"
    for key in COUNTS:
        if key in card["settings"] and type(card["settings"][key]) is not int:
            return f"its setting {key} is {shown(card['settings'][key])}"
    if card["family"] == "mixture" and not all(isinstance(part, str) for part in card["settings"]["parts"]):
        return f"its parts are {shown(card['settings']['parts'])}"
    seeds = card["seeds"]
    if not all(type(seed) is int and 0 <= seed < 2**63 for seed in seeds) or (card["family"] == "rnn" and not seeds):
        return f"its seeds are {shown(seeds)}"
    return None
