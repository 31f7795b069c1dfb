"""MLflow runs of language models: one for each model and seed, and one for their experiment."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from seqlab.io.cards import read_card
from seqlab.io.files import read_json
from seqlab.io.runs import Experiment, Place, Run
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.verdicts import IMPOSSIBLE, TOTAL_ONLY, Verdict, find_leader
from seqlab.tracking.page import BEST_VERDICT, compose_experiment_page, describe_best_model, read_place_verdicts
from seqlab.tracking.runs import (
    PlannedRun,
    Point,
    format_value,
    plan_parent,
    plan_seed,
    plan_seeds,
    read_fit_tags,
)

# MLflow compares runs by the first metric, so the selecting metric comes first.
TRACKED_FIGURES = ("perplexity", "bits_per_char", "bits_per_symbol")
# The settings that are always parameters; others are parameters where they are axes. The card holds all settings.
PARAMETER_SETTINGS = [
    "smoothing",
    "order",
    "prune",
    "cell",
    "layers",
    "hidden",
    "embedding",
    "tied",
    "beta_max",
    "epochs",
    "steps",
    "batch_size",
]
PARAMETER_SETTINGS += ["optimiser", "learning_rate", "dropout", "parts"]
SHORT_REASONS = {TOTAL_ONLY: "total only", IMPOSSIBLE: "infinite"}  # reason for no verdict -> tag
LEADING_MODELS = 5  # models of a family in charts of several families
TEXT_ARTIFACTS = ("card.yaml", "sample.txt")
TEXT_TABLES = (
    "summary.csv",
    "models.csv",
    "verdicts.csv",
    "breakdown.csv",
    "memory.csv",
    "gaps.csv",
    "published.csv",
    "audit.csv",
)


def plan_texts(experiment: Experiment, place: Place, runs: Sequence[Run]) -> Iterator[PlannedRun]:
    """Yield the MLflow run of the experiment on one corpus and unit, then those of its finished `runs`."""
    cards = {run: read_card(run.file("card.yaml")) for run in runs}
    page, answer = compose_experiment_page(experiment, place), describe_best_model(place)
    parent = plan_parent(experiment, place, TEXT_TABLES, page, answer, cards.values())
    yield parent
    params, symbols = select_params(cards), _train_symbols(experiment, place)
    standings, fits, leaders = _standings(place), read_fit_tags(place), find_leading_models(place)
    answers = _read_answers(place)
    for run, card in cards.items():
        standing = standings.get(run.model, {}) | fits.get(run.model, {})
        standing |= {"leading": "yes" if (run.family, run.model) in leaders else "no"}
        metrics = read_metrics(run.file("metrics.json"))
        figures = partial(_figures, answers=answers)
        for planned in plan_seeds(experiment, run, card, params[run], metrics, TEXT_ARTIFACTS, figures, symbols):
            yield replace(planned, standing=standing, parent=parent.key)


def select_params(
    cards: Mapping[Run, dict[str, Any]], always: Sequence[str] | None = PARAMETER_SETTINGS
) -> dict[Run, dict[str, str]]:
    """Return the parameters of every run: the axes of its family, that is the settings in which its runs differ, then
    the settings that are `always` parameters (None for all).
    """
    families: dict[str, dict[Run, dict[str, str]]] = {}
    for run, card in cards.items():
        families.setdefault(run.family, {})[run] = flatten_settings(card["settings"])
    params = {}
    for settings in families.values():
        names = list(dict.fromkeys(name for values in settings.values() for name in values))
        axes = [name for name in names if len({values.get(name) for values in settings.values()}) > 1]
        for run, values in settings.items():
            ordered = dict.fromkeys([*axes, *(names if always is None else always)])
            known = {name: values[name] for name in ordered if name in values}
            params[run] = known | {"family": run.family, "model": run.model}
    return params


def flatten_settings(settings: dict[str, Any]) -> dict[str, str]:
    """Return nested settings as text by the last part of their names, or by the full name where that is ambiguous."""
    whole: dict[str, str] = {}
    groups = [("settings", settings)]
    for prefix, group in groups:  # grows during the loop
        for name, value in group.items():
            if isinstance(value, dict):
                groups.append((f"{prefix}.{name}", value))
            else:
                whole[f"{prefix}.{name}"] = format_value(value)
    last = [name.rsplit(".", 1)[-1] for name in whole] + ["seed", "family", "model"]
    return {part if last.count(part) == 1 else name: whole[name] for name, part in zip(whole, last, strict=False)}


def plan_begun_runs(experiment: Experiment, run: Run, started: int) -> list[PlannedRun]:
    """Return the runs of a model in training, one for each seed, before its first epoch.

    Axes outside of PARAMETER_SETTINGS become parameters when the run is published.
    """
    card = read_card(run.file("card.yaml"))
    params, symbols = select_params({run: card})[run], _train_symbols(experiment, run.place)
    return [plan_seed(experiment, run, card, seed, params, started, 0.0, symbols) for seed in card["seeds"] or [None]]


def _figures(
    metrics: dict[str, Any], seed: int | None, answers: Mapping[tuple[str, str, str], list[Point]]
) -> Iterator[Point]:
    """Yield single figures at step 0, which MLflow draws as bars; `answers` as `_read_answers`."""
    for split in ("valid", "test"):
        (row,) = (row for row in metrics["scores"] if row["seed"] == seed and row["split"] == split)
        yield from (Point(f"{split}/{figure}", float(row[figure])) for figure in TRACKED_FIGURES)
    yield from answers.get((metrics["family"], metrics["model"], "" if seed is None else str(seed)), [])


def _read_answers(place: Place) -> dict[tuple[str, str, str], list[Point]]:
    """Return bits per answer by family, model and seed, as test/bits_per_answer and second_text/bits_per_answer; empty
    without gaps.csv.
    """
    path = Path(place.file("gaps.csv"))
    if not path.exists():
        return {}
    points: dict[tuple[str, str, str], list[Point]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["longest"] == "inf":  # all answers of a text
                point = Point(f"{row['text'].replace(' ', '_')}/bits_per_answer", float(row["bits_per_answer"]))
                points.setdefault((row["family"], row["model"], row["seed"]), []).append(point)
    return points


def find_leading_models(place: Place) -> set[tuple[str, str]]:
    """Return the (family, model) pairs of the best models of each family on validation, for charts."""
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
    """Return the verdict tags of every model: its difference to the best model on validation."""
    verdicts = read_place_verdicts(place)
    best = find_leader(verdicts)
    standings = {verdict.model: _standing(verdict) for verdict in verdicts if verdict.against == best}
    return standings | {best: {"behind": "0 bits"} | dict.fromkeys(("verdict", "verdict in full"), BEST_VERDICT)}


def _standing(verdict: Verdict) -> dict[str, str]:
    """Return short tags for the table of runs, and one with the full verdict."""
    short = verdict.verdict if verdict.is_known else SHORT_REASONS.get(verdict.verdict, "not compared")
    tags = {"verdict": "known source" if verdict.family == "source" else short, "verdict in full": verdict.in_words}
    return tags | ({"behind": f"{verdict.difference:+.3f} bits"} if verdict.is_known else {})


def _train_symbols(experiment: Experiment, place: Place) -> int | None:
    """Return the number of symbols in the train split; None where the prepared text was removed."""
    splits = Path(experiment.prepared[place]) / "splits.json"
    return int(read_json(splits)["splits"]["train"]["symbols"]) if splits.exists() else None
