"""The benchmarks run, on little, and end with the JSON they promise. Nothing here says how fast they are."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browser import open_browser
from project import ROOT


def last_line(*command: str) -> dict:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Lines of words from a Zipf law."""
    random = np.random.default_rng(1)
    words = random.zipf(1.5, 4_000).clip(max=500).astype(str)
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(words[start : start + 10]) for start in range(0, len(words), 10)))
    return path


def test_ngram(text: Path) -> None:
    measured = last_line("benchmarks/ngram.py", "--quick", "--text", str(text))
    ratios = {"estimate_vs_nltk", "score_vs_nltk", "score_vs_kenlm"}
    times = {"estimate_seconds_3m", "arpa_seconds_3m"}
    assert set(measured) == ratios | times
    assert all(measured[name] is None or measured[name] > 0 for name in ratios)  # none where a peer is missing
    assert all(measured[name] > 0 for name in times)


def test_ngram_lines(text: Path) -> None:
    (row,) = last_line("benchmarks/ngram_lines.py", "--text", str(text), "--threads", "1")["rows"]
    peers = {name for name in row if name.startswith(("kenlm", "lmplz"))}
    assert peers == {"kenlm_lines", "kenlm_steps", "lmplz_seconds", "lmplz_megabytes"}  # none where a peer is missing
    assert all(row[name] > 0 for name in set(row) - peers - {"text"})


def test_ngram_growth() -> None:
    rows = last_line("benchmarks/ngram_growth.py", "--millions", "0.02", "--bound", "16")["rows"]
    assert [row["source"] for row in rows] == ["markov 87", "zipf 50,000"]
    assert all(row["ngrams"] > 20_000 and row["shards_mb"] > 0 for row in rows)


def test_recurrence() -> None:
    measured = last_line("benchmarks/recurrence.py", "--hidden", "8", "--replicas", "1", "2", "--seconds", "0.01")
    rows = measured["rows"]
    shapes = product(("rnn", "gru", "lstm"), (1, 2), ("float32", "bfloat16"))
    assert [(row["cell"], row["replicas"], row["precision"]) for row in rows] == list(shapes)
    assert all(row["ratio"] > 0 and row["peak_share"] > 0 for row in rows)


def test_cells() -> None:
    options = "--hidden", "8", "--seconds", "0.001", "--cells", "mingru", "deltanet", "mogrifier"
    rows = last_line("benchmarks/cells.py", *options)["rows"]
    expected = product(("first", "later"), ("mingru", "deltanet", "mogrifier"), ("float32", "bfloat16"))
    assert [(row["layer"], row["cell"], row["precision"]) for row in rows] == list(expected)
    assert all(row["tokens_per_second"] > 0 for row in rows)
    scans = last_line("benchmarks/cells.py", "--scans", "--seconds", "0.001", "--cells", "gru", "minlstm")["rows"]
    assert {row["cell"] for row in scans} == {"minlstm"} and all(row["scan_seconds"] > 0 for row in scans)


def test_sweep(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 100)
    little = ["--hidden", "8", "--layers", "1", "--seeds", "1", "--epochs", "1"]
    measured = last_line("benchmarks/sweep.py", "--text", str(text), *little)
    seconds = [measured["plain_seconds"], measured["seqlab_seconds"]]
    low, high = (seconds[0] - 0.05) / (seconds[1] + 0.05), (seconds[0] + 0.05) / (seconds[1] - 0.05)
    assert low - 0.01 <= measured["ratio"] <= high + 0.01  # seconds are rounded to tenths, the ratio to hundredths


def test_joined(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 60)
    little = ["--cells", "gru", "--hidden", "4", "--seeds", "1"]
    (row,) = last_line("benchmarks/joined.py", "--text", str(text), *little)["rows"]
    assert row["networks"] == 9 and row["ratio"] > 0 and row["difference"] < 1e-4


