"""Fetching raw texts: from a server on this computer, a mirror, a file and built-ins; and what is refused."""

import hashlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqlab.errors import InputError
from seqlab.text import corpora
from seqlab.text.corpora import download_first, fetch
from seqlab.text.definitions import check_definition, corpus_source, load_corpora
from seqlab.text.reading import check_text, load_text
from seqlab.text.sources import entropy_rate, symbol_bits, symbol_ids

ROOT = Path(__file__).parents[2]
TEXT = b"It was the best of times,\r\nit was the worst of times.\n" * 50
SHA256 = hashlib.sha256(TEXT).hexdigest()
SHIPPED = load_corpora(ROOT / "config" / "corpora.yaml")


class Handler(BaseHTTPRequestHandler):
    """/good gives TEXT, /long much more, /flaky breaks off the first time, /busy is busy the first time.

    The others never give it: /loop redirects to itself, /drip sends a byte now and then, /endless never stops, /reset
    hangs up in the middle, /short and /more tell a wrong length, /down answers 500, /page is one to log in.
    """

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self):
        self.asked[self.path] += 1
        body = {"/good": TEXT, "/wrong": b"<html>log in</html>", "/long": TEXT * 100, "/flaky": TEXT, "/busy": TEXT}
        first = self.asked[self.path] == 1
        if self.path == "/busy" and first:
            return self.send_error(503)
        if self.path in ENDLESS:
            return ENDLESS[self.path](self)
        if self.path not in body:
            return self.send_error(404)
        self.send_response(200)
        if self.path != "/long":  # a server need not say how long its answer is
            self.send_header("Content-Length", str(len(body[self.path])))
        self.end_headers()
        self.wfile.write(body[self.path][: 100 if self.path == "/flaky" and first else None])

    def log_message(self, *arguments):
        pass


def redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def send(handler: Handler, length: int | None, parts: Iterable[bytes], pause: float = 0.0) -> None:
    """An answer that says it has `length` bytes, in `parts`, until the other side has had enough."""
    handler.send_response(200)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    with suppress(OSError):
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(pause)


