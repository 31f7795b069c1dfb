"""Definitions of corpora: the content of config/corpora.yaml.

The Snakefile imports this module, so heavy modules are loaded where they are used.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from seqlab.io.errors import InputError
from seqlab.io.names import check_name, shorten_path
from seqlab.io.runs import SPLIT_NAMES
from seqlab.io.schemas import check, read_schema

if TYPE_CHECKING:
    from seqlab.text.sources import Source

SPLIT_KEYS = {  # the required keys of every kind of split
    "contiguous": SPLIT_NAMES,
    "char_rnn_streams": (*SPLIT_NAMES, "streams", "block"),
    "files": (),
}
GENERATED_TEXTS = ("markov_chain", "even_process", "brackets", "group_word")  # builtin texts of known sources


def load_corpora(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read and check the definitions in `path` (config/corpora.yaml), by name of corpus.

    Raises InputError with file, corpus and key where the file is not YAML, or a key is missing, unknown or has a wrong
    value.
    """
    try:
        corpora = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it") from None
    if not isinstance(corpora, dict) or not corpora:
        raise InputError(f"{path} names no corpora; write a block for each corpus, under its name")
    for name, definition in corpora.items():
        check_corpus(name, definition, f"{path}: ")
    return corpora


def check_corpus(name: Any, definition: Any, where: str = "") -> None:
    """Raise InputError for an invalid `name` of a corpus, and for the first invalid key of its block.

    `where` begins the message, such as the file that has the block.
    """
    check_name("corpus", name, where)
    check(definition, read_schema("corpora"), f"{where}corpus {name}:")


def define_part(definition: dict[str, Any], part: str) -> dict[str, Any]:
    """Return the definition of one text of a corpus of kind files: a path, or a block with urls and sha256."""
    source = definition["files"][part]
    if isinstance(source, dict):
        return {"kind": "url"} | source
    return {"kind": "path", "path": source}


def corpus_source(name: str, definition: dict[str, Any]) -> "Source | None":
    """Return the source that generates a builtin corpus, a model of its text; None for other corpora."""
    if definition.get("builtin") not in GENERATED_TEXTS:
        return None
    from seqlab.text.sources import build_source  # loads numpy

    try:
        return build_source({**(definition.get("settings") or {}), "name": definition["builtin"]})
    except InputError as error:
        raise InputError(f"corpus {name}: {error}") from None


def second_source(name: str, definition: dict[str, Any]) -> "Source | None":
    """Return the source of the second text of a generated corpus, with the same alphabet; None where it has none.

    Raises InputError where its settings are wrong or change the alphabet.
    """
    second = definition.get("second_text")
    source = corpus_source(name, definition)
    if second is None or source is None:
        return None
    other = corpus_source(
        f"{name}, second_text", definition | {"settings": definition["settings"] | second["settings"]}
    )
    if other is None or (other.alphabet, other.answers) != (source.alphabet, source.answers):
        raise InputError(
            f"corpus {name}: the settings of second_text change the alphabet, so that models of the first text cannot "
            "read the second; change other settings"
        )
    return other


def describe_source(definition: dict[str, Any]) -> str:
    """Describe the origin of a corpus: a path from the working folder, the first address, or a generator."""
    if "source" in definition:
        return str(definition["source"])
    if definition["kind"] == "files":
        return ", ".join(describe_source(define_part(definition, part)) for part in SPLIT_NAMES)
    if definition["kind"] == "path":
        return shorten_path(definition["path"])
    if definition["kind"] == "url":
        return str(definition["urls"][0])
    return f"built in: {definition['builtin']}"
