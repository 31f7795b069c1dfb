"""Raw texts of corpora: downloads, files and built-in texts, with their checks."""

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
from seqlab.io.runs import SPLIT_NAMES
from seqlab.text.definitions import check_corpus, corpus_source, define_part, second_source
from seqlab.text.reading import check_text, read_bytes
from seqlab.text.sources import generate_text
from seqlab.text.splits import SEPARATOR

RETRIES = 2  # of one address, a second apart
TIMEOUT = 20  # seconds a server may be silent
SLOWEST = 1000  # bytes per second, on average, once TIMEOUT has passed
CHUNK_BYTES = 64  # small, so that a slow server is noticed early
MAX_BYTES = 64 * 2**20  # of a download without max_bytes


def fetch_corpus(name: str, definition: dict[str, Any], output: str | Path, mirror: Path | None = None) -> None:
    """Write the raw text of corpus `name` to `output`, byte for byte as its source has it.

    The texts of kind files are joined by `SEPARATOR`, without byte-order marks. `mirror` is a folder whose {name}.txt
    (for files {name}.train.txt and so on) replaces a download, with the same checksum. Raises InputError, and leaves
    `output` unchanged, where the definition is wrong, a text is not available, its sha256 differs, or it is not a text
    (see `check_text`).
    """
    check_corpus(name, definition)
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    if definition["kind"] == "files":
        parts = [_part(f"{name}.{part}", define_part(definition, part), output.parent, mirror) for part in SPLIT_NAMES]
        data = SEPARATOR.join(parts).encode("utf-8")
    else:
        data, _ = _text(name, definition, output.parent, mirror)
    with replacing(output) as temporary:
        temporary.write_bytes(data)


def _text(name: str, definition: dict[str, Any], folder: Path, mirror: Path | None) -> tuple[bytes, str]:
    """Return the checked bytes of one text and a name of their source."""
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
    """Return one text of a corpus of kind files."""
    data, where = _text(name, definition, folder, mirror)
    text = check_text(data, where)
    if SEPARATOR in text:
        line = text.count("\n", 0, text.index(SEPARATOR)) + 1
        raise InputError(
            f"{where} has the control character U+001C in line {line}, which separates files here; remove it"
        )
    return text


def download_first(name: str, definition: dict[str, Any], folder: Path, mirror: Path | None = None) -> bytes:
    """Download the text from the first of `definition["urls"]` with the right sha256, by way of `folder`.

    Raises InputError with the failure of every address, and the remedy, where none has it.
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
    """Download the bytes at `url`, at most `max_bytes` with the right `sha256`, by 1 + RETRIES attempts.

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
                raise InputError(_reason(error)) from None  # another attempt would fail too

    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as inside:
        getter = pooch.create(
            inside, base_url="", registry={"text": f"sha256:{sha256}"}, urls={"text": url}, retry_if_failed=RETRIES
        )
        try:
            return Path(getter.fetch("text", downloader=limited)).read_bytes()
        except requests.RequestException as error:
            raise InputError(_reason(error)) from None
        except ValueError:  # raised by pooch for a wrong checksum
            actual = received[-1].digest.hexdigest() if received else "unknown"
            raise InputError(_wrong_checksum(sha256, actual)) from None


class _Limited:
    """A file for writing that computes the sha256, and raises InputError above `limit` bytes or below SLOWEST."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit, self.size, self.digest = file, limit, 0, hashlib.sha256()
        self.started = time.monotonic()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit:
            raise InputError(f"it is larger than max_bytes, {self.limit}")
        seconds = time.monotonic() - self.started
        if seconds > TIMEOUT and self.size < SLOWEST * seconds:
            raise InputError(f"it is too slow, {self.size} bytes in {seconds:.0f} s")
        self.digest.update(chunk)
        self.file.write(chunk)

    def flush(self) -> None:
        self.file.flush()


def _reason(error: requests.RequestException) -> str:
    """Return the reason of a failed download as a phrase."""
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


def _wrong_checksum(expected: str, actual: str) -> str:
    return f"the sha256 should be {expected} but is {actual}, so the file was not kept"


def _in_mirror(name: str, mirror: Path | None) -> Path | None:
    if mirror is not None and not mirror.is_dir():
        raise InputError(f"SEQLAB_MIRROR names {mirror}, which is not a folder; correct or unset it")
    local = mirror / f"{name}.txt" if mirror is not None else None
    return local if local is not None and local.exists() else None


def _read(path: Path, name: str, definition: dict[str, Any]) -> bytes:
    """Read a local file, and check its sha256 where the definition has one."""
    data, expected = read_bytes(path), definition.get("sha256")
    actual = hashlib.sha256(data).hexdigest()
    if expected is not None and actual != expected:
        reason = _wrong_checksum(expected, actual)
        raise InputError(f"corpus {name}: {path}: {reason}; replace it by the edition that the checksum names")
    return data


def _builtin(name: str, definition: dict[str, Any]) -> str:
    source = corpus_source(name, definition)
    if source is not None:
        second_source(name, definition)  # wrong settings of a text that is scored later are refused before training
        return generate_text(source, definition["length"], definition["seed"])
    return _python_docs()[: definition.get("max_characters")].rstrip("\n") + "\n"


def _python_docs() -> str:
    """Return the topics of the language reference, each paragraph once: many are part of several topics, and a test
    text that repeats the training text would be meaningless.
    """
    topics = pydoc_data.topics.topics
    paragraphs: dict[str, str] = {}
    for key in sorted(topics):
        for paragraph in re.split(r"\n\s*\n", topics[key]):
            paragraphs.setdefault(" ".join(paragraph.split()), paragraph.strip("\n"))
    return "\n\n".join(paragraph for words, paragraph in paragraphs.items() if words)
