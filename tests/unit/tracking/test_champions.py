"""The best model of each family, published so that anybody can use it, and nothing needs to be trusted but its code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_results import SPLITS, list_runs
from tracked import Tree

from seqlab.fleet.checkpoint import save_network
from seqlab.io.cards import write_card
from seqlab.io.errors import InputError
from seqlab.io.files import write_json, write_text
from seqlab.io.runs import Place, Run
from seqlab.language_model import LanguageModel
from seqlab.ledger.perplexity import perplexity, tabulate_scores, write_metrics
from seqlab.ledger.scores import write_scores
from seqlab.ngram.model import symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.rnn.network import Architecture, load_network
from seqlab.rnn.scoring import stream_bits
from seqlab.text.vocab import Vocab
from seqlab.tracking.champions.registry import find_champions

TEXT = "the time traveller for so it will be convenient to speak of him was expounding a recondite matter to us "
BEST_SEED = 2  # of the network; its replica must be the one that is published

# Loads a model as a stranger would: with the packages of its requirements, and what these require, and nothing else.
STRANGER = """
import importlib.abc, json, os, re, sys
from importlib.metadata import distribution, packages_distributions

allowed, waiting = set(), [re.split(r"[=<>~!; \\[]", line)[0] for line in open(sys.argv[1] + "/requirements.txt")]
while waiting:
    name = re.sub(r"[-_.]+", "-", waiting.pop().strip()).lower()
    if name in allowed:
        continue
    allowed.add(name)
    try:
        needs = distribution(name).requires or []
    except ImportError:
        continue
    waiting += [re.split(r"[=<>~!; (\\[]", need)[0] for need in needs if "extra ==" not in need]
provided = {module: {re.sub(r"[-_.]+", "-", name).lower() for name in names}
            for module, names in packages_distributions().items()}

