"""seqlab ngram at the command line."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seqlab import NgramModel
from seqlab.cli.main import main
from seqlab.cli.ngram import estimate_kenlm_sizes

TRAIN = "the cat sat\nthe dog sat down\nthe cat ran\na dog ran down\n"
TEST = "the cat ran down\nthe zebra sat\n\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """`seqlab ngram` in this process and an empty folder: returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seqlab", "ngram", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)), encoding="utf-8"))
        code: Any = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        printed = capfd.readouterr()
        if isinstance(code, str):
            return 1, printed.out, printed.err + code + "\n"
        return int(code or 0), printed.out, printed.err

    return call


@pytest.fixture
def trained(run: Any) -> Any:
    """`run` in a folder with train.txt, test.txt, its model in `model` and in model.arpa.gz."""
    Path("train.txt").write_text(TRAIN)
    Path("test.txt").write_text(TEST)
    assert run("train", "train.txt", "-o", 3, "--model", "model", "--arpa", "model.arpa.gz")[0] == 0
    return run


def test_files_standard_input_and_compressed_files_are_one_text(trained: Any) -> None:
    first, second, third, fourth = TRAIN.splitlines(keepends=True)
    Path("first.txt").write_text(first + second)
    Path("last").write_bytes(gzip.compress(fourth.encode()))
    code, out, error = trained("train", "first.txt", "-", "last", "-o", 3, "--model", "again", stdin=third.encode())
    assert (code, out) == (0, "")
    assert Path("again/model.ngram").read_bytes() == Path("model/model.ngram").read_bytes()
    assert "14 symbols in 4 lines" in error


def test_the_summary_tells_counts_discounts_and_fallbacks(trained: Any) -> None:
    code, out, _ = trained("info", "model", "--json")
    summary = json.loads(out)
    assert code == 0
    assert summary["ngrams"] == [10, 14, 13]
    assert len(summary["discounts"]) == 3
    assert any("fall-back" in note for note in summary["notes"])
    text = trained("info", "model")[1]
    assert "bytes per n-gram" in text and "KenLM: trie" in text


@pytest.mark.parametrize("model", ["model", "model.arpa.gz"])
def test_query_prints_a_line_for_each_sentence_and_the_totals(trained: Any, model: str) -> None:
    code, out, _ = trained("query", model, "test.txt")
    header, *lines = out.splitlines()
    assert code == 0
    assert header.split("\t") == ["log10", "unknown", "perplexity", "perplexity_without_unknown", "sentence"]
    loaded = NgramModel.load("model")
    cells = [line.split("\t") for line in lines[:3]]
    assert [float(cell[0]) for cell in cells] == pytest.approx(
        [loaded.score(line) for line in TEST.splitlines()], abs=2e-6
    )
    assert [cell[1] for cell in cells] == ["0", "1", "0"]
    assert [cell[4] for cell in cells] == TEST.splitlines()
    assert lines[3] == "10 symbols scored, 1 of them unknown"


def test_totals_as_json(trained: Any) -> None:
    totals = json.loads(trained("query", "model", "-", "--json", stdin=TEST.encode())[1])
    model = NgramModel.load("model")
    total = sum(model.score(line) for line in TEST.splitlines())
    assert totals["log10_total"] == pytest.approx(total, abs=1e-6)
    assert totals["perplexity"] == pytest.approx(10 ** (-total / 10), rel=1e-6)
    unknown = model.follow(model.follow(model.state(), "the")[1], "zebra")[0]
    assert totals["perplexity_without_unknown"] == pytest.approx(10 ** (-(total - unknown) / 9), rel=1e-6)
    assert totals["unknown"] == 1


def test_every_token_with_the_order_that_matched(trained: Any) -> None:
    _, out, error = trained("query", "model", "test.txt", "--per-token")
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert [row[2] for row in rows[:5]] == ["the", "cat", "ran", "down", "</s>"]
    assert [row[3] for row in rows[:5]] == ["2", "3", "3", "2", "3"]
    assert rows[6][2:4] == ["<unk>", "1"]
    assert "10 symbols scored" in error


