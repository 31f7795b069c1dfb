"""Names that become folders and arguments, and paths that Snakemake is told."""

import re
from typing import Any

from seqlab.errors import InputError, shown


def check_name(what: str, name: Any) -> None:
    """Raises InputError unless `name`, that of a `what`, can be the name of a folder anywhere and an argument."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise InputError(
            f"{shown(name)} names a {what}, but allowed are 1 to 100 letters, digits, _ and -, since it becomes a "
            "folder; rename it"
        )
    if what == "corpus" and name == "forecast":
        raise InputError("'forecast' names a corpus, but results/forecast is the folder of series; rename it")


def check_path(path: str) -> None:
    """Raises InputError where Snakemake can't name the file `path`: {} are its wildcards and <> its path variables."""
    if found := re.search(r"[{}<>\0-\x1f\x7f\ud800-\udfff]", path):
        raise InputError(
            f"the path {shown(path)} has the character {found[0]!r}, which Snakemake can't read; rename it"
        )


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
