"""Names of folders and arguments, and paths for Snakemake."""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Container
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, quote
from seqlab.io.files import read_json

MAX_NAME_LENGTH = 100  # characters of a name, and twice as many bytes
SOURCE_FILE = "source.json"  # in the folder of a prepared corpus: its origin


def check_name(kind: str, name: Any, where: str = "") -> None:
    """Raise InputError unless `name`, of a `kind` of thing, is usable as a folder and as an argument.

    `where` begins the sentence.
    """
    fits = isinstance(name, str) and re.fullmatch(r"[^\W_][\w-]*", name) and len(name) <= MAX_NAME_LENGTH
    if not fits or len(name.encode()) > 2 * MAX_NAME_LENGTH:
        article = "an" if kind[0] in "aeiou" else "a"
        raise InputError(
            f"{where}{quote(name)} names {article} {kind}, but allowed are 1 to {MAX_NAME_LENGTH} letters, digits, _ "
            "and -, since it becomes a folder; rename it"
        )


def natural_key(name: str) -> list[str | int]:
    """Return a key that sorts the numbers in `name` by value: mkn-2 before mkn-10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]


def is_folder_name(name: Any) -> bool:
    """Return whether `name`, of a corpus, unit, family or model, is a folder name without separators."""
    return isinstance(name, str) and bool(re.fullmatch(r"[^\W_][\w.~-]*", name)) and len(name.encode()) <= 250


def check_path(path: str) -> None:
    """Raise InputError where Snakemake can't read the path `path`: {} are its wildcards and <> its path variables."""
    if match := re.search(r"[{}<>\0-\x1f\x7f\ud800-\udfff]", path):
        raise InputError(
            f"the path {quote(path)} has the character {match[0]!r}, which Snakemake can't read; rename it"
        )


def shorten_path(path: str | Path) -> str:
    """Return `path` relative to the working folder, for messages and results."""
    return os.path.relpath(os.path.expanduser(path))  # noqa: PTH111, Path gives no path with ..


def name_corpus(path: Path, source: str, taken: Container[str], end: str = "", inside: str = "") -> str:
    """Return the folder name of the corpus that is read from `source`: a file `path`, or a part of it.

    The name is that of the file, followed by `end`. Where it belongs to a block in `taken`, or in `results/corpora` to
    a corpus of another source, the folder of the file is put before it, and as a last resort a digest behind it.
    source.json lies in the folder of the corpus, or with `inside` in folders whose names begin so.
    """
    base = _plain("_".join(filter(None, [path.stem, end]))) or "text"
    longer = _plain(f"{path.absolute().parent.name}_{base}")
    digest = hashlib.sha256(source.encode("utf-8", errors="surrogateescape")).hexdigest()[:8]
    names = [name for name in (base, longer, f"{base}-{digest}") if name not in taken]
    sources = {name: _recorded(Path("results/corpora", name), inside) for name in names}
    return next((name for name in names if sources[name] == source), None) or next(
        (name for name in names if sources[name] is None), names[-1]
    )


def _plain(text: str) -> str:
    """Return `text` reduced to letters and digits of any script, _ and -, at most 60 characters and 160 bytes, which
    leaves room for a digest; the first character is a letter or digit.
    """
    letters = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", text)).strip("_-")[:60]
    return letters.encode()[:160].decode(errors="ignore").rstrip("_-")


def _recorded(folder: Path, inside: str) -> str | None:
    """Return the source of the prepared corpus in `folder`; None where there is none."""
    files = sorted(folder.glob(f"{inside}*/{SOURCE_FILE}" if inside else SOURCE_FILE))
    return read_json(files[0]).get("source") if files else None


def split_class(name: str) -> tuple[str, str]:
    """Return file and class of a model written as file.py:Class; InputError where one is missing."""
    file, _, class_name = name.rpartition(":")
    if not file or not class_name.isidentifier():
        raise InputError(f"the model {quote(name)} has no class; write it as file.py:Class")
    return file, class_name


def append_digest(name: str, settings: dict[str, Any], usual: dict[str, Any]) -> str:
    """Return `name`, with a digest of `settings` behind it where they differ from the `usual` ones."""
    if settings == usual:
        return name
    return f"{name}-{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}"


def check_address(address: str, where: str) -> None:
    """Raise InputError where the address of a server or a database, set at `where`, holds a password.

    Addresses appear in process lists, logs and the metadata of Snakemake; the sentence does not repeat them.
    """
    scheme, _, rest = address.partition("://")
    account, at, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    if at and (scheme.lower().startswith("http") or ":" in account):
        raise InputError(
            f"{where} holds a name or a password, which would be written to logs; set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD or write ~/.mlflow/credentials for a server, and use a password file for a "
            "database"
        )
