"""The programs of the rules, run in this process on a small finished experiment, with one thing changed."""

import contextlib
import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from downloads import DESCRIPTION

from seqlab.io.runs import write_experiment

ROOT = Path(__file__).parents[2]
RUNS_FILE = "exp/runs.json"
HERE = "exp/toy/char"
SPLIT = {"kind": "contiguous", "train": 0.8, "valid": 0.1, "test": 0.1}
SAMPLE = ["--sample", '{"prompt": 3, "symbols": 5, "temperature": 1.0}']
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
TRAINING = {section: DEFAULT[section]["training"] for section in ("rnn", "forecast")}
NETWORK = TRAINING["rnn"] | {"cell": "rnn", "layers": 1, "hidden": 2, "epochs": 1, "steps": 5, "batch_size": 2}
FORECASTER = TRAINING["forecast"] | {"cell": "gru", "layers": 1, "hidden": 2}
FORECASTER |= {"epochs": 1, "batches": 1, "batch_size": 2, "steps": 3}
EXTERNAL = """
class Model:
    def symbols(self):
        return ["0", "1"]

    def log2_probabilities(self, prefix):
        return [-1, -1]

    def bits(self, ids):
        return [1] * (len(ids) - 1)
"""
SOURCE = {"kind": "builtin", "builtin": "even_process", "settings": {"probability": 0.5}, "length": 2000, "seed": 1}
SEGMENTS = ["--ids", "ids.npy", "--splits", "splits.json"]
DATA = [*SEGMENTS, "--vocab", "vocab.json"]
ASKED = ["--experiment", RUNS_FILE, "--corpus", "toy", "--unit", "char"]
NEED = {"model": "mkn-2", "key": "order", "value": 2, "symbols": 2}
PUBLISHED = {  # shorter than a path may be
    "title": "A",
    **{"source": "A", "evidence": "memory", "unit": "bits", "protocol": "windows", "window": 5, "tolerance": 0.1},
    "cells": [{"name": "A", "printed": 0.9, "run": {"cell": "rnn"}}],
}
CRATE = DEFAULT["crate"] | {"date": "2026-01-31", "authors": [{"name": "Ada Lovelace", "orcid": "0000-0001-2345-6789"}]}
DEFINITIONS = {
    "toy": SOURCE | DESCRIPTION,
    "wave": {"kind": "csv", "title": "Wave", "licence": "none", "column": "height"},
}
RUNS: dict[tuple[str, str], dict[str, Any]] = {  # of the experiment; the last are on a series
    ("ngram", "mkn-2"): {"settings": {"smoothing": "mkn", "order": 2}, "seeds": []},
    ("ngram", "mkn-2-entropy-0.1"): {
        "settings": {"smoothing": "mkn", "order": 2, "prune": {"entropy": 0.1}},
        "seeds": [],
    },
    ("rnn", "rnn-1x2"): {"settings": NETWORK | {"partition": "sequential"}, "seeds": [1]},
    ("compressor", "xz"): {"settings": {}, "seeds": []},
    ("source", "true-source"): {"settings": SOURCE, "seeds": []},
    ("mixture", "both"): {"settings": {"parts": ["mkn-2", "rnn-1x2"]}, "seeds": []},
    ("external", "uniform"): {"settings": {"model": "uniform.py:Model"}, "seeds": []},
    ("forecast", "persistence"): {"settings": {}, "seeds": []},
    ("forecast", "autoregression"): {"settings": {"max_order": 3}, "seeds": []},
    ("forecast", "gru-1x2"): {"settings": FORECASTER, "seeds": [1]},
}


def place_of(family: str, model: str) -> str:
    """The folder of a run."""
    return f"exp/{'wave/series' if family == 'forecast' else 'toy/char'}/{family}/{model}"


def run_of(family: str, model: str) -> list[str]:
    """The arguments of a program that say which run it makes, and where."""
    names = {"series": "wave"} if family == "forecast" else {"corpus": "toy", "unit": "char"}
    asked = names | {"family": family, "model": model} | RUNS[family, model]
    return ["--run", json.dumps(asked), "--folder", place_of(family, model)]