class Guard(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in provided and not provided[top] & allowed and top != "seqlab":
            raise ModuleNotFoundError(f"{top} is not among the requirements", name=top)

sys.meta_path.insert(0, Guard())
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in repr(finder)]
sys.path = [place for place in sys.path if not place.endswith("/src")]
import mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
texts = ["the time traveller", "so it will"]
scores = model.predict(texts, params={"mode": "score"})
import seqlab
print(json.dumps({
    "continuations": model.predict(texts, params={"symbols": 12, "seed": 3})["continuation"].tolist(),
    "scores": scores.to_dict("records"),
    "library": seqlab.__file__,
}))
"""


def finish(run: Run, settings: dict[str, Any], seeds: list[int], valid_bits: list[float]) -> None:
    """Card, scores and metrics of a model whose files are in its folder."""
    name = {"corpus": "toy", "unit": "char", "family": run.family, "model": run.model}
    data = {"ids": "0" * 64, "splits": "1" * 64, "vocab": "2" * 64}
    write_card(run.file("card.yaml"), name | {"settings": settings, "seeds": seeds, "data": data})
    arrays = {split: np.array(valid_bits)[:, None] * np.ones((1, 200)) for split in ("valid", "test")}
    write_scores(run.file("scores.npz"), arrays)
    metrics = name | {"card": "3" * 64, "settings": {}, "scores_sha256": "4" * 64, "parameters": 1}
    metrics |= {"train_seconds": 1.0, "notes": [], "per_symbol": True}
    write_metrics(run.file("metrics.json"), metrics | {"scores": tabulate_scores(arrays, SPLITS, seeds)})


def make_models(results: Path, experiment: str = "made") -> None:
    """Two n-grams and a network of three seeds with their files."""
    place, prepared = Place(str(results / experiment), "toy", "char"), prepared_in(results)
    write_json(prepared / "splits.json", SPLITS)
    vocab = Vocab(TEXT)
    vocab.save(prepared / "vocab.json")
    runs = [Run(*place, "ngram", "mkn-2"), Run(*place, "ngram", "mkn-3"), Run(*place, "rnn", "lstm-1x8")]
    for run, order, bits in zip(runs[:2], (2, 3), (2.0, 1.9), strict=True):
        run.folder.mkdir(parents=True)
        estimate("mkn", [vocab.encode(list(TEXT))], order, len(vocab)).model.save(run.file("model.npz"))
        finish(run, {"smoothing": "mkn", "order": order}, [], [bits])
    architecture = Architecture("lstm", 1, 8, len(vocab))
    save_network(runs[2].folder, architecture, architecture.initial_parameters([1, 2, 3]), [1, 2, 3])
    finish(runs[2], {"cell": "lstm", "layers": 1, "hidden": 8}, [1, 2, 3], [1.8, 1.7, 1.75])
    list_runs(runs, prepared)


def prepared_in(results: Path) -> Path:
    return results / "corpora" / "toy" / "char"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Tree:
    """The models, published."""
    results = tmp_path_factory.mktemp("champions") / "results"
    make_models(results)
    (results / "mlflow.db").write_bytes(empty_database.read_bytes())
    tree = Tree(results, f"sqlite:///{results}/mlflow.db")
    tree.track()
    return tree


def model_folder(tree: Tree, name: str) -> Path:
    return Path(tree.client().get_model_version_by_alias(name, "champion").source)


def loaded_by_a_stranger(folder: Path) -> dict[str, Any]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([sys.executable, "-c", STRANGER, str(folder)], text=True, capture_output=True, check=False,
                          env=environment, cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("name", "best"), [("made.toy-char-ngram", "mkn-3"), ("made.toy-char-rnn", "lstm-1x8")])
def test_the_best_on_valid_of_each_family_is_the_champion(tree: Tree, name: str, best: str) -> None:
    assert tree.client().get_model_version_by_alias(name, "champion").tags["model"] == best


def test_a_champion_belongs_to_the_run_of_its_seed(tree: Tree) -> None:
    version = tree.client().get_model_version_by_alias("made.toy-char-rnn", "champion")
    assert version.run_id == tree.runs()[f"lstm-1x8-s{BEST_SEED}"].info.run_id


def test_another_experiment_has_champions_of_its_own(tree: Tree) -> None:
    make_models(tree.results, "other")
    before = tree.client().get_model_version_by_alias("made.toy-char-ngram", "champion")
    Tree(tree.results, tree.uri, "other").track()
    after = tree.client().get_model_version_by_alias("made.toy-char-ngram", "champion")
    assert (after.version, after.run_id) == (before.version, before.run_id)
    assert tree.client().get_model_version_by_alias("other.toy-char-ngram", "champion").run_id != before.run_id


def test_a_repeat_registers_nothing(tree: Tree) -> None:
    tree.track()
    assert len(tree.client().search_model_versions("name = 'made.toy-char-rnn'")) == 1


@pytest.mark.parametrize("name", ["made.toy-char-ngram", "made.toy-char-rnn"])
def test_a_champion_holds_no_pickle_and_no_path_of_this_machine(tree: Tree, name: str) -> None:
    files = [path for path in model_folder(tree, name).rglob("*") if path.is_file()]
    kinds = {"", ".txt", ".yaml", ".json", ".py", ".npz", ".safetensors", ".typed", ".sha256"}
    assert {path.suffix for path in files} <= kinds
    here = [str(place).encode() for place in (tree.results, Path(__file__).parents[3], Path.home())]
    assert [path for path in files for place in here if place in path.read_bytes()] == []


def test_an_n_gram_is_used_by_a_stranger(tree: Tree) -> None:
    folder = model_folder(tree, "made.toy-char-ngram")
    answer = loaded_by_a_stranger(folder)
    vocab = Vocab.load(prepared_in(tree.results) / "vocab.json")
    model = estimate("mkn", [vocab.encode(list(TEXT))], 3, len(vocab)).model
    bits = -np.log2(symbol_probabilities(model, [vocab.encode(list("so it will"))]))
    score = answer["scores"][1]
    assert (score["symbols"], score["unknown"]) == (9, 0)
    assert score["perplexity"] == pytest.approx(perplexity(bits))
    assert [len(text) for text in answer["continuations"]] == [12, 12]
    assert answer["library"].startswith(str(folder / "code"))


def test_a_network_is_used_by_a_stranger_and_is_the_best_seed(tree: Tree) -> None:
    answer = loaded_by_a_stranger(model_folder(tree, "made.toy-char-rnn"))
    architecture, parameters, seeds = load_network(tree.run("lstm-1x8").folder)
    vocab = Vocab.load(prepared_in(tree.results) / "vocab.json")
    bits = stream_bits(architecture, parameters, [vocab.encode(list("so it will"))])[seeds.index(BEST_SEED)]
    assert answer["scores"][1]["bits_per_symbol"] == pytest.approx(bits.mean(), rel=1e-5)


def test_a_better_model_becomes_the_champion(tree: Tree) -> None:
    finish(tree.run("mkn-2"), {"smoothing": "mkn", "order": 2}, [], [1.0])
    tree.track()
    version = tree.client().get_model_version_by_alias("made.toy-char-ngram", "champion")
    assert (version.tags["model"], int(version.version)) == ("mkn-2", 2)


def test_a_model_whose_files_were_not_kept_is_left_out(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    Path(tree.run("lstm-1x8").file("weights.safetensors")).unlink()
    assert [champion.card["family"] for champion in find_champions(tree.experiment)] == ["ngram"]
    assert "made.toy-char-rnn: not published as a model, because its files were not kept" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "mode", "told"), [("a", "score", "at least 2"), ("ab", "guess", "continue and score")]
)
def test_what_can_not_be_answered_is_refused(tree: Tree, tmp_path: Path, text: str, mode: str, told: str) -> None:
    (tmp_path / "model.npz").write_bytes(Path(tree.run("mkn-3").file("model.npz")).read_bytes())
    write_text(tmp_path / "vocab.json", (prepared_in(tree.results) / "vocab.json").read_text())
    with pytest.raises(InputError, match=told):
        LanguageModel.load(tmp_path).predict([text], {"mode": mode})