def test_a_pruned_model_is_smaller_and_keeps_its_unigrams(trained: Any) -> None:
    code, _, error = trained("prune", "model", "--entropy", "0.01", "--model", "small", "--arpa", "small.arpa")
    assert code == 0 and "27 of 37 n-grams kept" in error
    whole, small = NgramModel.load("model").packed.shape, NgramModel.load("small").packed.shape
    assert small.ngrams[0] == whole.ngrams[0] and sum(small.ngrams) < sum(whole.ngrams)


def test_prune_of_train_takes_all_numbers_after_it(trained: Any) -> None:
    assert trained("train", "--prune", "0", "0", "1", "--model", "cut", "train.txt", "-o", 3)[0] == 0
    assert trained("train", "train.txt", "--prune", "0,0,1", "--model", "comma", "-o", 3)[0] == 0
    assert NgramModel.load("cut").packed.shape.ngrams == NgramModel.load("comma").packed.shape.ngrams != (10, 14, 13)


def test_a_mixture_with_fitted_and_with_given_weights(trained: Any) -> None:
    Path("other.txt").write_text("a zebra ran\nthe zebra sat\n")
    trained("train", "other.txt", "-o", 2, "--model", "other")
    code, _, error = trained("mix", "model", "other", "--tune", "test.txt", "--model", "mixed")
    assert code == 0
    weights = [float(line.split()[0]) for line in error.splitlines()]
    assert sum(weights) == pytest.approx(1, abs=1e-3)
    assert trained("mix", "model", "other", "--weights", "0.5 0.5", "--arpa", "mixed.arpa")[0] == 0
    assert NgramModel.load("mixed").order == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "train.txt"], "there is nothing to write; give --arpa FILE, --model DIR or both"),
        (["train", "absent.txt", "--model", "m"], "absent.txt does not exist"),
        (["train", "-", "--model", "m"], "standard input is empty"),
        (["train", "train.txt", "--model", "m", "-o", "9"], "the longest line has 6 symbols"),
        (["train", "train.txt", "--model", "m", "--memory", "much"], "--memory is 'much'"),
        (["train", "train.txt", "--model", "m", "--memory", "100"], "is too small: the model needs"),
        (["train", "train.txt", "--model", "m", "--prune", "x"], "--prune is 'x'"),
        (["train", "train.txt", "--model", "m", "--vocabulary", "train.txt"], "train.txt, line 1: 'the cat sat' has a"),
        (["train", "train.txt", "--model", "m", "--vocabulary", "strange.txt"], "holds no word of the text"),
        (["train", "latin.txt", "--model", "m"], "latin.txt, line 2: byte 4 of the line, 0xe9, is not UTF-8"),
        (["query", "absent", "test.txt"], "absent holds no n-gram model"),
        (["query", "model", "test.txt", "--json", "--per-token"], "use one of them"),
        (["mix", "model", "--arpa", "a"], "give --tune TEXT or --weights"),
        (["mix", "model", "--arpa", "a", "--weights", "x"], "--weights is 'x'"),
        (["prune", "model", "--entropy", "0.1"], "there is nothing to write"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(trained: Any, words: list[str], sentence: str) -> None:
    Path("strange.txt").write_text("zebra\n")
    Path("latin.txt").write_bytes(b"one\ncaf\xe9\n")
    before = sorted(Path().iterdir())
    code, out, error = trained(*words)
    assert (code, out) == (1, "")
    assert sentence in error and error.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_sizes_of_kenlm_are_near_those_of_build_binary() -> None:
    """build_binary of KenLM 0.3.0 writes 937,692 bytes as trie and 1,889,379 as probing, words included."""
    sizes = estimate_kenlm_sizes([4332, 19128, 26881, 26513, 83])
    assert sizes["kenlm_trie"] == pytest.approx(937_692, rel=0.05)
    assert sizes["kenlm_probing"] == pytest.approx(1_889_379, rel=0.05)
