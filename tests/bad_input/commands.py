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

ROOT = Path(__file__).parents[2]
SPLIT = '{"kind": "contiguous", "train": 0.8, "valid": 0.1, "test": 0.1}'
SAMPLE = '{"prompt": 3, "symbols": 5, "temperature": 1.0}'
NETWORK = {"cell": "rnn", "layers": 1, "hidden": 2, "epochs": 1, "steps": 5, "batch_size": 2}
RUN = ["--card", "card.yaml", "--ids", "ids.npy", "--splits", "splits.json", "--vocab", "vocab.json"]
SCORED = ["--scores", "scores.npz", "--metrics", "metrics.json"]
DATA = ["--ids", "ids.npy", "--splits", "splits.json", "--vocab", "vocab.json"]


def card_of(family: str, model: str, settings: dict[str, Any], seeds: str = "[]") -> list[str]:
    """The arguments of write_card for one run."""
    run = f'{{"settings": {json.dumps(settings)}, "seeds": {seeds}}}'
    named = ["--corpus", "toy", "--unit", "char", "--family", family, "--model", model, "--run", run]
    return [*named, *DATA, "--output", f"{family}/{model}/card.yaml"]


def inside(folder: str, arguments: list[str]) -> list[str]:
    """`arguments` with the files of a run in its folder."""
    own = ("card.yaml", "scores.npz", "metrics.json", "sample.txt", "model.npz", "training.json")
    return [f"{folder}/{argument}" if argument in own else argument for argument in arguments]


