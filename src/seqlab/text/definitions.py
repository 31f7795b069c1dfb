"""What config/corpora.yaml may say of a text: the definitions of corpora.

The Snakefile reads this module, so what is heavy is loaded where it is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from seqlab.io.errors import InputError
from seqlab.io.names import check_name, shorten_path
from seqlab.io.schemas import check, read_schema

if TYPE_CHECKING:
    from seqlab.text.sources import Source

NAMES = ("train", "valid", "test")
SPLIT_KEYS = {  # the kinds of split -> the keys that each needs
    "contiguous": NAMES,
    "char_rnn_streams": (*NAMES, "streams", "block"),
    "files": (),
}
GENERATED = ("markov_chain", "even_process", "brackets")  # the texts whose source is known


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
        check_corpus(name, definition, f"{path}: ")
    return corpora


def check_corpus(name: Any, definition: Any, where: str = "") -> None:
    """Raise InputError for a `name` that no corpus can have, and for the first key of its block that is not right.

    `where` begins the sentence, such as the file that has the block.
    """
    check_name("corpus", name, where)
    check(definition, read_schema("corpora"), f"{where}corpus {name}:")


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


def source_of(definition: dict[str, Any]) -> str:
    """The origin of a corpus, for people: a path from the working folder, the first address, or a generator."""
    if "source" in definition:
        return str(definition["source"])
    if definition["kind"] == "files":
        return ", ".join(source_of(part_of(definition, part)) for part in NAMES)
    if definition["kind"] == "path":
        return shorten_path(definition["path"])
    if definition["kind"] == "url":
        return str(definition["urls"][0])
    return f"built in: {definition['builtin']}"
