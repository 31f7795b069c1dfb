"""Fetching raw texts from files and built-ins; and what is no text."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from downloads import DESCRIPTION, SHA256, TEXT, definition
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.files import read_json
from seqlab.text.corpora import fetch_corpus
from seqlab.text.definitions import corpus_source, load_corpora, second_source
from seqlab.text.reading import check_text, load_text
from seqlab.text.sources import entropy_rate, rate_answers, symbol_bits, symbol_ids

ROOT = Path(__file__).parents[3]
SHIPPED = load_corpora(ROOT / "config" / "corpora.yaml")


def test_fetch_from_a_path(tmp_path):
    path, output = tmp_path / "my.txt", tmp_path / "raw.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT)
    fetch_corpus("my", DESCRIPTION | {"kind": "path", "path": str(path)}, output)
    assert output.read_bytes() == path.read_bytes()
    assert load_text(output) == TEXT.decode()
    with pytest.raises(InputError, match=f"my.txt.*{SHA256}"):
        fetch_corpus("my", DESCRIPTION | {"kind": "path", "path": str(path), "sha256": SHA256}, output)


@pytest.mark.parametrize(
    ("name", "words"), [("absent.txt", "absent.txt does not exist"), ("folder", "folder is a folder or a device")]
)
def test_paths_that_are_no_files(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=words):
        fetch_corpus("my", DESCRIPTION | {"kind": "path", "path": str(tmp_path / name)}, tmp_path / "raw.txt")
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
        fetch_corpus("my", DESCRIPTION | {"kind": "path", "path": str(path)}, output)
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
    fetch_corpus(name, block, tmp_path / "raw.txt")
    text = load_text(tmp_path / "raw.txt")
    assert len(text) == block.get("length", block.get("max_characters", 0) + 1)  # python_docs ends its last line
    source = corpus_source(name, block)
    assert (source is None) == (block["builtin"] == "python_docs")
    if source:
        assert symbol_bits(source, symbol_ids(source, text)).mean() == pytest.approx(entropy_rate(source), abs=0.01)


@pytest.mark.parametrize(
    ("name", "rate", "second_rate", "chance"),
    [
        ("parity", 1.2445, 1.0995, 1.0),
        ("cyclic_5", 1.2445, 1.0995, 2.322),
        ("symmetric_3", 1.2445, 1.0995, 1.585),
        ("alternating_5", 1.7231, 1.6615, 2.322),
        ("symmetric_5", 1.2445, 1.0995, 2.322),
    ],
)
def test_rates_of_the_shipped_groups(name, rate, second_rate, chance):
    source, second = corpus_source(name, SHIPPED[name]), second_source(name, SHIPPED[name])
    assert source and second
    assert (entropy_rate(source), entropy_rate(second)) == pytest.approx((rate, second_rate), abs=6e-5)
    assert [rate_answers(one).chance for one in (source, second)] == pytest.approx([chance] * 2, abs=6e-4)


@pytest.mark.parametrize(
    ("name", "order"), [("parity", 2), ("symmetric_3", 6), ("alternating_5", 60), ("symmetric_5", 120)]
)
def test_shipped_generators_generate_the_group_of_the_name(name, order):
    generators = SHIPPED[name]["settings"]["generators"]
    elements = {tuple(range(1, len(generators[0]) + 1))}
    while True:
        products = {tuple(g[point - 1] for point in element) for g in generators for element in elements} | elements
        if products == elements:
            break
        elements = products
    assert len(elements) == order


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"generators": [[2, 3, 1]]}, ["corpus words", "second_text change the alphabet"]),
        ({"question": 1}, ["corpus words, second_text", "question is 1"]),
        ({"questions": 0.1}, ["second_text", "no setting questions"]),
    ],
)
def test_a_second_text_that_models_cannot_read_is_refused_before_anything_is_written(tmp_path, settings, words):
    block = SHIPPED["parity"] | {"second_text": {"settings": settings, "length": 10, "seed": 1}}
    with pytest.raises(InputError) as caught:
        fetch_corpus("words", block, tmp_path / "raw.txt")
    assert all(word in str(caught.value) for word in words), caught.value
    assert not (tmp_path / "raw.txt").exists()


def test_python_docs_whole(tmp_path):
    fetch_corpus("docs", DESCRIPTION | {"kind": "builtin", "builtin": "python_docs"}, tmp_path / "raw.txt")
    text = load_text(tmp_path / "raw.txt")
    assert len(text) > 300_000
    assert text.startswith('The "assert" statement\n')


def test_python_docs_say_nothing_twice(tmp_path):
    fetch_corpus("docs", DESCRIPTION | {"kind": "builtin", "builtin": "python_docs"}, tmp_path / "raw.txt")
    paragraphs = [" ".join(paragraph.split()) for paragraph in load_text(tmp_path / "raw.txt").split("\n\n")]
    assert len(set(paragraphs)) == len(paragraphs)


def test_shipped_corpora():
    downloaded = ["time_machine", "tiny_shakespeare", "war_and_peace"]
    generated = ["python_docs", "python_docs_short", "markov_chain", "even_process", "brackets"]
    groups = ["parity", "cyclic_5", "symmetric_3", "alternating_5", "symmetric_5"]
    assert [*SHIPPED] == downloaded + generated + groups
    assert SHIPPED["time_machine"]["cleaning"] == "letters"
    assert corpus_source("time_machine", SHIPPED["time_machine"]) is None


def run_script(output: Path, block: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "workflow" / "scripts" / "fetch_corpus.py"
    command = [sys.executable, script, "--name", "times", "--definition", block, "--output", output]
    command += ["--source", output.with_name("source.json")]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src"), **environment}, capture_output=True, text=True)


def test_the_script(tmp_path):
    (tmp_path / "times.txt").write_bytes(TEXT)
    block, output = json.dumps(definition("https://127.0.0.1:9/nobody")), tmp_path / "raw.txt"
    assert run_script(output, block, SEQLAB_MIRROR=str(tmp_path)).returncode == 0
    assert output.read_bytes() == TEXT
    assert read_json(tmp_path / "source.json")["source"] == "https://127.0.0.1:9/nobody"
    failed = run_script(output, "{")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: --definition of corpus times is not JSON")
    assert failed.stderr.count("\n") == 1


def test_a_text_of_three_files_is_one_with_separators(tmp_path):
    files = {}
    for part, content in (("train", b"\xef\xbb\xbfone\r\n"), ("valid", b"two"), ("test", b"three\n")):
        files[part] = str(tmp_path / part)
        (tmp_path / part).write_bytes(content)
    fetch_corpus("my", DESCRIPTION | {"kind": "files", "files": files}, tmp_path / "raw.txt")
    assert (tmp_path / "raw.txt").read_bytes() == b"one\r\n\x1ctwo\x1cthree\n"


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"a\nb\x1cc", "U+001C in line 2"), (None, "exist")])
def test_a_wrong_file_among_three_is_named(tmp_path, content, words):
    for part in ("train", "valid", "test"):
        (tmp_path / part).write_text(part)
    if content is None:
        (tmp_path / "valid").unlink()
    else:
        (tmp_path / "valid").write_bytes(content)
    files = {part: str(tmp_path / part) for part in ("train", "valid", "test")}
    with pytest.raises(InputError) as caught:
        fetch_corpus("my", DESCRIPTION | {"kind": "files", "files": files}, tmp_path / "raw.txt")
    assert str(caught.value).startswith(str(tmp_path / "valid")) and words in str(caught.value)
    assert not (tmp_path / "raw.txt").exists()
