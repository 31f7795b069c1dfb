"""Raw texts: where they come from (a download, a file, a built-in), and what is refused before anything uses them."""

import hashlib
import pydoc_data.topics
import re
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pooch
import requests
import yaml

from seqlab.errors import InputError
from seqlab.files import replacing
from seqlab.text.sources import BUILDERS, Source, build_source, generate

RETRIES = 2  # of one address, each a second later than the one before
TIMEOUT = 20  # seconds a server may be silent
MAX_BYTES = 64 * 2**20  # of a download whose definition does not say
CLEANINGS = ("letters", "whitespace", "none")
UNITS = ("char", "word")
_DESCRIPTION = {"title", "licence", "cleaning", "units"}  # what config/corpora.yaml says of every corpus, beside kind
_KINDS = {  # the keys a kind needs, and those it may have
    "url": ({"urls", "sha256"}, {"max_bytes"}),
    "path": ({"path"}, {"sha256"}),
    "builtin": ({"builtin"}, {"max_characters", "settings", "length", "seed"}),
}
_WEB_PAGE = re.compile(r"\s*(?:<\?xml.*?\?>\s*|<!--.*?-->\s*)?<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)


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
            _check_description(name, definition)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return corpora


def check_definition(name: str, definition: dict[str, Any]) -> None:
    """Raises InputError, naming corpus, key, value and what is allowed, unless `definition` says where the text is."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise InputError(f"{name!r} names a corpus, but allowed are letters, digits, _ and -: it becomes a folder")
    if not isinstance(definition, dict) or definition.get("kind") not in list(_KINDS):
        kind = definition.get("kind") if isinstance(definition, dict) else definition
        raise InputError(f"corpus {name}: kind is {kind!r}; allowed are {', '.join(_KINDS)}")
    needed, optional = _KINDS[definition["kind"]]
    allowed = {"kind"} | needed | optional | _DESCRIPTION
    for key in definition:
        if key not in allowed:
            raise InputError(f"corpus {name}: key {key} is unknown; allowed are {', '.join(sorted(allowed))}")
    for key in sorted(needed):
        if key not in definition:
            raise InputError(f"corpus {name}: key {key} is missing; kind {definition['kind']} needs it")
    _check_values(name, definition)


def corpus_source(name: str, definition: dict[str, Any]) -> Source | None:
    """The source that generates a builtin corpus, to score its text with; None where no source is known."""
    if definition.get("builtin") not in list(BUILDERS):
        return None
    try:
        return build_source({**(definition.get("settings") or {}), "name": definition["builtin"]})
    except InputError as error:
        raise InputError(f"corpus {name}: {error}") from None


def fetch(name: str, definition: dict[str, Any], output: str | Path, mirror: Path | None = None) -> None:
    """Write the raw text of corpus `name` to `output`, byte for byte as its source has it.

    `mirror` is a folder whose {name}.txt takes the place of a download, under the same checksum. Raises InputError
    where the definition is wrong, the text cannot be had, its sha256 differs, or it is no text (see `check_text`);
    `output` is then as it was before.
    """
    check_definition(name, definition)
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    if definition["kind"] == "url":
        local = _in_mirror(name, mirror)
        data = _read(local, name, definition) if local else download_first(name, definition, output.parent, mirror)
        where = str(local or f"the download of corpus {name}")
    elif definition["kind"] == "path":
        where = str(Path(definition["path"]).expanduser())
        data = _read(Path(where), name, definition)
    else:
        where, data = f"the built-in text of corpus {name}", _builtin(name, definition).encode("utf-8")
    check_text(data, where)
    with replacing(output) as temporary:
        temporary.write_bytes(data)


def download_first(name: str, definition: dict[str, Any], folder: Path, mirror: Path | None = None) -> bytes:
    """The bytes of the first of `definition["urls"]` that has them with the right sha256, by way of `folder`.

    Raises InputError, one sentence with the reason of every address and the remedy, where none does.
    """
    limit, failures = definition.get("max_bytes", MAX_BYTES), []
    for url in definition["urls"]:
        try:
            return download(url, definition["sha256"], limit, folder)
        except InputError as error:
            failures.append(f"{url}: {error}")
    tried = f"{mirror}: it has no {name}.txt; " if mirror else ""
    raise InputError(
        f"corpus {name} could not be fetched ({tried}{'; '.join(failures)}); connect to the network and try again, "
        f"or put the text as {name}.txt in a folder and name the folder in the environment variable SEQLAB_MIRROR"
    )


def download(url: str, sha256: str, max_bytes: int, folder: Path) -> bytes:
    """The bytes at `url`, tried 1 + RETRIES times, never more than `max_bytes` and only with the right `sha256`.

    Raises InputError with the reason as a phrase.
    """
    received: list[_Limited] = []

    def limited(url: str, output_file: Any, pooch_: Any) -> None:
        with Path(output_file).open("wb") as file:
            received.append(_Limited(file, max_bytes))
            try:
                pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)(url, received[-1], pooch_)
            except requests.HTTPError as error:
                if error.response is None or error.response.status_code not in (401, 403, 404, 410):
                    raise
                raise InputError(_reason(error)) from None  # asking again would change nothing

    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as inside:
        getter = pooch.create(
            inside, base_url="", registry={"text": f"sha256:{sha256}"}, urls={"text": url}, retry_if_failed=RETRIES
        )
        try:
            return Path(getter.fetch("text", downloader=limited)).read_bytes()
        except requests.RequestException as error:
            raise InputError(_reason(error)) from None
        except ValueError:  # pooch's word for a wrong checksum
            found = received[-1].digest.hexdigest() if received else "unknown"
            raise InputError(_wrong_checksum(sha256, found)) from None


def check_text(data: bytes, where: str) -> str:
    """`data` as text, line ends as they are, a byte-order mark dropped; `where` names the file in messages.

    Raises InputError where it is empty, holds NUL bytes, is not UTF-8 (names byte offset and line), or is a web page:
    a log-in page saved under the name of a text is easily taken for the text.
    """
    if b"\0" in data:
        at = data.index(b"\0")
        raise InputError(f"{where} is not a text (a zero byte at offset {at}); give a plain text file in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{where} is not UTF-8 (byte 0x{data[error.start]:02x} at offset {error.start}, line {line}); "
            "convert it to UTF-8"
        ) from None
    if not text.strip():
        raise InputError(f"{where} is empty; give a file with text in it")
    if _WEB_PAGE.match(text[:4096]):
        raise InputError(f"{where} is an HTML page and not a plain text; save the text itself in its place")
    return text


def load_text(path: str | Path) -> str:
    """The text in `path`, module section 4 step 1, checked by `check_text`; InputError where it cannot be read."""
    return check_text(_read_bytes(Path(path)), str(path))


class _Limited:
    """A file for writing that knows the sha256 of what it took and raises InputError above `limit` bytes."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit, self.size, self.digest = file, limit, 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit:
            raise InputError(f"it is larger than max_bytes, {self.limit}")
        self.digest.update(chunk)
        self.file.write(chunk)

    def flush(self) -> None:
        self.file.flush()


def _reason(error: requests.RequestException) -> str:
    """Why a download failed, in a few words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was refused"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__


def _wrong_checksum(expected: str, found: str) -> str:
    return f"the sha256 should be {expected} but is {found}, so the file was not kept"


def _in_mirror(name: str, mirror: Path | None) -> Path | None:
    if mirror is not None and not mirror.is_dir():
        raise InputError(f"SEQLAB_MIRROR names {mirror}, which is not a folder; correct or unset it")
    local = mirror / f"{name}.txt" if mirror is not None else None
    return local if local is not None and local.exists() else None


def _read(path: Path, name: str, definition: dict[str, Any]) -> bytes:
    """The bytes of a local file, with the right sha256 where the definition has one."""
    data, expected = _read_bytes(path), definition.get("sha256")
    found = hashlib.sha256(data).hexdigest()
    if expected is not None and found != expected:
        reason = _wrong_checksum(expected, found)
        raise InputError(f"corpus {name}: {path}: {reason}; replace it by the edition that the checksum names")
    return data


def _read_bytes(path: Path) -> bytes:
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path or put the text there")
    if not path.is_file():
        raise InputError(f"{path} is a folder or a device and not a text file; name a single file")
    try:
        return path.read_bytes()
    except PermissionError:
        raise InputError(f"{path} may not be read; give yourself the permission (chmod u+r)") from None


def _builtin(name: str, definition: dict[str, Any]) -> str:
    source = corpus_source(name, definition)
    if source is not None:
        return generate(source, definition["length"], definition["seed"])
    topics = pydoc_data.topics.topics
    text = "\n\n".join(topics[key].strip("\n") for key in sorted(topics))
    return text[: definition.get("max_characters")]


def _check_values(name: str, definition: dict[str, Any]) -> None:
    def need(key: str, right: bool, allowed: str) -> None:
        if not right:
            raise InputError(f"corpus {name}: {key} is {definition.get(key)!r}; allowed is {allowed}")

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
    if definition["kind"] == "builtin":
        names = ["python_docs", *BUILDERS]
        need("builtin", definition["builtin"] in names, f"one of {', '.join(names)}")
        need("settings", isinstance(definition.get("settings", {}), dict), "a block of settings of the source")
        generated = definition["builtin"] in BUILDERS
        for key in ("settings", "length", "seed") if not generated else ("max_characters",):
            need(key, key not in definition, f"nothing: builtin {definition['builtin']} has no such key")
        if generated:
            count("length", 1, 10**8)
            count("seed", 0)
        elif "max_characters" in definition:
            count("max_characters", 1)


def _check_description(name: str, definition: dict[str, Any]) -> None:
    for key in ("title", "licence"):
        if not isinstance(definition.get(key), str) or not definition[key].strip() or "\n" in definition[key].strip():
            raise InputError(f"corpus {name}: {key} is {definition.get(key)!r}; allowed is one line of text")
    if definition.get("cleaning") not in CLEANINGS:
        raise InputError(
            f"corpus {name}: cleaning is {definition.get('cleaning')!r}; allowed are {', '.join(CLEANINGS)}"
        )
    units = definition.get("units")
    if not isinstance(units, list) or not units or any(unit not in UNITS for unit in units):
        raise InputError(f"corpus {name}: units is {units!r}; allowed is a list of {', '.join(UNITS)}")