NGRAM = place_of("ngram", "mkn-2")
SCORING = ["--table", "series/series.csv", "--description", "series/series.json"]
SCORING += ["--scoring", '{"horizons": [1, 2], "trajectories": 3}']
COMMANDS: dict[str, list[str]] = {  # in the order in which the experiment is made
    "fetch_corpus": [
        *["--name", "toy", "--definition", json.dumps(SOURCE | DESCRIPTION)],
        *["--output", "raw.txt", "--source", "source.json"],
    ],
    "clean_corpus": ["--raw", "raw.txt", "--cleaning", "none", "--kind", "builtin", "--output", "clean.txt"],
    "encode_corpus": [
        *["--text", "clean.txt", "--unit", "char", "--preparation", json.dumps(SPLIT | {"min_freq": 1, "merges": 9})],
        *["--folder", "."],
    ],
    "check_corpus": [
        *["--corpus", "toy", "--raw", "raw.txt", "--text", "clean.txt", *DATA, "--unit", "char"],
        *["--need", json.dumps(NEED), "--output", f"{HERE}/check.json"],
    ],
    "count_shard": [*DATA, "--order", "2", "--shard", "1-of-1", "--memory", "50", "--parts", "counts/1-of-1"],
    "merge_counts": [
        *["counts/1-of-1", "--vocab", "vocab.json", "--order", "2", "--memory", "50", "--counts", "counts/merged"],
    ],
    "train_ngram": [*run_of("ngram", "mkn-2"), *DATA, *SAMPLE],
    "prune_ngram": [
        *[*run_of("ngram", "mkn-2-entropy-0.1"), *DATA, *SAMPLE, "--name", "mkn-2"],
        *["--whole", f"{NGRAM}/model.npz", "--whole-training", f"{NGRAM}/training.json"],
    ],
    "write_arpa": ["--model", f"{NGRAM}/model.npz", "--vocab", "vocab.json", "--arpa", f"{NGRAM}/model.arpa"],
    "estimate_training": [
        *["--networks", json.dumps({"number": 1, "runs": {"rnn-1x2": RUNS["rnn", "rnn-1x2"]}}), *DATA],
        *["--corpus", "toy", "--unit", "char", "--cores", "2", "--device", "cpu", "--output", f"{HERE}/times.json"],
    ],
    "train_rnn": [*run_of("rnn", "rnn-1x2"), *DATA, *SAMPLE, "--code", "0123456789abcdef", "--device", "cpu"],
    "score_compressor": [*run_of("compressor", "xz"), *DATA, "--bytes", "bytes.npz"],
    "score_source": [*run_of("source", "true-source"), *DATA, "--text", "clean.txt", "--symbols", "9"],
    "score_mixture": [*run_of("mixture", "both"), *DATA, "--experiment", RUNS_FILE],
    "score_external": [*run_of("external", "uniform"), *DATA, "--files", "uniform.py"],
    "audit_models": [
        *[*ASKED, "--families", "ngram", "rnn", "mixture", "external", "--device", "cpu"],
        *["--output", f"{HERE}/audit.csv"],
    ],
    "compare_models": [*ASKED, "--output", f"{HERE}/verdicts.csv"],
    "explain_models": [*ASKED, *DATA, *["--breakdown", f"{HERE}/breakdown.csv", "--contrast", f"{HERE}/contrast.json"]],
    "measure_memory": [
        *[*ASKED, *DATA, "--contexts", "1", "2", "--symbols", "20", "--device", "cpu"],
        *["--output", f"{HERE}/memory.csv"],
    ],
    "measure_horizon": [
        *[*ASKED, *DATA, "--families", "source", "ngram", "rnn", "--steps", "1", "2", "--symbols", "9"],
        *["--samples", "3", "--device", "cpu", "--output", f"{HERE}/horizon.csv"],
    ],
    "compare_published": [
        *[*ASKED, *DATA, "--published", json.dumps(PUBLISHED), "--windows", "9", "--device", "cpu"],
        *["--output", f"{HERE}/published.csv"],
    ],
    "compare_protocols": [*ASKED, *DATA, "--windows", "9", "--device", "cpu", "--output", f"{HERE}/protocols.csv"],
    "summarize": [
        *[*ASKED, *DATA, "--unknown", "unknown.json", "--summary", f"{HERE}/summary.csv"],
        *["--models", f"{HERE}/models.csv"],
    ],
    "plot_figure": [*ASKED, "--figure", "memory", "--output", f"{HERE}/figures/1.svg"],
    "verify": ["--experiment", RUNS_FILE, "--expected", "expected.csv"],
    "build_series": [
        *["--name", "wave", "--definition", '{"kind": "csv", "title": "Wave", "licence": "none", "column": "height"}'],
        *["--file", "wave.csv", "--shares", '{"train": 0.5, "valid": 0.2, "test": 0.3}'],
        *["--needs", '{"order": 3, "horizon": 2, "steps": 3}', "--folder", "series"],
    ],
    "score_persistence": [*run_of("forecast", "persistence"), *SCORING],
    "train_autoregression": [*run_of("forecast", "autoregression"), *SCORING],
    "train_forecaster": [*run_of("forecast", "gru-1x2"), *SCORING, "--code", "0123456789abcdef", "--device", "cpu"],
    "write_report": ["--experiment", RUNS_FILE, "--output", "exp/report.html"],
    "summarize_series": [
        *["--experiment", RUNS_FILE, "--corpus", "wave", "--unit", "series"],
        *["--summary", "exp/wave/series/summary.csv", "--models", "exp/wave/series/models.csv"],
    ],
    "record_provenance": ["--provenance", "exp/provenance.json", "--changes", "exp/changes.diff"],
    "publish": [
        *["--experiment", RUNS_FILE, "--project", str(ROOT), "--output", "exp/crate.zip"],
        *["--configuration", json.dumps(DEFAULT | {"crate": CRATE}), "--definitions", json.dumps(DEFINITIONS)],
    ],
}


