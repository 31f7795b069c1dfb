"""Commands whose output can't hold every character, and prompts of any bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqlab.ngram.smoothing import estimate
from seqlab.text.vocab import Vocab

ROOT = Path(__file__).parents[3]
TEXT = "今天 很好 \U0001f600 é "


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a text that most encodings can't hold, by each unit."""
    base = tmp_path_factory.mktemp("models")
    for unit in ("char", "word", "byte"):
        folder = base / unit / "ngram/mkn-2"
        folder.mkdir(parents=True)
        vocab = Vocab(Vocab(unit=unit).tokenize(TEXT), unit=unit)
        vocab.save(folder / "vocab.json")
        ids = vocab.encode(vocab.tokenize(TEXT * 9))
        estimate("mkn", [ids], 2, len(vocab)).model.save(folder / "model.npz")
    return base


def generated(
    model: Path, prompt: "str | bytes", *words: str, encoding: str = "utf-8", **more: str
) -> tuple[int, bytes, bytes]:
    """Exit code and output of seqlab generate, in a process of its own."""
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT / "src")} | more
    call = [sys.executable, "-c", "from seqlab.cli.main import main; main()", "generate", "-m", model / "ngram/mkn-2"]
    ended = subprocess.run(
        [*call, "--prompt", prompt, "--symbols", "4", "--temperature", "0", *words],
        env=environment, capture_output=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8"])
def test_what_the_output_can_t_hold_is_escaped(models: Path, encoding: str) -> None:
    code, out, err = generated(models / "word", "今天", encoding=encoding)
    escaped = "今天 很好 \U0001f600 é 今天".encode(encoding, "backslashreplace")
    assert (code, out.rstrip(), err) == (0, escaped, b"")


def test_json_holds_every_character_in_any_encoding(models: Path) -> None:
    code, out, _ = generated(models / "word", "今天", "--json", encoding="cp1252")
    assert (code, json.loads(out.decode("cp1252"))["texts"]) == (0, [" 很好 \U0001f600 é 今天"])


@pytest.mark.parametrize("unit", ["char", "word", "byte"])
def test_a_prompt_of_bytes_that_are_no_utf8_ends_with_a_sentence(models: Path, unit: str) -> None:
    code, out, err = generated(models / unit, b"the \xff\xfe")
    told = rb"error: the text 'the \udcff\udcfe' has byte 0xff at place 4, which is not UTF-8; correct it"
    assert (code, out, err.strip()) == (1, b"", told)


def test_a_prompt_in_utf8_is_read_whatever_the_locale(models: Path) -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, err = generated(models / "char", "今", **locale)
    assert (code, out[:6].decode(), err) == (0, "今天", b"")


def test_symbols_of_a_prompt_that_the_model_does_not_know_are_told(models: Path) -> None:
    code, _, err = generated(models / "char", "今天QX")
    assert (code, err.strip()) == (0, b"warning: 2 of 4 symbols of the prompt are unknown to the model")