def test_published_cells_go_on_where_the_time_was_over(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog. " * 2_800)
    networks = tmp_path / "networks.yaml"
    networks.write_text(
        "split: {kind: char_rnn_streams, train: 0.8, valid: 0.1, test: 0.1, streams: 100, block: 100}\n"
        "rnn: {layers: 1, hidden: 4, grids: [{cells: lstm}, {cells: [rnn, gru]}], training: {epochs: 1}}\n"
    )
    little = ["--configuration", str(networks), "--seeds", "1", "2", "--folder", str(tmp_path / "cells")]
    program = "benchmarks/published_cells.py", "--text", str(text), *little, "--seconds"
    assert last_line(*program, "0") == {"rows": [], "left": 3}
    measured = last_line(*program, "600")
    assert [row["network"] for row in measured["rows"]] == ["lstm-1x4", "gru-1x4", "rnn-1x4"] and measured["left"] == 0
    assert all(len(row["valid"]) == len(row["test"]) == 2 for row in measured["rows"])
    assert last_line(*program, "0") == measured  # nothing is trained again


def test_the_script_for_gpus_writes_what_each_part_found(tmp_path: Path) -> None:
    (tmp_path / "tiny_shakespeare.txt").write_text("To be, or not to be, that is the question. " * 300)
    command = ["benchmarks/gpu.sh", sys.executable, str(tmp_path / "found"), "tests", "time_to_quality", "sweep"]
    tried = os.environ | {"SEQLAB_DEVICE": "cpu", "SEQLAB_MIRROR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=tried, text=True, capture_output=True, check=False)
    parts = {path.name: json.loads(path.read_text()) for path in (tmp_path / "found").iterdir()}
    passed = {"gpu_tests.json": True, "gpu_time_to_quality.json": True, "gpu_sweep.json": False}  # it has no text
    assert {name: part["passed"] for name, part in parts.items()} == passed and done.returncode == 1
    measured = parts["gpu_time_to_quality.json"]["figures"]
    assert measured["seconds_to_1_88"] == (measured["seconds"][0] if measured["losses"][0] <= 1.88 else None)
    assert 0 < measured["loss_at_180_s"] == round(measured["losses"][1], 4)
    assert measured["peer"]["seconds"] > 0 and measured["peer"]["loss"] > 0
    assert "time_machine.txt is missing" in parts["gpu_sweep.json"]["summary"]


def test_a_text_that_is_missing_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/ngram.py", "--text", str(tmp_path / "none.txt")]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode != 0 and "none.txt is missing" in done.stderr and "Traceback" not in done.stderr


def test_verdicts() -> None:
    rows = last_line("benchmarks/verdicts.py", "--ledgers", "20", "--symbols", "400")["rows"]
    assert all(0 <= row["false_positives"] < 0.5 < row["power"] <= 1 for row in rows)


def test_borders(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("it will be so and so it was " * 300)
    options = ["--streams", "4", "--epochs", "1", "--hidden", "4", "--seeds", "1", "2"]
    figures = last_line("benchmarks/borders.py", "--text", str(tmp_path / "text.txt"), *options)
    assert figures["borders"] == 3 and figures["divided"] != figures["joined"]


def test_report(tmp_path: Path) -> None:
    with open_browser():  # skips where there is none
        pass
    report = tmp_path / "report.html"
    report.write_text("<!doctype html><title>a page</title><p>words")
    measured = last_line("benchmarks/report.py", str(report), "--times", "2")
    assert measured["requests"] == 0 and measured["seconds"] > 0


def test_planning() -> None:
    rows = last_line("benchmarks/planning.py", "--configurations", "8", "16")["rows"]
    assert rows[1]["jobs"] - rows[0]["jobs"] == 8  # one for each network
    assert all(row["seconds"] > 0 and row["printed_seconds"] > 0 and row["memory_mb"] > 0 for row in rows)


def test_tracking_follows_without_losing_an_epoch() -> None:
    measured = last_line("benchmarks/tracking.py", "--quick", "--only", "lag")["lag"]
    assert (measured["runs"], measured["points"]) == (6, 18)