SOURCE = {"kind": "builtin", "builtin": "even_process", "settings": {"probability": 0.5}, "length": 2000, "seed": 1}
SOURCE_METRICS = "source/true-source/metrics.json"
LEDGER = ["ngram/mkn-2/metrics.json", "rnn/rnn-1x2/metrics.json", "compressor/xz/metrics.json", SOURCE_METRICS]
PRUNED = "ngram/mkn-2-entropy-0.1"
FETCH = ["--name", "toy", "--definition", json.dumps(SOURCE), "--output", "raw.txt"]
COMMANDS: dict[str, list[str]] = {  # in the order in which the experiment is made
    "fetch_corpus": FETCH,
    "clean_corpus": ["--raw", "raw.txt", "--cleaning", "none", "--kind", "builtin", "--output", "clean.txt"],
    "build_vocab": [
        *["--text", "clean.txt", "--unit", "char", "--split", SPLIT, "--min-freq", "1", "--merges", "9"],
        *["--output", "vocab.json"],
    ],
    "encode_corpus": [
        *["--text", "clean.txt", "--vocab", "vocab.json", "--unit", "char", "--split", SPLIT],
        *["--ids", "ids.npy", "--splits", "splits.json"],
    ],
    "spell_unknowns": [
        *["--text", "clean.txt", "--vocab", "vocab.json", "--splits", "splits.json", "--split", SPLIT],
        *["--output", "spelling.json"],
    ],
    "check_corpus": ["--raw", "raw.txt", "--text", "clean.txt", *DATA, "--unit", "char", "--output", "check.json"],
    "write_card": card_of("ngram", "mkn-2", {"smoothing": "mkn", "order": 2}),
    "train_ngram": inside("ngram/mkn-2", [*RUN, "--model", "model.npz", "--training", "training.json"]),
    "score_ngram": inside(
        "ngram/mkn-2",
        [
            *[*RUN, "--model", "model.npz", "--training", "training.json", "--sample-settings", SAMPLE],
            *[*SCORED, "--sample", "sample.txt"],
        ],
    ),
    "write_arpa": ["--model", "ngram/mkn-2/model.npz", "--vocab", "vocab.json", "--arpa", "ngram/mkn-2/model.arpa"],
    "count_shard": [*DATA, "--order", "2", "--shard", "1-of-1", "--memory", "50", "--parts", "counts/1-of-1"],
    "merge_counts": [
        *["counts/1-of-1", "--vocab", "vocab.json", "--order", "2", "--memory", "50", "--counts", "counts/merged"],
    ],
    "train_rnn": inside("rnn/rnn-1x2", [*RUN, "--code", "vocab.json", "--device", "cpu", "--folder", "rnn/rnn-1x2"]),
    "score_rnn": inside(
        "rnn/rnn-1x2",
        [
            *[*RUN, "--training", "training.json", "--folder", "rnn/rnn-1x2", "--sample-settings", SAMPLE],
            *["--device", "cpu", *SCORED, "--sample", "sample.txt"],
        ],
    ),
    "score_compressor": inside(
        "compressor/xz", ["--card", "card.yaml", "--text", "clean.txt", "--splits", "splits.json", *SCORED]
    ),
    "score_source": inside(
        "source/true-source",
        [
            *["--card", "card.yaml", "--text", "clean.txt", "--splits", "splits.json", "--symbols", "9"],
            *[*SCORED, "--sample", "sample.txt"],
        ],
    ),
    "score_mixture": [
        *inside("mixture/both", ["--card", "card.yaml", "--splits", "splits.json", *SCORED]),
        *["--parts", "ngram/mkn-2/metrics.json", "rnn/rnn-1x2/metrics.json"],
    ],
    "summarize": [*LEDGER, "--spelling", "spelling.json", "--summary", "summary.csv", "--models", "models.csv"],
    "compare_models": [*LEDGER, "--output", "verdicts.csv"],
    "explain_models": [*LEDGER, *DATA, "--unit", "char", "--breakdown", "breakdown.csv", "--contrast", "contrast.json"],
    "measure_memory": [
        *[*LEDGER, "--ids", "ids.npy", "--splits", "splits.json", "--contexts", "1", "2", "--symbols", "20"],
        *["--device", "cpu", "--output", "memory.csv"],
    ],
    "measure_horizon": [
        *[*LEDGER[:2], *DATA, "--steps", "1", "2", "--symbols", "9", "--samples", "3", "--device", "cpu"],
        *["--output", "horizon.csv"],
    ],
    "compare_protocols": [LEDGER[1], *DATA, "--windows", "9", "--device", "cpu", "--output", "protocols.csv"],
    "plot_cost": ["--models", "models.csv", "--metrics", SOURCE_METRICS, "--output", "6.svg"],
    "plot_horizon": ["--horizon", "horizon.csv", "--output", "7.svg"],
    "plot_perplexity_by_order": [
        "--models",
        "models.csv",
        "--metrics",
        "source/true-source/metrics.json",
        "--output",
        "1.svg",
    ],
    "plot_layers_by_hidden": ["--models", "models.csv", "--output", "2.svg"],
    "plot_learning_curves": ["rnn/rnn-1x2/metrics.json", "--output", "3.svg"],
    "plot_memory": ["--memory", "memory.csv", "--output", "4.svg"],
    "plot_who_knows_what": ["--breakdown", "breakdown.csv", "--output", "5.svg"],
    "prune_ngram": [
        *["--card", f"{PRUNED}/card.yaml", "--ids", "ids.npy", "--splits", "splits.json"],
        *["--whole", "ngram/mkn-2/model.npz", "--whole-training", "ngram/mkn-2/training.json", "--name", "mkn-2"],
        *["--model", f"{PRUNED}/model.npz", "--training", f"{PRUNED}/training.json"],
    ],
    "verify": [*LEDGER, "--expected", "expected.csv"],
    "write_report": ["--results", ".", "--experiment", "toy/char", "--output", "report.html"],
}
CARDS = [
    card_of("rnn", "rnn-1x2", NETWORK | {"partition": "sequential"}, "[1]"),
    card_of("compressor", "xz", {}),
    card_of("source", "true-source", SOURCE),
    card_of("mixture", "both", {"parts": ["mkn-2", "rnn-1x2"]}),
    card_of("ngram", "mkn-2-entropy-0.1", {"smoothing": "mkn", "order": 2, "prune": {"entropy": 0.1}}),
]


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
    for script, arguments in COMMANDS.items():
        if script == "verify":
            made = run(script, [*arguments, "--refresh"])
            assert made[0] == 0, made
        if script == "write_report":
            continue
        code, printed = run(script, arguments)
        assert code == 0, (script, printed)
        if script == "write_card":
            for card in CARDS:
                assert run(script, card) == (0, "")


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
