"""Raw texts: a download, a file or a built-in, fetched and checked."""

import hashlib
import pydoc_data.topics
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import pooch
import requests

from seqlab.io.errors import InputError
from seqlab.io.files import replacing
from seqlab.text.definitions import check_corpus, corpus_source, part_of
from seqlab.text.reading import check_text, read_bytes
from seqlab.text.sources import generate
from seqlab.text.splits import NAMES, SEPARATOR

RETRIES = 2  # of one address, each a second later than the one before
TIMEOUT = 20  # seconds a server may be silent
SLOWEST = 1000  # bytes per second, on average, once TIMEOUT has passed
CHUNK_BYTES = 64  # bytes; a server that sends one now and then is found out after so many
MAX_BYTES = 64 * 2**20  # of a download whose definition does not say


def fetch(name: str, definition: dict[str, Any], output: str | Path, mirror: Path | None = None) -> None:
    """Write the raw text of corpus `name` to `output`, byte for byte as its source has it.

    The texts of kind files are written one after the other, with `SEPARATOR` between them and without byte-order marks.
    `mirror` is a folder whose {name}.txt (for files {name}.train.txt and so on) takes the place of a download, under
    the same checksum. Raises InputError where the definition is wrong, a text cannot be had, its sha256 differs, or it
    is no text (see `check_text`); `output` is then as it was before.
    """
    check_corpus(name, definition)
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    if definition["kind"] == "files":
        parts = [_part(f"{name}.{part}", part_of(definition, part), output.parent, mirror) for part in NAMES]
        data = SEPARATOR.join(parts).encode("utf-8")
    else:
        data, _ = _text(name, definition, output.parent, mirror)
    with replacing(output) as temporary:
        temporary.write_bytes(data)


def _text(name: str, definition: dict[str, Any], folder: Path, mirror: Path | None) -> tuple[bytes, str]:
    """The bytes of one text, checked, and where they come from."""
    if definition["kind"] == "url":
        local = _in_mirror(name, mirror)
        data = _read(local, name, definition) if local else download_first(name, definition, folder, mirror)
        where = str(local or f"the download of corpus {name}")
    elif definition["kind"] == "path":
        where = str(Path(definition["path"]).expanduser())
        data = _read(Path(where), name, definition)
    else:
        where, data = f"the built-in text of corpus {name}", _builtin(name, definition).encode("utf-8")
    check_text(data, where)
    return data, where


def _part(name: str, definition: dict[str, Any], folder: Path, mirror: Path | None) -> str:
    """One of the texts of a corpus of kind files."""
    data, where = _text(name, definition, folder, mirror)
    text = check_text(data, where)
    if SEPARATOR in text:
        line = text.count("\n", 0, text.index(SEPARATOR)) + 1
        raise InputError(f"{where} has the control character U+001C in line {line}, which parts files here; remove it")
    return text


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
                pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=CHUNK_BYTES, timeout=TIMEOUT)(
                    url, received[-1], pooch_
                )
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


class _Limited:
    """A file for writing that knows the sha256 of what it took and raises InputError above `limit` bytes, or where they
    come too slowly.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit, self.size, self.digest = file, limit, 0, hashlib.sha256()
        self.started = time.monotonic()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit:
            raise InputError(f"it is larger than max_bytes, {self.limit}")
        seconds = time.monotonic() - self.started
        if seconds > TIMEOUT and self.size < SLOWEST * seconds:
            raise InputError(f"it came too slowly, {self.size} bytes in {seconds:.0f} s")
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
    if isinstance(error, requests.TooManyRedirects):
        return "it redirects without end"
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
    data, expected = read_bytes(path), definition.get("sha256")
    found = hashlib.sha256(data).hexdigest()
    if expected is not None and found != expected:
        reason = _wrong_checksum(expected, found)
        raise InputError(f"corpus {name}: {path}: {reason}; replace it by the edition that the checksum names")
    return data


def _builtin(name: str, definition: dict[str, Any]) -> str:
    source = corpus_source(name, definition)
    if source is not None:
        return generate(source, definition["length"], definition["seed"])
    return _python_docs()[: definition.get("max_characters")].rstrip("\n") + "\n"


def _python_docs() -> str:
    """The topics of the language reference, each paragraph only once: many stand under several topics, and a test text
    that repeats the training text would say nothing.
    """
    topics = pydoc_data.topics.topics
    once: dict[str, str] = {}
    for key in sorted(topics):
        for paragraph in re.split(r"\n\s*\n", topics[key]):
            once.setdefault(" ".join(paragraph.split()), paragraph.strip("\n"))
    return "\n\n".join(paragraph for words, paragraph in once.items() if words)
