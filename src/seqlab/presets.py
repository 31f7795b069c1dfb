"""Presets: networks and training of experiments that do not configure their own, for a text of the user by its size.

The Snakefile imports this module, so it imports only the standard library.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seqlab.io.errors import InputError, quote
from seqlab.io.runs import SPLIT_NAMES

AUTOMATIC, NO_PRESET = "auto", "none"  # values of the key preset beside the names of presets
WITHOUT_SIZE = "default"  # the preset of experiments on texts whose size is unknown when they are planned


class Preset(NamedTuple):
    """A block of config/presets.yaml: its name, and its `settings`, a part of a configuration."""

    name: str
    settings: dict[str, Any]
    note: str  # for the report; empty without a preset


WITHOUT_PRESET = Preset(NO_PRESET, {}, "")


def choose_preset(overrides: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]]) -> Preset:
    """Return the preset of an experiment with the settings `overrides`, those that differ from the default ones.

    `presets` maps a name to settings and `characters`, the largest text that it is for, in rising order. With `preset:
    auto`, the default, a text of the user in the key corpus has the first preset that it is not too large for, and
    other experiments without a block rnn have the preset WITHOUT_SIZE. Raise InputError for an unknown preset.
    """
    name = overrides.get("preset", AUTOMATIC)
    if name == NO_PRESET:
        return WITHOUT_PRESET
    if name != AUTOMATIC:
        if name not in presets:
            known = ", ".join([AUTOMATIC, NO_PRESET, *presets])
            raise InputError(f"the configuration key 'preset' is {quote(name)}; use one of {known}")
        return _preset(name, presets, "which the configuration names")
    bytes_of_text = _count_bytes(str(overrides["corpus"])) if overrides.get("corpus") else None
    if bytes_of_text is None:
        unset = "rnn" not in overrides and WITHOUT_SIZE in presets
        return _preset(WITHOUT_SIZE, presets, "since the experiment configures none") if unset else WITHOUT_PRESET
    sizes = {name: block.get("characters", bytes_of_text) for name, block in presets.items() if name != WITHOUT_SIZE}
    fitting = (name for name, characters in sizes.items() if bytes_of_text <= characters)
    return _preset(next(fitting), presets, f"since the text has {bytes_of_text:,} bytes")


def _preset(name: str, presets: Mapping[str, Mapping[str, Any]], reason: str) -> Preset:
    settings = {key: value for key, value in presets[name].items() if key != "characters"}
    limit = presets[name].get("characters")
    size = f" for texts of up to {limit:,} characters" if limit else ""
    return Preset(name, settings, f"Networks and training are those of the preset {name}{size}, {reason}.")


def _count_bytes(corpus: str) -> int | None:
    """Return the size of a text that is a file or a folder with files of splits, in bytes; None for neither."""
    path = os.path.expanduser(corpus)  # noqa: PTH111, where Path.expanduser raises an error for an unknown user
    if os.path.isfile(path):  # noqa: PTH113, where Path.is_file raises an error for a name that is too long
        return os.path.getsize(path)  # noqa: PTH202
    files = [Path(path) / f"{name}.txt" for name in SPLIT_NAMES]
    return sum(file.stat().st_size for file in files) if all(map(os.path.isfile, files)) else None
