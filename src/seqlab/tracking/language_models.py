"""The runs of language models: one for each model and seed, and one for the sweep that they belong to.

results/{corpus}/{unit}/{family}/{model} becomes runs of the experiment {corpus}/{unit}.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqlab.cards import read_card
from seqlab.files import read_json
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.verdicts import ALIKE, BETTER, WORSE
from seqlab.tracking.page import sweep_page
from seqlab.tracking.runs import Dataset, PlannedRun, Point, Sweep, as_text, digest

STUDY = ("corpus", "unit", "family")  # models that agree in these are compared with each other
# MLflow offers the first metric for a comparison, so the first of all is the one that selects a model.
FIGURES = ("perplexity", "bits_per_char", "bits_per_symbol")
CURVES = {  # of every epoch: its name -> the column of history.csv
    "valid/epoch_perplexity": "valid_perplexity",
    "valid/epoch_loss": "valid_loss",
    "train/epoch_perplexity": "train_perplexity",
    "train/epoch_loss": "train_loss",
    "train/gradient_norm": "gradient_norm",
    "train/learning_rate": "learning_rate",
}
# The settings that are always parameters; others become one where they are swept. The card holds all of them.
SETTINGS = ["smoothing", "order", "prune", "cell", "layers", "hidden", "epochs", "steps", "batch_size", "optimiser"]
SETTINGS += ["learning_rate", "dropout", "parts"]
VERDICTS = {WORSE: "worse", BETTER: "better", ALIKE: "undecided", "only a total is known": "total only"}
VERDICTS["a symbol has probability zero"] = "infinite"
LEADING = 5  # models of a family that are compared with other families in a chart
TABLES = ("summary.csv", "models.csv", "verdicts.csv", "breakdown.csv", "memory.csv")


def plan(results: Path, folders: Sequence[Path], sweep: Sweep) -> Iterator[PlannedRun]:
    """The runs of the models in `folders` and of the sweep on every corpus and unit."""
    cards = {folder: read_card(folder / "card.yaml") for folder in folders}
    params = params_of(cards)
    for corpus, unit in dict.fromkeys((card["corpus"], card["unit"]) for card in cards.values()):
        base = results / corpus / unit
        parent = _plan_sweep(base, sweep)
        yield parent
        standings, leaders = _standings(base), leading(base)
        for folder, card in cards.items():
            if (card["corpus"], card["unit"]) == (corpus, unit):
                for run in _plan_model(folder, card, params[folder]):
                    leads = "yes" if (card["family"], card["model"]) in leaders else "no"
                    standing = standings.get(card["model"], {}) | {"sweep": sweep.name, "leading": leads}
                    yield replace(run, standing=standing, sweep=parent.key)


def params_of(cards: Mapping[Path, dict[str, Any]]) -> dict[Path, dict[str, str]]:
    """The parameters of each card's runs, those first in which the models of a study differ."""
    settings = {folder: flat(card["settings"]) for folder, card in cards.items()}
    found = {}
    for folder, card in cards.items():
        study = [settings[other] for other in cards if all(cards[other][key] == card[key] for key in STUDY)]
        mine = settings[folder]
        swept = [name for name in mine if len({rest.get(name) for rest in study}) > 1]
        names = dict.fromkeys([*swept, *(name for name in SETTINGS if name in mine)])
        found[folder] = {name: mine[name] for name in names} | {"family": card["family"], "model": card["model"]}
    return found


def flat(settings: dict[str, Any]) -> dict[str, str]:
    """Nested settings as text under the last part of their names, or under the whole where that part is taken."""
    whole: dict[str, str] = {}
    groups = [("settings", settings)]
    for prefix, group in groups:  # grows while it is walked
        for name, value in group.items():
            if isinstance(value, dict):
                groups.append((f"{prefix}.{name}", value))
            else:
                whole[f"{prefix}.{name}"] = as_text(value)
    last = [name.rsplit(".", 1)[-1] for name in whole] + ["seed", "family", "model"]
    return {part if last.count(part) == 1 else name: whole[name] for name, part in zip(whole, last, strict=False)}


def begun(folder: Path, started: int, params: dict[str, str]) -> list[PlannedRun]:
    """The runs of a model in training, one for each seed, as far as they are known before its first epoch."""
    card = read_card(folder / "card.yaml")
    return [_run(folder, card, seed, params, started, 0.0) for seed in card["seeds"] or [None]]


def curves(rows: Iterable[Mapping[str, Any]], seed: int | None) -> list[Point]:
    """The points of one seed in the rows of a history, curve by curve."""
    points: dict[str, list[Point]] = {name: [] for name in CURVES}
    seconds = 0.0
    for row in rows:
        if str(row["seed"]) == str(seed):
            seconds += float(row.get("seconds") or 0.0)
            for name, column in CURVES.items():
                if row.get(column) not in (None, ""):
                    points[name].append(Point(name, float(row[column]), int(row["epoch"]), round(1000 * seconds)))
    return [point for curve in points.values() for point in curve]


