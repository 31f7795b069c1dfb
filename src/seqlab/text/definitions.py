"""What config/corpora.yaml may say of a text: the definitions of corpora.

The Snakefile reads this module, so what is heavy is loaded where it is used.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from seqlab.io.errors import InputError, shown
from seqlab.io.names import check_name, readable_path
from seqlab.text.cleaning import CLEANING
from seqlab.text.tokens import UNITS

if TYPE_CHECKING:
    from seqlab.text.sources import Source

NAMES = ("train", "valid", "test")
SPLIT_KEYS = {  # the kinds of split -> the keys that each needs
    "contiguous": NAMES,
    "char_rnn_streams": (*NAMES, "streams", "block"),
    "files": (),
}
GENERATED = ("markov_chain", "even_process", "brackets")  # the texts whose source is known

# what config/corpora.yaml says of every corpus, beside kind
_DESCRIPTION = {"title", "licence", "cleaning", "units", "source"}
_KINDS = {  # the keys a kind needs, and those it may have
    "url": ({"urls", "sha256"}, {"max_bytes"}),
    "path": ({"path"}, {"sha256"}),
    "files": ({"files"}, set()),
    "builtin": ({"builtin"}, {"max_characters", "settings", "length", "seed"}),
}


def load_corpora(path: str | Path) -> dict[str, dict[str, Any]]:
    """The definitions in `path` (config/corpora.yaml) by name of corpus, each checked.

    Raises InputError naming file, corpus and key where the file is not YAML, a key is missing, unknown or has a value
    that is not allowed.
    """
    try:
        corpora = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it") from None
    if not isinstance(corpora, dict) or not corpora:
        raise InputError(f"{path} names no corpora; write one block per corpus, its name in front")
    for name, definition in corpora.items():
        try:
            check_definition(name, definition)
            check_description(name, definition)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return corpora


def check_definition(name: str, definition: dict[str, Any], part: bool = False) -> None:
    """Raises InputError, naming corpus, key, value and what is allowed, unless `definition` says where the text is.

    `part` is true for one of the files of a corpus, such as ptb.train.
    """
    if not part:
        check_name("corpus", name)
    if not isinstance(definition, dict) or definition.get("kind") not in list(_KINDS):
        kind = definition.get("kind") if isinstance(definition, dict) else definition
        raise InputError(f"corpus {name}: kind is {shown(kind)}; allowed are {', '.join(_KINDS)}")
    needed, optional = _KINDS[definition["kind"]]
    allowed = {"kind"} | needed | optional | _DESCRIPTION
    for key in definition:
        if key not in allowed:
            raise InputError(f"corpus {name}: key {key} is unknown; allowed are {', '.join(sorted(allowed))}")
    for key in sorted(needed):
        if key not in definition:
            raise InputError(f"corpus {name}: key {key} is missing; kind {definition['kind']} needs it")
    _check_values(name, definition)


def part_of(definition: dict[str, Any], part: str) -> dict[str, Any]:
    """The definition of one text of a corpus of kind files: a path, or a block with urls and sha256."""
    where = definition["files"][part]
    if isinstance(where, dict):
        return {"kind": "url"} | where
    return {"kind": "path", "path": where}


def corpus_source(name: str, definition: dict[str, Any]) -> "Source | None":
    """The source that generates a builtin corpus, to score its text with; None where no source is known."""
    if definition.get("builtin") not in GENERATED:
        return None
    from seqlab.text.sources import build_source  # loads numpy

    try:
        return build_source({**(definition.get("settings") or {}), "name": definition["builtin"]})
    except InputError as error:
        raise InputError(f"corpus {name}: {error}") from None


def _check_values(name: str, definition: dict[str, Any]) -> None:
    def need(key: str, right: bool, allowed: str) -> None:
        if not right:
            raise InputError(f"corpus {name}: {key} is {shown(definition.get(key))}; allowed is {allowed}")

    def count(key: str, low: int, high: int = 2**40) -> None:
        value = definition.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        need(key, whole, f"a whole number from {low} to {high}")

    if "sha256" in definition:  # unquoted, a checksum of digits alone is a number to YAML
        right = isinstance(definition["sha256"], str) and re.fullmatch("[0-9a-f]{64}", definition["sha256"])
        need("sha256", bool(right), "a string of 64 small hexadecimal digits, in quotes")
    if definition["kind"] == "url":
        urls = definition["urls"] if isinstance(definition["urls"], list) else []
        safe = all(isinstance(url, str) and re.fullmatch(r"https://[^/\s]+/\S*", url) for url in urls)
        need("urls", bool(urls) and safe, "a list of addresses that begin with https://")
        if "max_bytes" in definition:
            count("max_bytes", 1)
    if definition["kind"] == "path":
        need("path", isinstance(definition["path"], str) and definition["path"] != "", "the path of a text file")
    if definition["kind"] == "files":
        files = definition["files"]
        need("files", isinstance(files, dict) and sorted(files) == sorted(NAMES), f"a block of {', '.join(NAMES)}")
        for part in NAMES:
            check_definition(f"{name}.{part}", part_of(definition, part), part=True)
    if definition["kind"] == "builtin":
        names = ["python_docs", *GENERATED]
        need("builtin", definition["builtin"] in names, f"one of {', '.join(names)}")
        need("settings", isinstance(definition.get("settings", {}), dict), "a block of settings of the source")
        generated = definition["builtin"] in GENERATED
        for key in ("settings", "length", "seed") if not generated else ("max_characters",):
            need(key, key not in definition, f"nothing: builtin {definition['builtin']} has no such key")
        if generated:
            count("length", 1, 10**8)
            count("seed", 0)
        elif "max_characters" in definition:
            count("max_characters", 1)


def check_description(name: str, definition: dict[str, Any]) -> None:
    """Raises InputError, naming corpus and key, unless `definition` has title, licence, cleaning and units."""
    for key in ("title", "licence"):
        if not isinstance(definition.get(key), str) or not definition[key].strip() or "\n" in definition[key].strip():
            raise InputError(f"corpus {name}: {key} is {shown(definition.get(key))}; allowed is one line of text")
    if definition.get("cleaning") not in list(CLEANING):
        raise InputError(
            f"corpus {name}: cleaning is {shown(definition.get('cleaning'))}; allowed are {', '.join(CLEANING)}"
        )
    units = definition.get("units")
    if not isinstance(units, list) or not units or any(unit not in UNITS for unit in units):
        raise InputError(f"corpus {name}: units is {shown(units)}; allowed is a list of {', '.join(UNITS)}")


def source_of(definition: dict[str, Any]) -> str:
    """The origin of a corpus, for people: a path from the working folder, the first address, or a generator."""
    if "source" in definition:
        return str(definition["source"])
    if definition["kind"] == "files":
        return ", ".join(source_of(part_of(definition, part)) for part in NAMES)
    if definition["kind"] == "path":
        return readable_path(definition["path"])
    if definition["kind"] == "url":
        return str(definition["urls"][0])
    return f"built in: {definition['builtin']}"