def reset(handler: Handler) -> None:
    """Half of the text, then an end of the connection that the network tells as an error."""
    send(handler, len(TEXT), [TEXT[: len(TEXT) // 2]])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


ENDLESS: dict[str, Callable[[Handler], None]] = {
    "/loop": redirect,
    "/drip": lambda handler: send(handler, len(TEXT), (TEXT[n : n + 1] for n in range(len(TEXT))), 0.005),
    "/endless": lambda handler: send(handler, None, repeat(TEXT)),
    "/reset": reset,
    "/short": lambda handler: send(handler, len(TEXT) - 100, [TEXT]),
    "/more": lambda handler: send(handler, len(TEXT) + 100, [TEXT]),
    "/down": lambda handler: handler.send_error(500),
    "/page": lambda handler: send(handler, None, [b"<!DOCTYPE html><title>Log in</title>"]),
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Nothing here may leave this computer."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 0)
    monkeypatch.setattr(corpora, "TIMEOUT", 5)
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def definition(*urls: str, **changes) -> dict:
    return {"kind": "url", "urls": list(urls), "sha256": SHA256, "max_bytes": 10_000, **changes}


def refusal(tmp_path: Path, *urls: str) -> str:
    """The message of a download that fails; checks that it is one line and leaves nothing behind."""
    with pytest.raises(InputError) as caught:
        download_first("times", definition(*urls), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    return str(caught.value)


def test_download(server, tmp_path):
    assert download_first("times", definition(f"{server}/good"), tmp_path) == TEXT
    assert list(tmp_path.iterdir()) == []


def test_the_second_address_serves_when_the_first_fails(server, tmp_path):
    urls = [f"{server}/{page}" for page in ("missing", "wrong", "long", "good")]
    assert download_first("times", definition(*urls), tmp_path) == TEXT
    assert [*Handler.asked.values()] == [1, 1, 1, 1]


@pytest.mark.parametrize("page", ["flaky", "busy"])
def test_a_failure_that_passes_is_tried_again(server, tmp_path, monkeypatch, page):
    monkeypatch.setattr(corpora, "RETRIES", 1)
    assert download_first("times", definition(f"{server}/{page}"), tmp_path) == TEXT
    assert Handler.asked[f"/{page}"] == 2


def test_a_missing_page_is_not_asked_for_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 5)
    assert "404 Not Found" in refusal(tmp_path, f"{server}/missing")
    assert Handler.asked["/missing"] == 1


def test_a_failed_download_says_what_where_why_and_what_to_do(server, tmp_path):
    nobody = "http://127.0.0.1:9/nobody"
    message = refusal(tmp_path, f"{server}/missing", nobody, f"{server}/busy", f"{server}/flaky")
    parts = ["corpus times", f"{server}/missing: the server answered 404", f"{nobody}: no connection"]
    parts += ["503 Service Unavailable", "/flaky: the connection broke off", "SEQLAB_MIRROR", "times.txt"]
    assert all(part in message for part in parts), message


def test_a_wrong_checksum_names_both_and_keeps_nothing(server, tmp_path):
    message = refusal(tmp_path, f"{server}/wrong")
    assert SHA256 in message
    assert hashlib.sha256(b"<html>log in</html>").hexdigest() in message
    assert "not kept" in message


def test_a_text_that_is_too_large_is_cut_off(server, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 5)
    assert "larger than max_bytes, 10000" in refusal(tmp_path, f"{server}/long")
    assert Handler.asked["/long"] == 1


@pytest.mark.parametrize(
    ("page", "words", "asked"),
    [
        ("missing", "404 Not Found", 1),
        ("down", "500 Internal Server Error", 2),
        ("reset", "the connection broke off|no connection", 2),
        ("drip", "it came too slowly, [0-9]+ bytes", 1),
        ("short", "the sha256 should be", 2),
        ("more", "the connection broke off", 2),
        ("wrong", "the sha256 should be", 2),
        ("loop", "it redirects without end", 62),
        ("page", "the sha256 should be", 2),
        ("endless", "larger than max_bytes", 1),
    ],
)
def test_a_server_that_never_gives_the_text_is_left_for_the_next(
    server, tmp_path, monkeypatch, page, words, asked, record_property
):
    monkeypatch.setattr(corpora, "RETRIES", 1)
    monkeypatch.setattr(corpora, "TIMEOUT", 0.3)
    with pytest.raises(InputError, match=words):
        download_first("times", definition(f"{server}/{page}"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Handler.asked[f"/{page}"] == asked
    assert download_first("times", definition(f"{server}/{page}", f"{server}/good"), tmp_path) == TEXT
    assert list(tmp_path.iterdir()) == []
    record_property(f"download: {page}", 2)


def test_fetch_downloads_and_replaces(server, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "check_definition", lambda *_: None)  # which would ask for https
    output = tmp_path / "times" / "raw.txt"
    fetch("times", definition(f"{server}/good"), output)
    assert output.read_bytes() == TEXT
    with pytest.raises(InputError):
        fetch("times", definition(f"{server}/missing"), output, tmp_path)
    assert output.read_bytes() == TEXT
    assert sorted(path.name for path in output.parent.iterdir()) == [".raw.txt.sha256", "raw.txt"]


def test_fetch_reads_the_mirror_first_under_the_same_checksum(tmp_path):
    mirror, output = tmp_path / "mirror", tmp_path / "raw.txt"
    mirror.mkdir()
    (mirror / "times.txt").write_bytes(TEXT)
    fetch("times", definition("https://127.0.0.1:9/nobody"), output, mirror)
    assert output.read_bytes() == TEXT
    (mirror / "times.txt").write_bytes(TEXT + b"edited")
    with pytest.raises(InputError, match=rf"mirror/times.txt.*{SHA256}.*not kept"):
        fetch("times", definition("https://127.0.0.1:9/nobody"), output, mirror)
    assert output.read_bytes() == TEXT


def test_mirrors_that_do_not_help(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 0)
    with pytest.raises(InputError, match=r"SEQLAB_MIRROR names .*nowhere, which is not a folder"):
        fetch("times", definition("https://127.0.0.1:9/nobody"), tmp_path / "raw.txt", tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no times\.txt; https://127.0.0.1:9/nobody: no connection"):
        fetch("times", definition("https://127.0.0.1:9/nobody"), tmp_path / "raw.txt", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_fetch_from_a_path(tmp_path):
    path, output = tmp_path / "my.txt", tmp_path / "raw.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT)
    fetch("my", {"kind": "path", "path": str(path)}, output)
    assert output.read_bytes() == path.read_bytes()
    assert load_text(output) == TEXT.decode()
    with pytest.raises(InputError, match=f"my.txt.*{SHA256}"):
        fetch("my", {"kind": "path", "path": str(path), "sha256": SHA256}, output)


@pytest.mark.parametrize(
    ("name", "words"), [("absent.txt", "absent.txt does not exist"), ("folder", "folder is a folder or a device")]
)
def test_paths_that_are_no_files(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=words):
        fetch("my", {"kind": "path", "path": str(tmp_path / name)}, tmp_path / "raw.txt")
    with pytest.raises(InputError, match=words):
        load_text(tmp_path / name)
    assert not (tmp_path / "raw.txt").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (b"one\ntwo\n\xff\xfe", r"not UTF-8 \(byte 0xff at offset 8, line 3\)"),
        ("naïve".encode("latin-1"), "offset 2, line 1"),
        (b"GIF89a\0\0", "zero byte at offset 6"),
        ("text".encode("utf-16"), "zero byte"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"\xef\xbb\xbf\n  <HTML lang=en>", "HTML page"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC>", "HTML page"),
        (b"<!-- saved -->\n<html>", "HTML page"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, data, words):
    path, output = tmp_path / "my.txt", tmp_path / "raw.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        fetch("my", {"kind": "path", "path": str(path)}, output)
    assert "my.txt" in str(caught.value)
    assert ";" in str(caught.value)  # the remedy
    assert not output.exists()


@given(st.text())
def test_check_text_returns_every_text_it_accepts_unchanged(text):
    try:
        assert check_text(text.encode(), "it") == text.removeprefix("\ufeff")
    except InputError:
        assert "\0" in text or not text.removeprefix("\ufeff").strip()


def test_text_about_html_is_text():
    assert check_text(b"The <html> tag opens a page.", "it").startswith("The")


@pytest.mark.parametrize("name", [name for name, block in SHIPPED.items() if block["kind"] == "builtin"])
def test_shipped_builtins_need_no_network(tmp_path, name):
    block = SHIPPED[name]
    fetch(name, block, tmp_path / "raw.txt")
    text = load_text(tmp_path / "raw.txt")
    assert len(text) == block.get("length", block.get("max_characters"))
    source = corpus_source(name, block)
    assert (source is None) == (name == "python_docs")
    if source:
        assert symbol_bits(source, symbol_ids(source, text)).mean() == pytest.approx(entropy_rate(source), abs=0.01)


def test_python_docs_whole(tmp_path):
    fetch("docs", {"kind": "builtin", "builtin": "python_docs"}, tmp_path / "raw.txt")
    text = load_text(tmp_path / "raw.txt")
    assert len(text) > 300_000
    assert text.startswith('The "assert" statement\n')


def test_python_docs_say_nothing_twice(tmp_path):
    fetch("docs", {"kind": "builtin", "builtin": "python_docs"}, tmp_path / "raw.txt")
    paragraphs = [" ".join(paragraph.split()) for paragraph in load_text(tmp_path / "raw.txt").split("\n\n")]
    assert len(set(paragraphs)) == len(paragraphs)


def test_shipped_corpora():
    assert [*SHIPPED] == ["time_machine", "tiny_shakespeare", "war_and_peace", "python_docs", "markov_chain",
                          "even_process", "brackets"]  # fmt: skip
    assert SHIPPED["time_machine"]["cleaning"] == "letters"
    assert corpus_source("time_machine", SHIPPED["time_machine"]) is None


GENERATED = {"kind": "builtin", "builtin": "even_process", "length": 10, "seed": 1}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("my.txt", ["kind is 'my.txt'", "url, path, files, builtin"]),
        ({"kind": "ftp"}, ["kind is 'ftp'", "url, path, files, builtin"]),
        ({"kind": ["url"]}, ["kind is ['url']"]),
        ({"kind": "path"}, ["key path is missing"]),
        ({"kind": "files", "files": {"train": "a", "valid": "b"}}, ["a block of train, valid, test"]),
        ({"kind": "files", "files": {"train": "a", "valid": 3, "test": "c"}}, ["corpus my.valid", "path is 3"]),
        ({"kind": "files", "files": {"train": "a", "valid": "b", "test": {"urls": []}}}, ["my.test: key sha256"]),
        ({"kind": "path", "path": 3}, ["path is 3"]),
        ({"kind": "path", "path": "a", "urls": []}, ["key urls is unknown", "sha256"]),
        (definition("http://example.org/a.txt"), ["urls", "http://example.org", "https://"]),
        (definition("file:///etc/hosts"), ["https://"]),
        (definition("https://example.org/a b"), ["https://"]),
        (definition(), ["urls is []"]),
        (definition("https://example.org/a", urls="https://example.org/a"), ["a list of addresses"]),
        (definition("https://example.org/a", sha256=12), ["sha256 is 12", "64", "quotes"]),
        (definition("https://example.org/a", sha256="0" * 63), ["sha256", "64"]),
        (definition("https://example.org/a", max_bytes=-1), ["max_bytes is -1"]),
        ({"kind": "builtin", "builtin": "perl_docs"}, ["'perl_docs'", "python_docs, markov_chain"]),
        ({"kind": "builtin", "builtin": ["x"]}, ["builtin is ['x']"]),
        ({"kind": "builtin", "builtin": "python_docs", "max_characters": 0}, ["max_characters is 0"]),
        ({"kind": "builtin", "builtin": "python_docs", "seed": 1}, ["seed is 1", "no such key"]),
        (GENERATED | {"length": "10"}, ["length is '10'"]),
        (GENERATED | {"seed": None}, ["seed is None"]),
        (GENERATED | {"settings": [1]}, ["settings is [1]"]),
        (GENERATED | {"settings": {"probability": 7}}, ["corpus my", "probability is 7"]),
    ],
)
def test_wrong_definitions_are_named(tmp_path, wrong, words):
    with pytest.raises(InputError) as caught:
        fetch("my", wrong, tmp_path / "raw.txt")
    assert all(word in str(caught.value) for word in ["corpus my", *words]), caught.value
    assert not (tmp_path / "raw.txt").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", 7, None])
def test_names_of_corpora_are_names_of_folders(name):
    with pytest.raises(InputError, match="names a corpus"):
        check_definition(name, GENERATED)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": None}, "title is None"),
        ({"title": "two\nlines"}, "one line"),
        ({"licence": ""}, "licence is ''"),
        ({"cleaning": "lower"}, "cleaning is 'lower'; allowed are letters, whitespace, none"),
        ({"units": "char"}, "units is 'char'"),
        ({"units": ["morpheme"]}, "units is .*char, word"),
        ({"colour": "red"}, "key colour is unknown"),
    ],
)
def test_wrong_descriptions_are_named(tmp_path, change, words):
    path = tmp_path / "corpora.yaml"
    path.write_text(yaml.safe_dump({"my": SHIPPED["brackets"] | change}))
    with pytest.raises(InputError, match=rf"corpora.yaml: corpus my: .*{words}"):
        load_corpora(path)


@pytest.mark.parametrize(("content", "words"), [(b"", "no corpora"), (b"a: [", "not valid YAML"), (b"\xff", "YAML")])
def test_files_that_are_no_list_of_corpora(tmp_path, content, words):
    (tmp_path / "corpora.yaml").write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_corpora(tmp_path / "corpora.yaml")


def run_script(output: Path, block: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "workflow" / "scripts" / "fetch_corpus.py"
    command = [sys.executable, script, "--name", "times", "--definition", block, "--output", output]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src"), **environment}, capture_output=True, text=True)


def test_the_script(tmp_path):
    (tmp_path / "times.txt").write_bytes(TEXT)
    block, output = json.dumps(definition("https://127.0.0.1:9/nobody")), tmp_path / "raw.txt"
    assert run_script(output, block, SEQLAB_MIRROR=str(tmp_path)).returncode == 0
    assert output.read_bytes() == TEXT
    failed = run_script(output, "{")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: --definition of corpus times is not JSON")
    assert failed.stderr.count("\n") == 1


def test_a_text_of_three_files_is_one_with_separators(tmp_path):
    files = {}
    for part, content in (("train", b"\xef\xbb\xbfone\r\n"), ("valid", b"two"), ("test", b"three\n")):
        files[part] = str(tmp_path / part)
        (tmp_path / part).write_bytes(content)
    fetch("my", {"kind": "files", "files": files}, tmp_path / "raw.txt")
    assert (tmp_path / "raw.txt").read_bytes() == b"one\r\n\x1ctwo\x1cthree\n"


def test_a_download_among_three_files_is_taken_from_the_mirror(tmp_path):
    (tmp_path / "my.test.txt").write_bytes(TEXT)
    (tmp_path / "local").write_text("local")
    url = {"urls": ["https://example.org/test.txt"], "sha256": SHA256}
    definition = {"kind": "files", "files": dict.fromkeys(("train", "valid"), str(tmp_path / "local")) | {"test": url}}
    fetch("my", definition, tmp_path / "raw.txt", tmp_path)
    assert (tmp_path / "raw.txt").read_bytes() == b"local\x1clocal\x1c" + TEXT


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"a\nb\x1cc", "U+001C in line 2"), (None, "exist")])
def test_a_wrong_file_among_three_is_named(tmp_path, content, words):
    for part in ("train", "valid", "test"):
        (tmp_path / part).write_text(part)
    if content is None:
        (tmp_path / "valid").unlink()
    else:
        (tmp_path / "valid").write_bytes(content)
    definition = {"kind": "files", "files": {part: str(tmp_path / part) for part in ("train", "valid", "test")}}
    with pytest.raises(InputError) as caught:
        fetch("my", definition, tmp_path / "raw.txt")
    assert str(caught.value).startswith(str(tmp_path / "valid")) and words in str(caught.value)
    assert not (tmp_path / "raw.txt").exists()
