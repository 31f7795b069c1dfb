"""Draw docs/images/imports.svg and docs/images/data_flow.svg: python tools/drawings.py; --check compares only.

The imports are read from the code, in the order of the contract in pyproject.toml. The data flow is written in FLOW; a
test compares its rules with those of the workflow.
"""

import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from grimp import build_graph

from seqlab.io.errors import InputError, command

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FILLS = {"file": "#eaf2fb", "result": "#fdf0d5", "input": "#f1f1ef"}
STYLE = """text { font: 13px sans-serif; fill: #1b1f24; text-anchor: middle }
.rule { font-style: italic; fill: #3a5f8a }
.remark, .number { font-size: 11.5px; fill: #57606a } rect { stroke: #8c959f } path { fill: none; stroke: #6e7781 }"""
LEADING = 17  # pixels from line to line
STEP, BOX = (82, 46), (104, 30)  # pixels from a package to the next, and the box of one


class Step(NamedTuple):
    """A box of the data flow: position and width in pixels, files, the rules that make them, a remark."""

    x: int
    y: int
    width: int
    files: str
    rules: str = ""
    remark: str = ""
    kind: str = "file"

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The lines of text in the box, each with its class."""
        texts = {"file": self.files, "rule": self.rules, "remark": self.remark}
        return [(style, line) for style, words in texts.items() for line in words.split("\n") if line]

    @property
    def height(self) -> int:
        return LEADING * len(self.lines) + 12


FLOW = {
    "corpora": Step(20, 20, 150, "config/corpora.yaml", "", "available texts", "input"),
    "raw": Step(210, 20, 110, "raw.txt", "fetch_corpus"),
    "clean": Step(360, 20, 120, "clean.txt", "clean_corpus"),
    "ids": Step(520, 20, 260, "vocab.json, ids.npy, splits.json", "encode_corpus", "shared by all experiments"),
    "check": Step(820, 20, 160, "check.json", "check_corpus", "warnings about the text"),
    "config": Step(20, 130, 150, "config/*.yaml", "", "models to run", "input"),
    "runs": Step(210, 130, 240, "runs.json", "plan_runs, list_runs", "every run of the experiment"),
    "card": Step(
        490,
        130,
        490,
        "card.yaml",
        "",
        "written first by the job that makes the run:\n"
        "settings, seeds and checksums of the data, everything that decides its result",
    ),
    "counts": Step(170, 240, 200, "counts/merged/", "count_shard, merge_counts", "counts of ids.npy, optional"),
    "none": Step(20, 345, 220, "no training", "", "known source, compressors", "input"),
    "external": Step(820, 345, 160, "file.py | model.arpa", "", "other programs", "input"),
    "ngram": Step(
        260, 345, 280, "model.npz, model.arpa.gz", "train_ngram, prune_ngram\nwrite_arpa, train_lines", "n-grams"
    ),
    "rnn": Step(
        560,
        345,
        240,
        "weights.safetensors, history.csv",
        "estimate_training, train_fleet, train_rnn",
        "networks, all seeds together",
    ),
    "mixture": Step(20, 450, 160, "scores.npz, metrics.json", "score_mixture", "mixtures of models", "result"),
    "ledger": Step(
        200,
        450,
        780,
        "scores.npz, metrics.json",
        "score_source, score_compressor, train_ngram, prune_ngram, train_rnn, score_external",
        "the ledger: bits of every symbol of validation and test, in the same files for every model",
        "result",
    ),
    "models": Step(20, 560, 212, "summary.csv, models.csv", "summarize", "a column for every setting"),
    "verdicts": Step(244, 560, 120, "verdicts.csv\naudit.csv", "compare_models\naudit_models", "comparisons, laws"),
    "breakdown": Step(376, 560, 190, "breakdown.csv, contrast.json", "explain_models", "bits by context"),
    "memory": Step(578, 560, 120, "memory.csv\ngaps.csv", "measure_memory\nmeasure_gaps", "bits by past"),
    "horizon": Step(710, 560, 120, "horizon.csv", "measure_horizon", "bits k steps ahead"),
    "protocols": Step(
        842,
        560,
        138,
        "protocols.csv\npublished.csv",
        "compare_protocols\ncompare_published",
        "other scorings",
    ),
    "expected": Step(20, 670, 170, "config/expected/*.csv", "verify, refresh_expected", "committed reference", "input"),
    "tracking": Step(210, 670, 180, "tracking.json, mlflow.db", "track_runs", "runs, tables, figures", "result"),
    "figures": Step(430, 670, 390, "figures/*.svg", "plot_figure", "drawn from the tables and history.csv"),
    "report": Step(850, 670, 130, "report.html", "write_report", "all results", "result"),
    "series": Step(20, 790, 170, "series.csv, series.json", "build_series", "series of numbers"),
    "forecaster": Step(230, 790, 390, "model.json | weights.safetensors", "train_autoregression, train_forecaster"),
    "forecasts": Step(
        670,
        790,
        310,
        "forecasts.npz, metrics.json",
        "score_persistence, train_autoregression\ntrain_forecaster",
        "",
        "result",
    ),
    "tables": Step(
        670,
        890,
        310,
        "summary.csv, models.csv, figures/*.svg",
        "summarize_series, plot_figure",
        "shown in the same report and tracked in the same way",
    ),
    "provenance": Step(
        20, 890, 280, "provenance.json, changes.diff", "record_provenance", "commit and uncommitted changes"
    ),
    "crate": Step(340, 890, 280, "crate.zip", "publish", "all results as a research object", "result"),
}
ARROWS = """corpora raw, raw clean, clean ids, ids check, ids card, config runs, runs card, counts ngram,
card ngram, card rnn, none ledger, ngram ledger, rnn ledger, external ledger, ledger mixture, mixture models,
ledger models, ledger verdicts, ledger breakdown, ledger memory, ledger horizon, ledger protocols, models expected,
verdicts tracking, breakdown figures, memory figures, horizon figures, figures tracking, figures report,
protocols report, series forecaster, forecaster forecasts, forecasts tables, provenance crate, tables crate"""


def svg(title: str, width: int, height: int, parts: list[str]) -> str:
    """A drawing on white, which is readable on dark pages too, in the fonts of the reader's system."""
    head = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    body = [
        opening,
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<defs>{head}<path d="M0 0 L8 4 L0 8"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white" style="stroke: none"/>',
    ]
    return "\n".join([*body, *parts, "</svg>\n"])


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{FILLS[kind]}"/>'


