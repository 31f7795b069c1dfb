"""The smoke experiment from end to end, and the numbers it gives."""

import json

import numpy as np
import pandas as pd
from project import Project

from seqlab.ledger.perplexity import perplexity, read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ngram.arpa import read_arpa
from seqlab.ngram.model import symbol_probabilities
from seqlab.text.sources import build_source, entropy_rate
from seqlab.text.splits import segments_of
from seqlab.text.vocab import Vocab

BASE = "results/smoke/even_process/char"
PREPARED = "results/corpora/even_process/char"
MODELS = {
    "compressor/xz": 1,
    "mixture/best-ngram-and-rnn": 1,
    "mixture/best-rnn-seeds": 1,
    "ngram/mkn-1": 1,
    "ngram/mkn-3": 1,
    "ngram/mkn-3-counts-1-1-10000": 1,
    "ngram/mkn-3-entropy-0.02": 1,
    "ngram/mle-1": 1,
    "ngram/mle-3": 1,
    "rnn/lstm-1x8": 2,
    "rnn/rnn-1x8": 2,
    "source/true-source": 1,
}


def test_every_model_scores_every_symbol_but_the_first(smoke: Project) -> None:
    splits = json.loads((smoke.folder / PREPARED / "splits.json").read_text())["splits"]
    for model, replicas in MODELS.items():
        bits = read_scores(smoke.folder / BASE / model / "scores.npz")
        for split in ("valid", "test"):
            assert bits[split].shape == (replicas, splits[split]["symbols"] - 1), model


def test_metrics_are_the_perplexity_of_the_scores(smoke: Project) -> None:
    for model in MODELS:
        bits = read_scores(smoke.folder / BASE / model / "scores.npz")
        metrics = read_metrics(smoke.folder / BASE / model / "metrics.json")
        rows = [row for row in metrics["scores"] if row["split"] == "test"]
        assert [row["perplexity"] for row in rows] == [perplexity(replica) for replica in bits["test"]], model


def test_no_model_beats_the_source_beyond_its_interval(smoke: Project) -> None:
    rate = read_metrics(smoke.folder / BASE / "source/true-source/metrics.json")["entropy_rate"]
    models = pd.read_csv(smoke.folder / BASE / "models.csv")
    test = models[(models["split"] == "test")]
    assert (test["bits_per_symbol"] > rate["low"]).all()


def test_the_floor_is_the_entropy_rate_of_the_source(smoke: Project) -> None:
    rate = read_metrics(smoke.folder / BASE / "source/true-source/metrics.json")["entropy_rate"]
    assert rate["bits_per_symbol"] == entropy_rate(build_source({"name": "even_process", "probability": 0.5}))


def test_a_network_learns_what_trigrams_can_not(smoke: Project) -> None:
    models = pd.read_csv(smoke.folder / BASE / "models.csv").set_index(["model", "split"])["bits_per_symbol"]
    assert models["rnn-1x8", "test"] < models["mkn-3", "test"] - 0.05


def test_pruned_models_are_smaller_and_the_table_says_what_they_lose(smoke: Project) -> None:
    models = pd.read_csv(smoke.folder / BASE / "models.csv").set_index(["model", "split"])
    whole = models.loc["mkn-3", "test"]
    for name in ("mkn-3-counts-1-1-10000", "mkn-3-entropy-0.02"):
        pruned = models.loc[name, "test"]
        assert pruned["parameters"] < whole["parameters"]
        assert pruned["pruning_loss"] == pruned["bits_per_symbol"] - whole["bits_per_symbol"] > 0


def test_a_model_written_for_other_tools_gives_the_same_bits(smoke: Project) -> None:
    folder = smoke.folder / BASE / "ngram/mkn-3"
    model, tokens, _ = read_arpa(folder / "model.arpa.gz")
    assert tokens == Vocab.load(smoke.folder / PREPARED / "vocab.json").tokens
    splits = json.loads((smoke.folder / PREPARED / "splits.json").read_text())
    test = segments_of(np.load(smoke.folder / PREPARED / "ids.npy"), splits, "test")
    bits = -np.log2(symbol_probabilities(model, test))
    np.testing.assert_allclose(bits, read_scores(folder / "scores.npz")["test"][0], rtol=1e-5)


def test_unigrams_cost_the_entropy_of_the_frequencies(smoke: Project) -> None:
    ids = np.load(smoke.folder / PREPARED / "ids.npy")
    splits = json.loads((smoke.folder / PREPARED / "splits.json").read_text())["splits"]
    ((start, stop),) = splits["train"]["segments"]
    share = np.bincount(ids[start:stop], minlength=3) / (stop - start)
    ((start, stop),) = splits["test"]["segments"]
    expected = -np.log2(share[ids[start + 1 : stop]]).mean()
    models = pd.read_csv(smoke.folder / BASE / "models.csv").set_index(["model", "split"])["bits_per_symbol"]
    assert abs(models["mle-1", "test"] - expected) < 1e-6


def test_report_names_every_model_and_asks_nobody(smoke: Project) -> None:
    page = (smoke.folder / "results/smoke/report.html").read_text()
    for model in MODELS:
        assert model.split("/")[1] in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="http' not in page


def test_every_run_is_tracked(smoke: Project) -> None:
    receipt = json.loads((smoke.folder / "results/smoke/tracking.json").read_text())
    assert receipt["runs"] == receipt["created"] == sum(MODELS.values()) + 1  # and the summary
    assert (smoke.folder / "results/mlflow.db").exists()


def test_results_hold_no_absolute_path(smoke: Project) -> None:
    binary = {".db", ".npz", ".npy", ".safetensors"}
    files = [path for path in (smoke.folder / "results").rglob("*") if path.is_file() and path.suffix not in binary]
    found = [path for path in files if str(smoke.folder).encode() in path.read_bytes()]
    assert [path for path in found if "mlflow-artifacts" not in path.parts] == []


def test_snakemake_report_holds_the_figures(finished: Project) -> None:
    done = finished.snakemake("--configfile", "config/smoke.yaml", "--report", "report.zip")
    assert done.returncode == 0, done.stdout
    assert (finished.folder / "report.zip").stat().st_size > 10_000
