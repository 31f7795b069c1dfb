"""Texts from a server on this computer and from a mirror, and servers that never give them."""

import hashlib
import itertools
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from downloads import DESCRIPTION, SHA256, TEXT, Handler, definition

from seqlab.io.errors import InputError
from seqlab.text import corpora
from seqlab.text.corpora import download_first, fetch_corpus


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Nothing here may leave this computer."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 0)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))  # between two tries
    monkeypatch.setattr(corpora, "TIMEOUT", 5)
    Handler.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


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
        ("drip", "it is too slow, [0-9]+ bytes", 1),
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
    seconds = itertools.count()
    if page == "drip":  # a second goes by with each part of it, and none with the text that comes next
        clock = SimpleNamespace(monotonic=lambda: 0 if Handler.asked["/good"] else next(seconds))
        monkeypatch.setattr(corpora, "time", clock)
    with pytest.raises(InputError, match=words):
        download_first("times", definition(f"{server}/{page}"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Handler.asked[f"/{page}"] == asked
    assert download_first("times", definition(f"{server}/{page}", f"{server}/good"), tmp_path) == TEXT
    assert list(tmp_path.iterdir()) == []
    record_property(f"download: {page}", 2)


def test_fetch_downloads_and_replaces(server, tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "check_corpus", lambda *_: None)  # which would ask for https
    output = tmp_path / "times" / "raw.txt"
    fetch_corpus("times", definition(f"{server}/good"), output)
    assert output.read_bytes() == TEXT
    with pytest.raises(InputError):
        fetch_corpus("times", definition(f"{server}/missing"), output, tmp_path)
    assert output.read_bytes() == TEXT
    assert sorted(path.name for path in output.parent.iterdir()) == [".raw.txt.sha256", "raw.txt"]


def test_fetch_reads_the_mirror_first_under_the_same_checksum(tmp_path):
    mirror, output = tmp_path / "mirror", tmp_path / "raw.txt"
    mirror.mkdir()
    (mirror / "times.txt").write_bytes(TEXT)
    fetch_corpus("times", definition("https://127.0.0.1:9/nobody"), output, mirror)
    assert output.read_bytes() == TEXT
    (mirror / "times.txt").write_bytes(TEXT + b"edited")
    with pytest.raises(InputError, match=rf"mirror/times.txt.*{SHA256}.*not kept"):
        fetch_corpus("times", definition("https://127.0.0.1:9/nobody"), output, mirror)
    assert output.read_bytes() == TEXT


def test_mirrors_that_do_not_help(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "RETRIES", 0)
    with pytest.raises(InputError, match=r"SEQLAB_MIRROR names .*nowhere, which is not a folder"):
        fetch_corpus("times", definition("https://127.0.0.1:9/nobody"), tmp_path / "raw.txt", tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"has no times\.txt; https://127.0.0.1:9/nobody: no connection"):
        fetch_corpus("times", definition("https://127.0.0.1:9/nobody"), tmp_path / "raw.txt", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_among_three_files_is_taken_from_the_mirror(tmp_path):
    (tmp_path / "my.test.txt").write_bytes(TEXT)
    (tmp_path / "local").write_text("local")
    url = {"urls": ["https://example.org/test.txt"], "sha256": SHA256}
    definition = DESCRIPTION | {
        "kind": "files",
        "files": dict.fromkeys(("train", "valid"), str(tmp_path / "local")) | {"test": url},
    }
    fetch_corpus("my", definition, tmp_path / "raw.txt", tmp_path)
    assert (tmp_path / "raw.txt").read_bytes() == b"local\x1clocal\x1c" + TEXT