def read_history(path: Path) -> list[dict[str, str]]:
    """The rows of a history.csv; none where there is no such file, as in families without epochs."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _run(folder: Path, card: dict[str, Any], seed: int | None, params: dict[str, str], start: int, seconds: float
         ) -> PlannedRun:  # fmt: skip
    seeded = {} if seed is None else {"seed": str(seed)}
    return PlannedRun(
        experiment=f"{card['corpus']}/{card['unit']}",
        key=digest(card | {"seeds": seed}),  # of this seed alone: another seed must not change the key
        name=card["model"] if seed is None else f"{card['model']}-s{seed}",
        start=start,
        seconds=seconds,
        tags={"kind": "model", **{key: card[key] for key in STUDY}, **seeded, "data": card["data"]["ids"]},
        params=params | seeded,
        dataset=_dataset(folder.parent.parent, card),
    )


def _plan_model(folder: Path, card: dict[str, Any], params: dict[str, str]) -> Iterator[PlannedRun]:
    """One run per seed, or a single one where the model has none."""
    metrics = read_metrics(folder / "metrics.json")
    history = read_history(folder / "history.csv")
    artifacts = tuple((folder / name, None) for name in ("card.yaml", "sample.txt") if (folder / name).exists())
    start = (folder / "metrics.json").stat().st_mtime_ns // 1_000_000 - round(1000 * metrics["train_seconds"])
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        run = _run(folder, card, seed, params, start, metrics["train_seconds"])
        run = replace(run, points=(*_figures(metrics, seed), *curves(history, seed)), artifacts=artifacts)
        infinite = {"infinite": ", ".join(run.infinite)} if run.infinite else {}
        yield replace(run, tags=run.tags | {"card": metrics["card"]} | infinite)


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0, which MLflow draws as bars."""
    for split in ("valid", "test"):
        (row,) = (row for row in metrics["scores"] if row["seed"] == seed and row["split"] == split)
        yield from (Point(f"{split}/{figure}", float(row[figure])) for figure in FIGURES)
    yield Point("model/parameters", float(metrics["parameters"]))
    yield Point("train/seconds", float(metrics["train_seconds"]))


def leading(base: Path) -> set[tuple[str, str]]:
    """The (family, model) that are among the best of their family on valid: a chart has no room for all."""
    path = base / "models.csv"
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8") as file:
        valid = [row for row in csv.DictReader(file) if row["split"] == "valid"]
    families: dict[str, list[str]] = {}
    for row in sorted(valid, key=lambda row: float(row["perplexity"])):
        families.setdefault(row["family"], []).append(row["model"])
    return {(family, model) for family, models in families.items() for model in models[:LEADING]}


def _standings(base: Path) -> dict[str, dict[str, str]]:
    """For every model, how it compares with the best one on valid: by how much, and whether that is real."""
    path = base / "verdicts.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = rows[0]["against"] if rows else ""
    told = {row["model"]: _standing(row) for row in rows if row["against"] == best}
    return told | {best: {"behind": "0 bits", "verdict": "best on valid", "verdict in full": "best on valid"}}


def _standing(row: dict[str, str]) -> dict[str, str]:
    """Tags for the table of runs, whose columns have room for a word, and one that says it all."""
    difference, low, high = (float(row[name] or "nan") for name in ("difference", "low", "high"))
    short = "known source" if row["family"] == "source" else VERDICTS.get(row["verdict"], "not compared")
    if math.isnan(difference):
        return {"verdict": short, "verdict in full": row["verdict"]}
    full = f"{row['verdict']}: {difference:+.4f} bits per symbol, 95 % interval {low:+.4f} to {high:+.4f}"
    return {"behind": f"{difference:+.3f} bits", "verdict": short, "verdict in full": full}


def _dataset(base: Path, card: dict[str, Any]) -> Dataset:
    """The train split of a corpus and unit, by the digest of its ids."""
    splits = base / "splits.json"
    symbols = read_json(splits)["splits"]["train"]["symbols"] if splits.exists() else None
    return Dataset(f"{card['corpus']} by {card['unit']}", card["data"]["ids"][:16], symbols)


def _plan_sweep(base: Path, sweep: Sweep) -> PlannedRun:
    """The run that stands for the sweep on one corpus and unit: a page, the tables and the figures."""
    tables = [(base / name, None) for name in TABLES if (base / name).exists()]
    artifacts = (*tables, *((path, "figures") for path in sorted((base / "figures").glob("*.svg"))))
    newest = max((path.stat().st_mtime_ns for path, _ in artifacts), default=0) // 1_000_000
    tags = {"kind": "sweep", "corpus": base.parent.name, "unit": base.name, "sweep": sweep.name}
    page = {"mlflow.note.content": sweep_page(base, sweep.command)}
    name = f"sweep {sweep.name}"
    return PlannedRun(f"{base.parent.name}/{base.name}", digest(tags), name, newest, 0.0, tags, artifacts=artifacts,
                      standing=page)  # fmt: skip
