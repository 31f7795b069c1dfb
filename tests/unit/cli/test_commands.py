"""seqlab at the command line: score, generate, compare, corpora, doctor."""

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_results import keep_falling, list_runs, make_results

from seqlab import doctor
from seqlab.cli.main import COMMANDS, main
from seqlab.fleet.checkpoint import save_network
from seqlab.io.cards import write_card
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import Run, write_experiment
from seqlab.ngram.model import BackoffModel, distribution, symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.text.vocab import Vocab

ROOT = Path(__file__).parents[3]
TEXT = "the time traveller for so it will be convenient to speak of him was expounding a recondite matter to us "
SEEDS = [4, 7]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """`seqlab` in this process: returns exit code, standard output and standard error."""

    def call(*words: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seqlab", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        code: Any = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        printed = capfd.readouterr()
        if isinstance(code, str):  # the interpreter would print it
            return 1, printed.out, printed.err + code + "\n"
        return int(code or 0), printed.out, printed.err

    return call


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/made/toy/char with an n-gram and a network of two seeds; an n-gram by word and by byte beside it."""
    results = tmp_path_factory.mktemp("commands") / "results"
    for unit in ("char", "word", "byte"):
        vocab = Vocab(Vocab(unit=unit).tokenize(TEXT + "naïve "), unit=unit)
        prepared = results / "corpora/toy" / unit
        vocab.save(prepared / "vocab.json")
        ngram = Run(str(results / "made"), "toy", unit, "ngram", "mkn-3")
        ngram.folder.mkdir(parents=True)
        model = estimate("mkn", [vocab.encode(vocab.tokenize(TEXT * 3))], 3, len(vocab)).model
        model.save(ngram.file("model.npz"))
        make_card(ngram, {"smoothing": "mkn", "order": 3}, [], prepared)
        runs = [ngram]
        if unit == "char":
            network = Run(*ngram.place, "rnn", "lstm-1x8")
            network.folder.mkdir(parents=True)
            architecture = Architecture("lstm", 1, 8, len(vocab))
            save_network(network.folder, architecture, architecture.initial_parameters(SEEDS), SEEDS)
            make_card(network, {"cell": "lstm", "layers": 1, "hidden": 8}, SEEDS, prepared)
            runs.append(network)
        list_runs(runs, prepared)
    return results / "made/toy/char"


def make_card(run: Run, settings: dict[str, Any], seeds: list[int], prepared: Path) -> None:
    names = {"corpus": run.corpus, "unit": run.unit, "family": run.family, "model": run.model}
    data = {"ids": "0" * 64, "splits": "1" * 64, "vocab": sha256_of(prepared / "vocab.json")}
    write_card(run.file("card.yaml"), names | {"settings": settings, "seeds": seeds, "data": data})


def vocab_of(base: Path, unit: str = "char") -> Vocab:
    return Vocab.load(base.parents[2] / "corpora/toy" / unit / "vocab.json")


def bits_of(base: Path, text: str) -> np.ndarray:
    """The bits of the n-gram by character, by the functions that the workflow scores with."""
    vocab = vocab_of(base)
    return -np.log2(symbol_probabilities(BackoffModel.load(base / "ngram/mkn-3/model.npz"), [vocab.encode(list(text))]))


def test_score_agrees_with_the_ledgers_arithmetic(run: Any, base: Path, tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("so it will naïve")
    code, out, _ = run("score", tmp_path / "my.txt", "-m", base / "ngram/mkn-3", "--json")
    (row,) = json.loads(out)["scores"]
    bits = bits_of(base, "so it will naïve")
    assert code == 0
    assert (row["symbols"], row["unknown"], row["seed"]) == (15, 0, None)
    assert row["perplexity"] == pytest.approx(2 ** bits.mean())
    assert row["bits_per_byte"] == pytest.approx(bits.sum() / 16)  # ï has two bytes
    assert row["bits_per_word"] == pytest.approx(bits.sum() / 4)


def test_score_reads_standard_input_and_prints_lines_for_people(run: Any, base: Path) -> None:
    code, out, err = run("score", "-", "--model", base / "ngram/mkn-3", stdin="so it will")
    assert (code, err) == (0, "")
    assert "9 symbols scored, all known" in out
    assert f"{2 ** bits_of(base, 'so it will').mean():.4f}" in out.split("perplexity")[1].splitlines()[0]


def test_score_gives_every_seed_of_a_network(run: Any, base: Path) -> None:
    _, out, _ = run("score", "-", "-m", base / "rnn/lstm-1x8", "--json", "--device", "cpu", stdin="so it will")
    vocab = vocab_of(base)
    architecture = Architecture("lstm", 1, 8, len(vocab))
    expected = stream_bits(architecture, architecture.initial_parameters(SEEDS), [vocab.encode(list("so it will"))])
    rows = json.loads(out)["scores"]
    assert [row["seed"] for row in rows] == SEEDS
    assert [row["bits_per_symbol"] for row in rows] == pytest.approx(expected.mean(axis=1), rel=1e-5)


def test_score_of_a_network_tells_mean_and_spread(run: Any, base: Path) -> None:
    _, out, _ = run("score", "-", "-m", base / "rnn/lstm-1x8", "--device", "cpu", stdin="so it will")
    assert "mean of 2 seeds" in out and out.count("±") == 5


def test_score_per_token_is_a_table_of_every_scored_symbol(run: Any, base: Path) -> None:
    text = "so\tit will"
    _, out, _ = run("score", "-", "-m", base / "ngram/mkn-3", "--per-token", stdin=text)
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["position", "token", "known", "bits"]
    assert [row[0] for row in rows] == [str(place) for place in range(1, len(text))]
    assert rows[1][1:3] == ["\\t", "0"]  # a tab is unknown here, and must not break the table
    assert [float(row[3]) for row in rows] == pytest.approx(bits_of(base, text), abs=1e-6)


def test_score_warns_of_a_text_that_was_not_cleaned(run: Any, base: Path) -> None:
    code, _, err = run("score", "-", "-m", base / "ngram/mkn-3", stdin="SO IT WILL")
    assert code == 0 and err.startswith("warning: 77.8% of the symbols are unknown") and "--cleaning" in err
    cleaned, out, err = run("score", "-", "-m", base / "ngram/mkn-3", "--cleaning", "letters", stdin="SO IT WILL")
    assert (cleaned, err) == (0, "") and "all known" in out


@pytest.mark.parametrize("unit", ["word", "byte"])
def test_score_of_other_units(run: Any, base: Path, unit: str) -> None:
    folder = base.parent / unit / "ngram/mkn-3"
    _, out, _ = run("score", "-", "-m", folder, "--json", stdin="so it naïve will be")
    (row,) = json.loads(out)["scores"]
    assert row["symbols"] == {"word": 4, "byte": 19}[unit]
    characters = {"word": len(" it naïve will be"), "byte": len("o it naïve will be")}[unit]
    assert row["bits_per_char"] == pytest.approx(row["bits_per_symbol"] * row["symbols"] / characters)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["score", "nowhere.txt"], "nowhere.txt does not exist"),
        (["score", "-"], "standard input is empty"),
        (["score", "-", "--per-token", "--json"], "--per-token prints TSV"),
        (["generate", "--top-p", "2"], "top_p is 2.0; it must be above 0"),
        (["generate", "--beam", "2", "--samples", "2"], "--beam excludes --samples"),
        (["generate", "--replica", "3"], "--replica is 3, but the seeds of mkn-3 are none"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(run: Any, base: Path, words: list[str], told: str) -> None:
    code, out, err = run(*words, "-m", base / "ngram/mkn-3")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ") and told in err


def test_a_folder_without_a_model_is_named(run: Any, tmp_path: Path) -> None:
    code, _, err = run("score", "-", "-m", tmp_path, stdin="so it will")
    assert code == 1 and f"{tmp_path} holds no model; name the folder of a run, such as" in err


def test_a_run_is_used_from_any_folder_and_after_its_results_moved(
    run: Any, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(base.parents[2], tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved/made/toy/char")
    code, out, err = run("score", "-", "-m", "ngram/mkn-3", stdin="so it will")
    assert (code, err) == (0, "") and "9 symbols scored, all known" in out


def test_another_vocabulary_than_that_of_the_run_is_refused(run: Any, base: Path, tmp_path: Path) -> None:
    results = shutil.copytree(base.parents[2], tmp_path / "results")
    Vocab("another text").save(results / "corpora/toy/char/vocab.json")
    code, _, err = run("score", "-", "-m", results / "made/toy/char/ngram/mkn-3", stdin="so it will")
    assert code == 1 and "vocab.json differs from the file" in err


def test_a_run_that_is_listed_no_more_keeps_its_vocabulary(run: Any, base: Path, tmp_path: Path) -> None:
    """The default experiment was run again with another text."""
    results = shutil.copytree(base.parents[2], tmp_path / "results")
    call = ["score", "-", "-m", results / "made/toy/char/ngram/mkn-3"]
    before = run(*call, stdin="so it will")
    prepared = {"other/char": str(results / "corpora/other/char")}
    write_experiment(results / "made/runs.json", "made", [], "snakemake", prepared, [])
    assert run(*call, stdin="so it will") == before
    assert before[0] == 0


def test_generate_repeats_for_a_seed_and_differs_for_another(run: Any, base: Path) -> None:
    call = ["generate", "-m", base / "ngram/mkn-3", "--prompt", "so ", "--symbols", 40]
    texts = [run(*call, "--seed", seed)[1] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("so ") and len(texts[0]) == len("so ") + 40 + 1


def test_generate_draws_several_samples_from_seeds_that_follow(run: Any, base: Path) -> None:
    call = ["generate", "-m", base / "ngram/mkn-3", "--prompt", "so ", "--symbols", 20, "--json"]
    several = json.loads(run(*call, "--samples", 2, "--seed", 5)[1])["texts"]
    assert several == [json.loads(run(*call, "--seed", seed)[1])["texts"][0] for seed in (5, 6)]


@pytest.mark.parametrize(("unit", "prompt"), [("char", "so "), ("word", "so it"), ("byte", "na")])
def test_generated_pieces_make_the_text_of_the_vocabulary(run: Any, base: Path, unit: str, prompt: str) -> None:
    folder = base.parent / unit
    model, vocab = BackoffModel.load(folder / "ngram/mkn-3/model.npz"), vocab_of(base, unit)
    text = vocab.encode(vocab.tokenize(prompt)).tolist()
    for _ in range(12):
        text.append(int(distribution(model, text).argmax()))
    _, out, _ = run("generate", "-m", folder / "ngram/mkn-3", "--prompt", prompt, "--symbols", 12, "--temperature", 0)
    assert out == vocab.text_of(text) + "\n"


def test_a_beam_as_wide_as_all_texts_is_exact(run: Any, base: Path) -> None:
    model, vocab = BackoffModel.load(base / "ngram/mkn-3/model.npz"), vocab_of(base)
    prompt = vocab.encode(list("so ")).tolist()

    def cost(text: tuple[int, ...]) -> float:
        costs = [distribution(model, [*prompt, *text[:place]])[text[place]] for place in range(len(text))]
        return float(-np.log2(costs).sum())

    best = min(itertools.product(range(len(vocab)), repeat=2), key=cost)
    call = ["generate", "-m", base / "ngram/mkn-3", "--prompt", "so ", "--symbols", 2, "--beam", len(vocab)]
    answer = json.loads(run(*call, "--json")[1])
    assert answer["texts"] == [vocab.text_of(best)]
    assert answer["bits"] == pytest.approx(cost(best))


def test_a_network_is_searched_as_its_texts_one_by_one(run: Any, base: Path) -> None:
    call = ["generate", "-m", base / "rnn/lstm-1x8", "--replica", 7, "--prompt", "so ", "--symbols", 6]
    beam = json.loads(run(*call, "--beam", 3, "--json", "--device", "cpu")[1])
    scored = json.loads(
        run("score", "-", "-m", base / "rnn/lstm-1x8", "--json", "--device", "cpu", stdin="so " + beam["texts"][0])[1]
    )["scores"][1]
    before = json.loads(run("score", "-", "-m", base / "rnn/lstm-1x8", "--json", "--device", "cpu", stdin="so ")[1])
    whole = scored["bits_per_symbol"] * scored["symbols"] - before["scores"][1]["bits_per_symbol"] * 2
    assert (beam["replica"], beam["bits"]) == (7, pytest.approx(whole, rel=1e-5))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ledger")
    make_results(root)
    make_results(root, corpus="other")
    make_results(root, experiment="second", cells=("gru",), hidden=(8,))
    return root / "results" / "made"


def test_compare_tells_which_is_better_and_how_sure(run: Any, ledger: Path) -> None:
    ngrams = ledger / "toy/char/ngram"
    code, out, _ = run("compare", ngrams / "mkn-3", ngrams / "mkn-2", ngrams / "mkn-1", "--json")
    content = json.loads(out)
    assert code == 0
    assert [(row["model"], row["against"], row["verdict"]) for row in content["verdicts"]] == [
        ("mkn-3", "mkn-2", "better"), ("mkn-3", "mkn-1", "better"),
    ]  # fmt: skip
    means = {model["model"]: model["bits_per_symbol"] for model in content["models"]}
    assert content["verdicts"][0]["difference"] == pytest.approx(means["mkn-3"] - means["mkn-2"], abs=1e-6)
    assert content["verdicts"][0]["low"] < content["verdicts"][0]["difference"] < content["verdicts"][0]["high"]


def test_compare_says_it_in_a_sentence(run: Any, ledger: Path) -> None:
    _, out, _ = run("compare", ledger / "toy/char/ngram/mkn-1", ledger / "toy/char/ngram/mkn-2")
    assert "mkn-1 is 0.298" in out and " bits per symbol worse than mkn-2 (95 % interval 0." in out


def test_compare_says_that_an_underfitted_network_settles_nothing(run: Any, ledger: Path) -> None:
    networks = ledger.with_name("second") / "toy/char/rnn"
    arguments = ("compare", networks / "gru-1x8", networks / "gru-2x8")
    assert "underfitted" not in run(*arguments)[1]
    keep_falling(Run(str(ledger.with_name("second")), "toy", "char", "rnn", "gru-2x8"))
    _, out, _ = run(*arguments)
    assert "gru-2x8 is underfitted (still falling), so its verdicts are not settled." in out
    assert "gru-1x8 is underfitted" not in out
    models = json.loads(run(*arguments, "--json")[1])["models"]
    assert [model["still_falling"] for model in models] == [False, True]


def test_compare_says_why_two_can_not_be_compared(run: Any, ledger: Path) -> None:
    code, out, _ = run("compare", ledger / "toy/char/ngram/mkn-3", ledger / "toy/char/ngram/mle-3")
    assert code == 0 and "mkn-3 is not comparable with mle-3: a symbol has probability zero." in out


def test_compare_shows_the_experiment_of_each_model(run: Any, ledger: Path) -> None:
    folders = [ledger.with_name(name) / "toy/char/ngram" for name in ("made", "second")]
    code, out, _ = run("compare", folders[0] / "mkn-3", folders[1] / "mkn-1")
    assert code == 0 and " bits per symbol better than mkn-1 of second (95 % interval" in out
    content = json.loads(run("compare", folders[0] / "mkn-3", folders[1] / "mkn-1", "--json")[1])
    assert [model["experiment"] for model in content["models"]] == ["made", "second"]


def test_compare_refuses_another_text(run: Any, ledger: Path) -> None:
    code, _, err = run("compare", ledger / "toy/char/ngram/mkn-3", ledger / "other/char/ngram/mkn-3")
    assert code == 1 and "was scored on corpus other, unlike" in err


def test_compare_needs_two(run: Any, ledger: Path) -> None:
    code, _, err = run("compare", ledger / "toy/char/ngram/mkn-3")
    assert code == 1 and "name a second one" in err


def test_corpora_lists_every_definition(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code, out, _ = run("corpora", "--json")
    names = [row["corpus"] for row in json.loads(out)["corpora"]]
    assert code == 0 and {"time_machine", "python_docs", "even_process"} <= set(names)
    assert all(name in run("corpora")[1] for name in names)


@pytest.mark.parametrize(("text", "code", "kind"), [(TEXT * 30, 1, "overlap"), ("ab\r\n" * 40, 0, "line_ends")])
def test_corpora_check_ends_with_1_only_for_what_stops_the_work(run: Any, text: str, code: int, kind: str) -> None:
    ended, out, _ = run("corpora", "check", "-", "--json", stdin=text)
    findings = json.loads(out)["findings"]
    assert ended == code and kind in [finding["kind"] for finding in findings]


def test_doctor_is_content_with_the_environment_of_the_tests(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQLAB_MIRROR", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code, out, _ = run("doctor", "--folder", ROOT, "--json")
    found = {each["what"]: each["state"] for each in json.loads(out)["found"]}
    assert code == 0, out
    assert found["packages"] == found["torch"] == found["Snakemake"] == "ok"


def test_doctor_names_what_is_missing_and_how_to_get_it(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "requires", lambda name: ["a-package-that-nobody-has>=1", "numpy>=999"])
    code, out, _ = run("doctor", "--folder", tmp_path)
    assert code == 1
    assert "missing packages   a-package-that-nobody-has is not installed; numpy" in out
    assert "-> pip install -r requirements.txt" in out
    assert out.splitlines()[-1] == "missing: packages"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_examples(run: Any, name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0 and f"seqlab {name}" in out[out.index("Examples:") :]
    assert "--json" in out or name == "dashboard"  # which serves pages


def test_a_wrong_option_ends_with_2(run: Any) -> None:
    assert run("score", "--modle", "x")[0] == 2


def test_completion_knows_the_commands() -> None:
    environment = os.environ | {"_SEQLAB_COMPLETE": "complete_bash", "COMP_WORDS": "seqlab co", "COMP_CWORD": "1"}
    program = Path(sys.executable).with_name("seqlab")
    done = subprocess.run([program], env=environment, text=True, capture_output=True, check=False)
    assert done.stdout.split() == ["compare", "corpora"]