def run(script: str, arguments: list[str]) -> tuple[int, str]:
    """Exit code of a rule's program and what it printed to stderr; any exception is a traceback."""
    path = ROOT / "workflow" / "scripts" / f"{script}.py"
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(path), *arguments]),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(printed),
    ):
        try:
            _main_of(path)()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            return code, printed.getvalue() + (end.code if isinstance(end.code, str) else "")
    return 0, printed.getvalue()


def _main_of(path: Path) -> Any:
    if path not in LOADED:
        spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        LOADED[path] = module.main
    return LOADED[path]


LOADED: dict[Path, Any] = {}


def make_experiment() -> None:
    """Run every program once, in the working folder."""
    runs = [("toy", "char", *run) for run in RUNS if run[0] != "forecast"]
    runs += [("wave", "series", *run) for run in RUNS if run[0] == "forecast"]
    prepared = {"toy/char": ".", "wave/series": "series"}
    write_experiment(RUNS_FILE, "exp", [], "snakemake", prepared, runs)
    heights = [(7 * step) % 10 + step % 3 for step in range(100)]
    Path("wave.csv").write_text("\n".join(["time,height", *(f"{step},{value}" for step, value in enumerate(heights))]))
    Path("uniform.py").write_text(EXTERNAL)
    for script, arguments in COMMANDS.items():
        if script == "write_report":  # it needs tables and figures of the series too
            continue
        code, printed = run(script, [*arguments, "--refresh"] if script == "verify" else arguments)
        assert code == 0, (script, printed)


@contextlib.contextmanager
def files_as_they_were(folder: Path) -> Iterator[None]:
    """Whatever the block changes in `folder` is undone."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    try:
        yield
    finally:
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            if path not in before:
                path.unlink()
        for path, content in before.items():
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
