"""Names that become folders and arguments, and paths that Snakemake is told."""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Container
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, shown
from seqlab.io.files import read_json

LONGEST = 100  # characters of a name, and twice as many bytes
SOURCE_FILE = "source.json"  # in the folder of a prepared corpus: what it was made of


def check_name(what: str, name: Any, where: str = "") -> None:
    """Raise InputError unless `name`, that of a `what`, can be the name of a folder anywhere and an argument.

    `where` begins the sentence.
    """
    fits = isinstance(name, str) and re.fullmatch(r"[^\W_][\w-]*", name) and len(name) <= LONGEST
    if not fits or len(name.encode()) > 2 * LONGEST:
        article = "an" if what[0] in "aeiou" else "a"
        raise InputError(
            f"{where}{shown(name)} names {article} {what}, but allowed are 1 to {LONGEST} letters, digits, _ and -, "
            "since it becomes a folder; rename it"
        )


def natural_key(name: str) -> list[str | int]:
    """Return a key that sorts the numbers in `name` by value: mkn-2 before mkn-10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]


def names_folder(name: Any) -> bool:
    """Return whether `name`, of a corpus, unit, family or model, can be that of a folder and leads nowhere else."""
    return isinstance(name, str) and bool(re.fullmatch(r"[^\W_][\w.~-]*", name)) and len(name.encode()) <= 250


def check_path(path: str) -> None:
    """Raise InputError where Snakemake can't name the file `path`: {} are its wildcards and <> its path variables."""
    if found := re.search(r"[{}<>\0-\x1f\x7f\ud800-\udfff]", path):
        raise InputError(
            f"the path {shown(path)} has the character {found[0]!r}, which Snakemake can't read; rename it"
        )


def readable_path(path: str | Path) -> str:
    """`path` as it is told to people and kept in results: from the working folder, never from the root."""
    return os.path.relpath(os.path.expanduser(path))  # noqa: PTH111, Path can't make a path with .. of it


def name_of_path(path: Path, source: str, taken: Container[str], end: str = "", inside: str = "") -> str:
    """The name of the corpus that is made of `source`, a file `path` and perhaps a part of it, as a folder.

    It is the name of the file and `end`. Where a corpus of another source has that name, as `results/corpora` tells, or
    a block in `taken` does, the folder of the file comes before it, and in the end a digest behind it. `inside` begins
    the names of the folders of such a corpus that have a source.json; without it, that folder itself has it.
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
    """`text` with letters and digits of any script, _ and - alone, beginning with a letter or digit: at most 60 of
    them, and 160 bytes, so that there is room for a digest.
    """
    letters = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", text)).strip("_-")[:60]
    return letters.encode()[:160].decode(errors="ignore").rstrip("_-")


def _recorded(folder: Path, inside: str) -> str | None:
    """The source of the prepared corpus in `folder`, or None where there is none."""
    files = sorted(folder.glob(f"{inside}*/{SOURCE_FILE}" if inside else SOURCE_FILE))
    return read_json(files[0]).get("source") if files else None


def named_after(name: str, settings: dict[str, Any], usual: dict[str, Any]) -> str:
    """`name`, with a digest of `settings` behind it where they are not the `usual` ones."""
    if settings == usual:
        return name
    return f"{name}-{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}"


def check_address(address: str, where: str) -> None:
    """Raises InputError where the address of a server or a database, set at `where`, holds a password.

    An address stands in lists of processes, in logs and in what Snakemake keeps of a run. The sentence leaves it out.
    """
    scheme, _, rest = address.partition("://")
    account, at, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    if at and (scheme.lower().startswith("http") or ":" in account):
        raise InputError(
            f"{where} holds a name or a password, which would be written to logs; set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD or write ~/.mlflow/credentials for a server, and use a password file for a "
            "database"
        )
