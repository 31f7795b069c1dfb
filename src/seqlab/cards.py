"""The card of a run: everything that decides its result, in a file."""

from pathlib import Path
from typing import Any

import yaml

from seqlab.errors import InputError
from seqlab.files import write_text

KEYS = ("corpus", "unit", "family", "model", "settings", "seeds", "data")


def training_symbols_needed(settings: dict[str, Any]) -> tuple[str, int]:
    """The key of `settings` that asks for the longest training text, and how many symbols it needs at least."""
    needs = {"order": settings.get("order", 1)}
    if "steps" in settings:
        needs["steps"] = 2 * settings["steps"]  # the random offset, and one subsequence with its targets
        if settings["partition"] == "sequential":
            needs["batch_size"] = settings["steps"] + settings["batch_size"]
    return max(needs.items(), key=lambda item: item[1])


def write_card(path: str | Path, card: dict[str, Any]) -> None:
    """Write `card`, whose keys are those of `KEYS`, always in the same order."""
    write_text(path, yaml.safe_dump({key: card[key] for key in KEYS}, sort_keys=False))


def read_card(path: str | Path) -> dict[str, Any]:
    """The card in `path`; InputError where a key is missing or the file is damaged."""
    try:
        card = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        card = None
    if not isinstance(card, dict) or sorted(card) != sorted(KEYS):
        raise InputError(
            f"{path} is not a run card with the keys {', '.join(KEYS)}; delete it and run the workflow again"
        )
    return card
