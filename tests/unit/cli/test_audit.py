"""seqlab audit: runs of an experiment and ARPA files."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import make_experiment

from seqlab.cli.main import main
from seqlab.ngram.arpa import write_arpa
from seqlab.ngram.model import BackoffModel
from seqlab.text.vocab import Vocab

NGRAM, NETWORK, MIXTURE = "exp/toy/char/ngram/mkn-2", "exp/toy/char/rnn/rnn-1x2", "exp/toy/char/mixture/both"
EXTERNAL = "exp/toy/char/external/uniform"


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment, in the layout of results: the clean text is in the folder above the ids."""
    folder = tmp_path_factory.mktemp("audit") / "toy"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_experiment()
        for name in ("clean.txt", ".clean.txt.sha256"):
            shutil.copy(name, folder.parent)
    return folder


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], experiment: Path) -> Any:
    monkeypatch.chdir(experiment)

    def call(*words: object) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["seqlab", "audit", *map(str, words), "--device", "cpu"])
        try:
            main()
        except SystemExit as ended:
            return ended.code or 0, capfd.readouterr().out
        return 0, capfd.readouterr().out

    return call


@pytest.mark.parametrize(
    ("folder", "name"),
    [(NGRAM, NGRAM), (NETWORK, f"{NETWORK} seed 1"), (MIXTURE, MIXTURE), (EXTERNAL, EXTERNAL)],
)
def test_a_run_keeps_every_law_on_the_test_split(audit: Any, folder: str, name: str) -> None:
    code, out = audit(folder, "--json")
    content = json.loads(out)
    (model,) = content["models"]
    assert (code, content["is_fair"], model["model"]) == (0, True, name)
    assert [row["outcome"] for row in model["laws"]] == ["kept"] * 10


def test_a_changed_model_no_longer_fits_its_ledger(audit: Any, experiment: Path) -> None:
    path = experiment / NGRAM / "model.npz"
    before, digest = path.read_bytes(), path.with_name(".model.npz.sha256")
    model = BackoffModel.load(path)
    unigrams = np.full(model.vocabulary, 1 / model.vocabulary)
    digest_before = digest.read_bytes() if digest.exists() else None
    digest.unlink(missing_ok=True)
    try:
        BackoffModel(model.vocabulary, True, model.key[:1], [unigrams], []).save(path)
        code, out = audit(NGRAM)
    finally:
        path.write_bytes(before)
        if digest_before is not None:
            digest.write_bytes(digest_before)
    assert code == 1
    assert "broken: bits of that distribution" in out
    assert "the ledger holds other bits of the symbol at place" in out


def test_an_arpa_file_is_audited_on_a_given_text(audit: Any, experiment: Path, tmp_path: Path) -> None:
    model, vocab = BackoffModel.load(experiment / NGRAM / "model.npz"), Vocab.load(experiment / "vocab.json")
    write_arpa(tmp_path / "toy.arpa", model, vocab.tokens)
    code, out = audit(tmp_path / "toy.arpa", "--text", "clean.txt")
    assert code == 0
    assert out.splitlines()[-1] == "no law is broken"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["clean.txt"], "is a file without a text; give one with --text"),
        ([], "audit got no model"),
        (["--model", "model.py:Model"], "has no text"),
        (["model.py:Model"], "model.py:Model is a class; name it with --model"),
        (["exp/toy"], "is not the folder of a finished run"),
        (["exp/toy/char/compressor/xz"], "holds no model"),
    ],
)
def test_what_cannot_be_audited_is_refused(audit: Any, words: list[str], problem: str) -> None:
    code, out = audit(*words)
    assert problem in str(code)
    assert not out


MODEL = """
class Model:
    def symbols(self):
        return ["<unk>", *"abcdefghijklmnopqrstuvwxyz ,.\\n"]

    def log2_probabilities(self, prefix):
        import math
        return [-math.log2(len(self.symbols()) - {less})] * len(self.symbols())
"""


@pytest.mark.parametrize(("more", "end"), [(0, "no law is broken"), (1, "broken: denominators")])
def test_the_sizes_of_a_class_are_compared_with_the_text(audit: Any, tmp_path: Path, more: int, end: str) -> None:
    sizes = f"{{'bytes': len(text.encode()) + {more}, 'characters': len(text)}}"
    (tmp_path / "model.py").write_text(MODEL.format(less=0) + f"    def sizes(self, text):\n        return {sizes}\n")
    code, out = audit("--model", f"{tmp_path / 'model.py'}:Model", "--text", "clean.txt")
    assert (code, out.splitlines()[-1]) == (more, end)


def test_sizes_of_unknown_names_are_refused(audit: Any, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        MODEL.format(less=0) + "    def sizes(self, text):\n        return {'tokens': 1}\n"
    )
    code, _ = audit("--model", f"{tmp_path / 'model.py'}:Model", "--text", "clean.txt")
    assert "sizes returns the names ['tokens']; use some of characters, bytes, words" in str(code)


@pytest.mark.parametrize(("less", "end"), [(0, "no law is broken"), (1, "broken: normalised")])
def test_a_class_of_another_program_is_audited(audit: Any, tmp_path: Path, less: int, end: str) -> None:
    (tmp_path / "model.py").write_text(MODEL.format(less=less))
    code, out = audit("--model", f"{tmp_path / 'model.py'}:Model", "--text", "clean.txt")
    assert out.splitlines()[-1] == end
    assert code == less
