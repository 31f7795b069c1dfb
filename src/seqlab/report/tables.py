"""summary.csv and models.csv: the figures of every run in two tables (contract in docs/files.md)."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.io.cards import SETTINGS
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified
from seqlab.io.names import natural_key
from seqlab.io.runs import Run
from seqlab.io.setting_columns import read_with_settings, with_settings
from seqlab.ledger.perplexity import COUNTS, FIGURES, NAMES
from seqlab.ledger.record import read_ledger
from seqlab.ledger.scores import SPLITS
from seqlab.ledger.selection import choose_best
from seqlab.ledger.statistics import interval
from seqlab.questions.spelling import SpellingRow

COST = ["parameters", "train_seconds", "zero_probability"]
OPEN = "open_bits_per_char"
ALL_FIGURES = (*FIGURES, OPEN)
SUMMARY_COLUMNS = [*NAMES, "seed", "split", *COUNTS, *ALL_FIGURES, *COST]
PRUNING = ["pruned_from", "pruning_loss"]
MODELS_COLUMNS = [*NAMES, "seeds", "split", *COUNTS, *(name + end for name in ALL_FIGURES for end in ("", "_std"))]
INTERVAL = ["bits_per_symbol_low", "bits_per_symbol_high"]
MODELS_COLUMNS += [*COST, *PRUNING, *INTERVAL]
SETTING_KINDS = SETTINGS["ngram"] | SETTINGS["rnn"]  # columns of models.csv; behind them stand the other axes


def summarize(runs: Iterable[Run], spelling: Mapping[str, SpellingRow]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables (summary, models) of all `runs`, with the columns and units of summary.csv and models.csv.

    `spelling` is the cost of the unknown symbols of each split, which makes bits per character those of an open
    vocabulary.

    Rows are sorted by family, model (mkn-2 before mkn-10), seed and split (valid before test). An infinite figure
    makes an infinite mean; the sample standard deviation is empty for one seed and where the mean is infinite.
    A model without seeds has `seeds` 0; `zero_probability` of a model is that of its worst seed. `pruning_loss` is the
    bits per symbol that a pruned n-gram needs more than the one it was made from, on the same split; empty for others.
    The interval, `bits_per_symbol_low` to `_high`, is that of `seqlab.ledger.statistics.interval`, from the ledger
    of each run; empty where only a total is known. The last columns of models.csv are settings: those
    of SETTING_KINDS, and every other one in which two networks differ. Raises InputError where a file is damaged or
    files contradict each other.
    """
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], str] = {}
    for run in runs:
        metrics, bits = read_ledger(run)
        path, names = run.file("metrics.json"), tuple(metrics[name] for name in NAMES)
        if names in seen:
            told = f"{path} and {seen[names]} both hold {'/'.join(names)}"
            raise InputError(f"{told}; delete the one that does not belong")
        seen[names] = path
        shared = {name: metrics[name] for name in (*NAMES, "parameters", "train_seconds")}
        shared |= {"pruned_from": metrics.get("pruned_from", ""), "settings": _settings(metrics)}
        ends = {split: _interval(metrics, split, bits[split]) for split in SPLITS}
        rows += [
            shared | row | ends[row["split"]] | {OPEN: row["bits_per_char"] + spelling[row["split"]].bits_per_char}
            for row in metrics["scores"]
        ]
    if not rows:
        raise InputError("there is no metrics.json to summarize; choose at least one model in the configuration")
    _same_symbols(rows, seen)
    rows.sort(key=_order)
    summary = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    summary["seed"] = summary["seed"].astype("Int64")  # the integers that can be empty
    return summary.astype({"train_seconds": float} | dict.fromkeys(ALL_FIGURES, float)), _models(rows)


