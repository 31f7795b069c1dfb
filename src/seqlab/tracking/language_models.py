"""The runs of language models: one for each model and seed, and one for the experiment that they belong to."""

import csv
from collections.abc import Iterator, Mapping, Sequence
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
from seqlab.tracking.runs import PlannedRun, Point, as_text, plan_parent, plan_seed, plan_seeds

# MLflow offers the first metric for a comparison, so the first of all is the one that selects a model.
TRACKED_FIGURES = ("perplexity", "bits_per_char", "bits_per_symbol")
# The settings that are always parameters; others become one where they are an axis. The card holds all of them.
PARAMETER_SETTINGS = [
    "smoothing",
    "order",
    "prune",
    "cell",
    "layers",
    "hidden",
    "epochs",
    "steps",
    "batch_size",
    "optimiser",
]
PARAMETER_SETTINGS += ["learning_rate", "dropout", "parts"]
SHORT_REASONS = {TOTAL_ONLY: "total only", IMPOSSIBLE: "infinite"}  # why a model has no verdict
LEADING_MODELS = 5  # models of a family that are compared with other families in a chart
TEXT_ARTIFACTS = ("card.yaml", "sample.txt")
TEXT_TABLES = ("summary.csv", "models.csv", "verdicts.csv", "breakdown.csv", "memory.csv")


def plan_texts(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """The runs in MLflow of the finished `runs` on one corpus and unit, after that of the experiment itself."""
    parent = plan_parent(experiment, place, TEXT_TABLES, experiment_page(experiment, place), best_model(place))
    yield parent
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    params, symbols = params_of(cards), _train_symbols(experiment, place)
    standings, leaders = _standings(place), leading(place)
    for run, card in cards.items():
        standing = standings.get(run.model, {}) | {"leading": "yes" if (run.family, run.model) in leaders else "no"}
        metrics = read_metrics(run.file("metrics.json"))
        for planned in plan_seeds(experiment, run, card, params[run], metrics, TEXT_ARTIFACTS, _figures, symbols):
            yield replace(planned, standing=standing, parent=parent.key)


def params_of(
    cards: Mapping[Run, dict[str, Any]], always: Sequence[str] | None = PARAMETER_SETTINGS
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

    An axis that is not among PARAMETER_SETTINGS becomes a parameter when the run is published.
    """
    card = read_card(run.file("card.yaml"))
    params, symbols = params_of({run: card})[run], _train_symbols(experiment, run.place)
    return [plan_seed(experiment, run, card, seed, params, started, 0.0, symbols) for seed in card["seeds"] or [None]]


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0, which MLflow draws as bars."""
    for split in ("valid", "test"):
        (row,) = (row for row in metrics["scores"] if row["seed"] == seed and row["split"] == split)
        yield from (Point(f"{split}/{figure}", float(row[figure])) for figure in TRACKED_FIGURES)


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
    return {(family, model) for family, models in families.items() for model in models[:LEADING_MODELS]}


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