def text(x: float, y: float, words: str, style: str = "file") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}">{escape(words)}</text>'


def arrow(*corners: tuple[float, float]) -> str:
    way = " L".join(f"{x:g} {y:g}" for x, y in corners)
    return f'<path d="M{way}" marker-end="url(#tip)"/>'


def connection(start: Step, end: Step) -> str:
    """The arrow from a box to one beside it, to one below it, or to one below it on the right."""
    if start.y == end.y:
        y = start.y + min(start.height, end.height) / 2
        ends = (start.x + start.width, end.x) if start.x < end.x else (start.x, end.x + end.width)
        return arrow((ends[0], y), (ends[1], y))
    left, right = max(start.x, end.x), min(start.x + start.width, end.x + end.width)
    if left < right:
        return arrow(((left + right) / 2, start.y + start.height), ((left + right) / 2, end.y))
    y = end.y + end.height / 2
    return arrow((start.x + start.width / 2, start.y + start.height), (start.x + start.width / 2, y), (end.x, y))


def data_flow() -> str:
    """The files of an experiment, each with the rule that makes it."""
    parts = [connection(FLOW[start], FLOW[end]) for start, end in (pair.split() for pair in ARROWS.split(","))]
    for step in FLOW.values():
        parts.append(box(step.x, step.y, step.width, step.height, step.kind))
        middle, top = step.x + step.width / 2, step.y + LEADING + 2
        parts += [text(middle, top + LEADING * row, line, style) for row, (style, line) in enumerate(step.lines)]
    return svg("Files of seqlab and the rules that make them", 1000, 980, parts)


def layers() -> tuple[list[str], list[str]]:
    """Packages and modules of src/seqlab from the highest layer down, and those that every other may import."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (order,) = [
        contract["layers"] for contract in contracts if contract["type"] == "layers" and "containers" in contract
    ]
    return [name.strip() for layer in order[:-1] for name in layer.split("|")], order[-1].split(" : ")


def edges(leaves: list[str]) -> Counter[tuple[str, str]]:
    """Numbers of modules by importing and imported part of src/seqlab, without the parts that all may import."""
    graph = build_graph("seqlab", cache_dir=None)
    counts: Counter[tuple[str, str]] = Counter()
    for module in graph.modules - {"seqlab"}:
        importer = module.split(".")[1]
        imported = {name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name}
        counts.update((importer, part) for part in imported - {importer, *leaves} if importer not in leaves)
    return counts


def imports() -> str:
    """The imports between packages: right from the importing package to a dot, and down to the imported one."""
    names, leaves = layers()
    counts = edges(leaves)
    corner = {name: (20 + STEP[0] * place, 20 + STEP[1] * place) for place, name in enumerate(names)}
    parts: list[str] = []
    for (importer, imported), count in sorted(counts.items(), key=lambda edge: [names.index(name) for name in edge[0]]):
        (x, y), (column, row) = corner[importer], corner[imported]
        turn = (column + BOX[0] / 2, y + BOX[1] / 2)
        parts += [
            arrow((x + BOX[0], turn[1]), turn, (turn[0], row)),
            f'<circle cx="{turn[0]:g}" cy="{turn[1]:g}" r="3.5" fill="#6e7781"/>',
            text(turn[0] + 11, turn[1] - 5, str(count), "number"),
        ]
    for name, (x, y) in corner.items():
        parts += [box(x, y, *BOX, "file"), text(x + BOX[0] / 2, y + 20, name)]
    wide, bottom = STEP[0] * (len(names) - 1) + BOX[0], 20 + STEP[1] * len(names)
    parts += [box(20, bottom, wide, BOX[1], "input"), text(20 + wide / 2, bottom + 20, ", ".join(leaves))]
    return svg("Imports between the packages of src/seqlab", wide + 40, bottom + 50, parts)


DRAWINGS = {"imports.svg": imports, "data_flow.svg": data_flow}


@command
def main() -> None:
    for name, draw in DRAWINGS.items():
        path = IMAGES / name
        if "--check" not in sys.argv:
            path.write_text(draw(), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != draw():
            raise InputError(f"{path.relative_to(ROOT)} is outdated; run make docs")


if __name__ == "__main__":
    main()
