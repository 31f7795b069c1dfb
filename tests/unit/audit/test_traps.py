"""Traps beside the model: results that chance, the best seed or a short training make look better or worse."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_fleets import fleet_of

from seqlab.fleet.fit import find_underfitted, measure_fit
from seqlab.fleet.training import train_fleet
from seqlab.ngram.smoothing import estimate
from seqlab.questions.verdicts import BETTER, TIED, Entry, find_leader, find_verdict, judge_models
from seqlab.rnn.task import LanguageTask
from seqlab.text.definitions import corpus_source, load_corpora
from seqlab.text.sources import generate_text, rate_answers, symbol_ids

CORPORA = load_corpora(Path(__file__).parents[3] / "config" / "corpora.yaml")
SYMBOLS = 400


def entry(model: str, bits: np.ndarray, valid: float) -> Entry:
    """A network with a row of `bits` for each seed, and its perplexity on validation."""
    scores = [{"split": "valid", "perplexity": valid, "seed": seed} for seed, _ in enumerate(bits, start=1)]
    return Entry({"family": "rnn", "model": model, "scores": scores, "per_symbol": True}, bits)


def noise(seed: int, rows: int) -> np.ndarray:
    return 0.2 * np.random.default_rng(seed).standard_normal((rows, SYMBOLS))


def test_the_best_of_seeds_is_not_the_result():
    lucky = 1.5 + np.array([[-0.4], [0.3], [0.4]]) + noise(1, 3)  # its first seed is the best of all
    steady = 1.5 + noise(2, 3)
    figures = {"lucky": lucky, "steady": steady}
    verdicts = judge_models([entry(name, bits, float(2 ** bits.mean())) for name, bits in figures.items()])
    assert lucky.mean(1).min() < steady.mean(1).min() - 0.2
    assert find_leader(verdicts) == "steady"
    verdict = find_verdict(verdicts, "lucky")
    assert verdict is not None and verdict.verdict != BETTER
    assert verdict.difference == pytest.approx(lucky.mean() - steady.mean())


def test_the_luckiest_of_many_equal_models_is_not_better():
    rivals = [entry(f"rival-{number}", 1.5 + noise(number, 1), 3.0) for number in range(1, 81)]
    verdicts = judge_models([entry("reference", 1.5 + noise(0, 1), 2.9), *rivals])
    assert len(verdicts) == 80
    assert min(verdict.p for verdict in verdicts) < 0.05  # what a paper that looks at this pair alone would print
    assert {verdict.verdict for verdict in verdicts} == {TIED}


def test_a_model_that_knows_no_state_pays_chance_for_answers():
    source = corpus_source("parity", CORPORA["parity"])
    assert source is not None
    train = symbol_ids(source, generate_text(source, 20_000, 1))
    unigrams = estimate("mkn", [train], 1, len(source.alphabet), valid=[train]).model.read([0]).probability[0]
    answers = unigrams[[source.alphabet.index(answer) for answer in source.answers]]
    bits = -np.log2(answers / answers.sum())  # of an answer, given that one follows
    assert bits.mean() == pytest.approx(rate_answers(source).chance, abs=0.01)


def test_a_training_that_is_too_short_is_marked():
    text = np.tile([0, 1, 2, 3], 50)
    reasons = []
    for epochs in (2, 12):
        fleet = fleet_of([1, 2], "gru", layers=1, epochs=epochs, learning_rate=0.05)
        train_fleet(fleet, LanguageTask.of(fleet.network, text, [text], torch.device("cpu")), lambda line: None, None)
        fit = measure_fit(fleet.history, epochs, "cosine")
        reasons += find_underfitted([{"fit": fit, "settings": {"cell": "gru"}, "parameters": 1}])
    assert reasons == ["still falling", ""]