def read_models(path: str | Path) -> pd.DataFrame:
    """The models.csv in `path` as `summarize` gave it; InputError where columns or rows are missing."""
    try:
        text = [*NAMES, "split", "pruned_from"]  # a corpus may be called 2024, or NA
        models = read_with_settings(verified(path), text, MODELS_COLUMNS, SETTING_KINDS)
    except ValueError as error:
        raise damaged(path, f"it is not a table of models: {error}") from None
    missing = [name for name in (*MODELS_COLUMNS, *SETTING_KINDS) if name not in models]
    if missing or models.empty:
        raise damaged(path, f"it has no {'column ' + missing[0] if missing else 'rows'}")
    figures = models[list(ALL_FIGURES)].apply(pd.to_numeric, errors="coerce")
    if figures.isna().any(axis=None):
        raise damaged(path, "it holds a figure that is not a number")
    return models


def axes_of(networks: pd.DataFrame) -> list[str]:
    """The settings in which networks, rows of models.csv, differ: cell, layers and hidden first."""
    others = [name for name in networks.columns if name not in (*MODELS_COLUMNS, *SETTING_KINDS)]
    return [name for name in (*SETTINGS["rnn"], *others) if networks[name].nunique(dropna=False) > 1]


def best_on_valid(models: pd.DataFrame) -> str | None:
    """Return the name of the model in `models` that is best on validation; None where no perplexity is finite."""
    valid = models[models["split"] == "valid"]
    best = choose_best(zip(valid["perplexity"], valid["model"], strict=True), lambda standing: standing)
    return best and best[1]


def _models(rows: list[dict[str, Any]]) -> pd.DataFrame:
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in (*NAMES, "split")), []).append(row)
    made = []
    for group in groups.values():
        model = group[0] | {"seeds": sum(row["seed"] is not None for row in group)}
        model["zero_probability"] = max(row["zero_probability"] for row in group)
        for name in ALL_FIGURES:
            model[name], model[f"{name}_std"] = _mean_and_std([row[name] for row in group])
        made.append(model)
    bits = {tuple(model[name] for name in (*NAMES, "split")): model["bits_per_symbol"] for model in made}
    for model in made:
        whole = (*(model[name] for name in NAMES[:-1]), model["pruned_from"], model["split"])
        model["pruning_loss"] = _less(model["bits_per_symbol"], bits.get(whole, math.nan))
    models = with_settings(
        pd.DataFrame(made, columns=MODELS_COLUMNS), [model["settings"] for model in made], SETTING_KINDS
    )
    floats = ["train_seconds", "pruning_loss", *INTERVAL, *(name + end for name in ALL_FIGURES for end in ("", "_std"))]
    return models.astype(dict.fromkeys(floats, float))


def _settings(metrics: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run that are columns of models.csv or may be: all those of a network, and some of an n-gram."""
    settings: dict[str, Any] = metrics["settings"]
    if metrics["family"] == "rnn":
        return settings
    return {name: settings.get(name) for name in SETTINGS["ngram"]} if metrics["family"] == "ngram" else {}


def _interval(metrics: dict[str, Any], split: str, bits: NDArray[Any]) -> dict[str, float]:
    """The 95 % interval of the bits per symbol of a split; empty where it is infinite or only a total is known."""
    finite = all(math.isfinite(row["bits_per_symbol"]) for row in metrics["scores"] if row["split"] == split)
    ends = interval(bits) if finite and metrics["per_symbol"] else (math.nan, math.nan)
    return dict(zip(INTERVAL, ends, strict=True))


def _mean_and_std(values: list[float]) -> tuple[float, float]:
    if math.inf in values:
        return math.inf, math.nan
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _less(bits: float, others: float) -> float:
    return math.nan if bits == others == math.inf else bits - others


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    seed = -1 if row["seed"] is None else row["seed"]
    return row["corpus"], row["unit"], row["family"], natural_key(row["model"]), seed, SPLITS.index(row["split"])


def _same_symbols(rows: list[dict[str, Any]], paths: dict[tuple[str, ...], str]) -> None:
    """Models are compared on the same symbols or not at all."""
    first: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        other = first.setdefault((row["corpus"], row["unit"], row["split"]), row)
        for name in COUNTS:
            if row[name] != other[name]:
                here, there = (paths[tuple(each[key] for key in NAMES)] for each in (row, other))
                raise InputError(
                    f"{here} has {row[name]} {name} in {row['split']} where {there} has {other[name]}, so they scored "
                    "different texts; delete the older one and run the workflow again"
                )
