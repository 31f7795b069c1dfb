"""The runs of language models: one for each model and seed, and one for the experiment that they belong to."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqlab.io.cards import read_card
from seqlab.io.files import read_json
from seqlab.io.runs import Experiment, Place, Run
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.verdicts import IMPOSSIBLE, TOTAL_ONLY, Verdict, find_leader
from seqlab.tracking.page import best_model, experiment_page, read_place_verdicts
from seqlab.tracking.runs import PlannedRun, Point, as_text, plan_parent, plan_seed

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
# The settings that are always parameters; others become one where they are an axis. The card holds all of them.
SETTINGS = ["smoothing", "order", "prune", "cell", "layers", "hidden", "epochs", "steps", "batch_size", "optimiser"]
SETTINGS += ["learning_rate", "dropout", "parts"]
SHORT_REASONS = {TOTAL_ONLY: "total only", IMPOSSIBLE: "infinite"}  # why a model has no verdict
LEADING = 5  # models of a family that are compared with other families in a chart
TABLES = ("summary.csv", "models.csv", "verdicts.csv", "breakdown.csv", "memory.csv")


def plan(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """The runs in MLflow of the finished `runs` on one corpus and unit, after that of the experiment itself."""
    parent = plan_parent(experiment, place, TABLES, experiment_page(experiment, place), best_model(place))
    yield parent
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    params, symbols = params_of(cards), _train_symbols(experiment, place)
    standings, leaders = _standings(place), leading(place)
    for run, card in cards.items():
        standing = standings.get(run.model, {}) | {"leading": "yes" if (run.family, run.model) in leaders else "no"}
        for planned in _plan_seeds(experiment, run, card, params[run], symbols):
            yield replace(planned, standing=standing, parent=parent.key)


def params_of(
    cards: Mapping[Run, dict[str, Any]], always: Sequence[str] | None = SETTINGS
) -> dict[Run, dict[str, str]]:
    """The parameters of every run: the axes of its family, that is the settings in which its runs differ, then those
    that are `always` parameters (None for all).
    """
    families: dict[str, dict[Run, dict[str, str]]] = {}
    for run, card in cards.items():
        families.setdefault(run.family, {})[run] = flat(card["settings"])
    params = {}
    for settings in families.values():
        names = list(dict.fromkeys(name for values in settings.values() for name in values))
        axes = [name for name in names if len({values.get(name) for values in settings.values()}) > 1]
        for run, values in settings.items():
            ordered = dict.fromkeys([*axes, *(names if always is None else always)])
            known = {name: values[name] for name in ordered if name in values}
            params[run] = known | {"family": run.family, "model": run.model}
    return params


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


def begun(experiment: Experiment, run: Run, started: int) -> list[PlannedRun]:
    """The runs of a model in training, one for each seed, as far as they are known before its first epoch.

    An axis that is not among SETTINGS becomes a parameter when the run is published.
    """
    card = read_card(run.file("card.yaml"))
    params, symbols = params_of({run: card})[run], _train_symbols(experiment, run.place)
    return [_plan_seed(experiment, run, card, seed, params, symbols, started, 0.0) for seed in card["seeds"] or [None]]


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


def read_history(path: str | Path) -> list[dict[str, str]]:
    """The rows of a history.csv; none where there is no such file, as in families without epochs."""
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _plan_seed(
    experiment: Experiment,
    run: Run,
    card: dict[str, Any],
    seed: int | None,
    params: dict[str, str],
    symbols: int | None,
    start: int,
    seconds: float,
) -> PlannedRun:
    return plan_seed(experiment, run, card, seed, params, card["data"]["ids"], start, seconds, symbols)


def _plan_seeds(
    experiment: Experiment, run: Run, card: dict[str, Any], params: dict[str, str], symbols: int | None
) -> Iterator[PlannedRun]:
    """One run for each seed, or a single one where the model has none."""
    metrics = read_metrics(run.file("metrics.json"))
    history = read_history(run.file("history.csv"))
    paths = [Path(run.file(name)) for name in ("card.yaml", "sample.txt")]
    artifacts = tuple((path, None) for path in paths if path.exists())
    start, seconds = started(run, metrics["train_seconds"]), metrics["train_seconds"]
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        planned = _plan_seed(experiment, run, card, seed, params, symbols, start, seconds)
        planned = replace(planned, points=(*_figures(metrics, seed), *curves(history, seed)), artifacts=artifacts)
        infinite = {"infinite": ", ".join(planned.infinite)} if planned.infinite else {}
        yield replace(planned, tags=planned.tags | {"card": metrics["card"]} | infinite)


def started(run: Run, seconds: float) -> int:
    """The start of a run that took so many `seconds`, in milliseconds since 1970: it ended when its metrics were
    written.
    """
    return Path(run.file("metrics.json")).stat().st_mtime_ns // 1_000_000 - round(1000 * seconds)


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0, which MLflow draws as bars."""
    for split in ("valid", "test"):
        (row,) = (row for row in metrics["scores"] if row["seed"] == seed and row["split"] == split)
        yield from (Point(f"{split}/{figure}", float(row[figure])) for figure in FIGURES)
    yield Point("model/parameters", float(metrics["parameters"]))
    yield Point("train/seconds", float(metrics["train_seconds"]))


def leading(place: Place) -> set[tuple[str, str]]:
    """The (family, model) that are among the best of their family on valid: a chart has no room for all."""
    path = Path(place.file("models.csv"))
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8") as file:
        valid = [row for row in csv.DictReader(file) if row["split"] == "valid"]
    families: dict[str, list[str]] = {}
    for row in rank_candidates(valid, lambda row: (float(row["perplexity"]), row["model"])):
        families.setdefault(row["family"], []).append(row["model"])
    return {(family, model) for family, models in families.items() for model in models[:LEADING]}


def _standings(place: Place) -> dict[str, dict[str, str]]:
    """For every model, how it compares with the best one on valid: by how much, and whether that is real."""
    verdicts = read_place_verdicts(place)
    best = find_leader(verdicts)
    standings = {verdict.model: _standing(verdict) for verdict in verdicts if verdict.against == best}
    return standings | {best: {"behind": "0 bits", "verdict": "best on valid", "verdict in full": "best on valid"}}


def _standing(verdict: Verdict) -> dict[str, str]:
    """Tags for the table of runs, whose columns have room for a word, and one that says it all."""
    short = verdict.verdict if verdict.is_known else SHORT_REASONS.get(verdict.verdict, "not compared")
    tags = {"verdict": "known source" if verdict.family == "source" else short, "verdict in full": verdict.in_words}
    return tags | ({"behind": f"{verdict.difference:+.3f} bits"} if verdict.is_known else {})


def _train_symbols(experiment: Experiment, place: Place) -> int | None:
    """The number of symbols in the train split; None where the prepared text is not there any more."""
    splits = Path(experiment.prepared[place]) / "splits.json"
    return int(read_json(splits)["splits"]["train"]["symbols"]) if splits.exists() else None
