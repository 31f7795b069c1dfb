"""Tables of a text: summary.csv with a row for each seed, models.csv with a row for each model."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqlab.fleet.fit import UNDERFITTED_COLUMN, find_underfitted
from seqlab.io.cards import FAMILY_SETTINGS
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified
from seqlab.io.names import natural_key
from seqlab.io.runs import Run
from seqlab.io.setting_columns import add_settings, read_settings_table
from seqlab.ledger.perplexity import COUNT_NAMES, FIGURE_NAMES, RUN_NAMES
from seqlab.ledger.record import read_ledger
from seqlab.ledger.scores import SCORED_SPLITS
from seqlab.ledger.selection import choose_best, find_frontier
from seqlab.ledger.statistics import estimate_interval
from seqlab.questions.spelling import SpellingRow

COST_COLUMNS = ["parameters", "train_seconds", "zero_probability"]
OPEN_COLUMN = "open_bits_per_char"
FIGURE_COLUMNS = (*FIGURE_NAMES, OPEN_COLUMN)
ANSWER_COLUMN = "bits_per_answer"
TEXT_SUMMARY_COLUMNS = [*RUN_NAMES, "seed", "split", *COUNT_NAMES, *FIGURE_COLUMNS, ANSWER_COLUMN, *COST_COLUMNS]
PRUNING_COLUMNS = ["pruned_from", "pruning_loss"]
FIGURE_STATISTICS = [name + end for name in (*FIGURE_COLUMNS, ANSWER_COLUMN) for end in ("", "_std")]
TEXT_MODEL_COLUMNS = [*RUN_NAMES, "seeds", "split", *COUNT_NAMES, *FIGURE_STATISTICS]
BOUND_COLUMNS = ["bits_per_symbol_low", "bits_per_symbol_high"]
# column of a cost -> column with the best single model that costs no more
BUDGET_COLUMNS = {"parameters": "best_by_parameters", "train_seconds": "best_by_seconds"}
TEXT_MODEL_COLUMNS += [*COST_COLUMNS, *PRUNING_COLUMNS, *BOUND_COLUMNS, *BUDGET_COLUMNS.values(), UNDERFITTED_COLUMN]
NO_ANSWERS: Mapping[str, NDArray[np.bool_]] = {}
# columns of models.csv, followed by the other axes
TEXT_SETTING_KINDS = FAMILY_SETTINGS["ngram"] | FAMILY_SETTINGS["rnn"]


def summarize_texts(
    runs: Iterable[Run], spelling: Mapping[str, SpellingRow], answers: Mapping[str, NDArray[np.bool_]] = NO_ANSWERS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables summary.csv and models.csv of all `runs`.

    `spelling` is the cost of the unknown symbols of each split, which turns bits per character into those of an
    open vocabulary. `answers` marks those scored symbols of each split that answer a question about the state of
    the source; `bits_per_answer` is their mean cost, empty without answers and where only a total is known. Rows
    are sorted by family, model (mkn-2 before mkn-10), seed and split (valid before test). An infinite figure makes
    an infinite mean; the sample standard deviation is empty for one seed and for infinite means. A model without
    seeds has `seeds` 0; `zero_probability` of a model is that of its worst seed. `pruning_loss` is the difference
    in bits per symbol of a pruned n-gram to its unpruned model; empty for others. `bits_per_symbol_low` and `_high`
    bound the interval of `ledger.statistics.estimate_interval`; empty where only a total is known.
    `best_by_parameters` and `best_by_seconds` of an n-gram or a network name the best n-gram or network (chosen on
    the validation split) with at most as many parameters, or as many seconds of training. `underfitted` is the
    reason of `fleet.fit.find_underfitted`, or empty. The last columns of models.csv are settings: those of
    TEXT_SETTING_KINDS, and all others in which two networks differ.

    Raise InputError where a file is damaged or files contradict each other.
    """
    rows: list[dict[str, Any]] = []
    paths: dict[tuple[str, ...], str] = {}
    trained: list[dict[str, Any]] = []
    for run in runs:
        metrics, bits = read_ledger(run)
        path, names = run.file("metrics.json"), tuple(metrics[name] for name in RUN_NAMES)
        if names in paths:
            raise InputError(f"{path} and {paths[names]} both hold {'/'.join(names)}; delete the wrong one")
        paths[names] = path
        trained.append(metrics)
        shared = {name: metrics[name] for name in (*RUN_NAMES, "parameters", "train_seconds")}
        shared |= {"pruned_from": metrics.get("pruned_from", ""), "settings": _settings(metrics)}
        ends = {split: _interval(metrics, split, bits[split]) for split in SCORED_SPLITS}
        replicas = list(dict.fromkeys(row["seed"] for row in metrics["scores"]))
        for row in metrics["scores"]:
            split = row["split"]
            open_bits = row["bits_per_char"] + spelling[split].bits_per_char
            of_seed = bits[split][replicas.index(row["seed"])]
            figures = {OPEN_COLUMN: open_bits, ANSWER_COLUMN: _bits_per_answer(metrics, of_seed, answers.get(split))}
            rows.append(shared | row | ends[split] | figures)
    if not rows:
        raise InputError("there is no metrics.json to summarize; add a model to the configuration")
    _check_symbols(rows, paths)
    reasons = dict(zip(paths, find_underfitted(trained), strict=True))
    for row in rows:
        row[UNDERFITTED_COLUMN] = reasons[tuple(row[name] for name in RUN_NAMES)]
    rows.sort(key=_order)
    summary = pd.DataFrame(rows, columns=TEXT_SUMMARY_COLUMNS)
    summary["seed"] = summary["seed"].astype("Int64")  # integers that may be missing
    return summary.astype({"train_seconds": float} | dict.fromkeys((*FIGURE_COLUMNS, ANSWER_COLUMN), float)), _models(
        rows
    )


def read_text_models(path: str | Path) -> pd.DataFrame:
    """Return the models.csv in `path`; InputError where columns or rows are missing."""
    try:
        # a corpus may be called 2024, or NA
        text = [*RUN_NAMES, "split", "pruned_from", *BUDGET_COLUMNS.values(), UNDERFITTED_COLUMN]
        models = read_settings_table(verified(path), text, TEXT_MODEL_COLUMNS, TEXT_SETTING_KINDS)
    except ValueError as error:
        raise damaged(path, f"it is not a valid table: {error}") from None
    missing = [name for name in (*TEXT_MODEL_COLUMNS, *TEXT_SETTING_KINDS) if name not in models]
    if missing or models.empty:
        raise damaged(path, f"it has no {'column ' + missing[0] if missing else 'rows'}")
    figures = models[list(FIGURE_COLUMNS)].apply(pd.to_numeric, errors="coerce")
    if figures.isna().any(axis=None):
        raise damaged(path, "it has a figure that is not a number")
    return models


def list_axes(networks: pd.DataFrame) -> list[str]:
    """Return the settings in which networks, rows of models.csv, differ: cell, layers and hidden first."""
    others = [name for name in networks.columns if name not in (*TEXT_MODEL_COLUMNS, *TEXT_SETTING_KINDS)]
    return [name for name in (*FAMILY_SETTINGS["rnn"], *others) if networks[name].nunique(dropna=False) > 1]


def find_best_model(models: pd.DataFrame) -> str | None:
    """Return the name of the model in `models` that is best on validation; None where no perplexity is finite."""
    valid = models[models["split"] == "valid"]
    best = choose_best(zip(valid["perplexity"], valid["model"], strict=True), lambda standing: standing)
    return best and best[1]


def find_frontier_models(models: pd.DataFrame, cost: str) -> pd.DataFrame:
    """Return the test rows of the `models` that are the best on validation of all that cost no more, cheapest first.

    `cost` is a column, such as parameters. The best model within a budget is the last row that costs no more.
    """
    valid = models[models["split"] == "valid"]
    candidates = zip(valid["perplexity"], valid["model"], valid[cost], strict=True)
    frontier = find_frontier(candidates, lambda candidate: candidate[:2], lambda candidate: float(candidate[2]))
    test = models[models["split"] == "test"].set_index("model", drop=False)
    return test.loc[[model for _, model, _ in reversed(frontier)]]


def select_single_models(models: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of n-grams and networks, the models that costs are compared of."""
    return models[models["family"].isin(FAMILY_SETTINGS)]


def _models(rows: list[dict[str, Any]]) -> pd.DataFrame:
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in (*RUN_NAMES, "split")), []).append(row)
    table = []
    for group in groups.values():
        model = group[0] | {"seeds": sum(row["seed"] is not None for row in group)}
        model["zero_probability"] = max(row["zero_probability"] for row in group)
        for name in (*FIGURE_COLUMNS, ANSWER_COLUMN):
            model[name], model[f"{name}_std"] = _mean_and_std([row[name] for row in group])
        table.append(model)
    bits = {tuple(model[name] for name in (*RUN_NAMES, "split")): model["bits_per_symbol"] for model in table}
    for model in table:
        whole = (*(model[name] for name in RUN_NAMES[:-1]), model["pruned_from"], model["split"])
        model["pruning_loss"] = _subtract(model["bits_per_symbol"], bits.get(whole, math.nan))
    models = add_settings(
        pd.DataFrame(table, columns=TEXT_MODEL_COLUMNS), [model["settings"] for model in table], TEXT_SETTING_KINDS
    )
    floats = ["train_seconds", "pruning_loss", *BOUND_COLUMNS, *FIGURE_STATISTICS]
    models = models.astype(dict.fromkeys(floats, float))
    return models.assign(**{column: _best_within(models, cost) for cost, column in BUDGET_COLUMNS.items()})


def _best_within(models: pd.DataFrame, cost: str) -> list[str]:
    """Return for each row the best single model of at most its `cost`; empty for other models and without a best."""
    single = select_single_models(models)
    frontier = find_frontier_models(single, cost)
    places = np.searchsorted(frontier[cost], models[cost], side="right")
    names = np.array(["", *frontier["model"]], dtype=object)[places]
    return [name if row in single.index else "" for row, name in zip(models.index, names, strict=True)]


def _settings(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that may be columns of models.csv: all of a network, some of an n-gram."""
    settings: dict[str, Any] = metrics["settings"]
    if metrics["family"] == "rnn":
        return settings
    return {name: settings.get(name) for name in FAMILY_SETTINGS["ngram"]} if metrics["family"] == "ngram" else {}


def _interval(metrics: dict[str, Any], split: str, bits: NDArray[Any]) -> dict[str, float]:
    """Return the 95 % interval of the bits per symbol of a split; NaN where it is infinite or only a total is known."""
    finite = all(math.isfinite(row["bits_per_symbol"]) for row in metrics["scores"] if row["split"] == split)
    ends = estimate_interval(bits) if finite and metrics["per_symbol"] else (math.nan, math.nan)
    return dict(zip(BOUND_COLUMNS, ends, strict=True))


def _bits_per_answer(metrics: dict[str, Any], bits: NDArray[Any], is_answer: NDArray[np.bool_] | None) -> float:
    """Return the mean of the `bits` of a replica, (scored symbols,), at answers; NaN where it is unknown."""
    if is_answer is None or not is_answer.any() or not metrics["per_symbol"]:
        return math.nan
    return float(bits[is_answer].mean(dtype=np.float64))


def _mean_and_std(values: list[float]) -> tuple[float, float]:
    if math.inf in values:
        return math.inf, math.nan
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _subtract(bits: float, baseline: float) -> float:
    return math.nan if bits == baseline == math.inf else bits - baseline


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    seed = -1 if row["seed"] is None else row["seed"]
    return row["corpus"], row["unit"], row["family"], natural_key(row["model"]), seed, SCORED_SPLITS.index(row["split"])


def _check_symbols(rows: list[dict[str, Any]], paths: dict[tuple[str, ...], str]) -> None:
    """Raise InputError unless all models were scored on the same symbols."""
    first: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        reference = first.setdefault((row["corpus"], row["unit"], row["split"]), row)
        for name in COUNT_NAMES:
            if row[name] != reference[name]:
                path, expected = (paths[tuple(scored[key] for key in RUN_NAMES)] for scored in (row, reference))
                raise InputError(
                    f"{path} has {row[name]} {name} in {row['split']}, but {expected} has {reference[name]}, so they "
                    "scored different texts; delete the older one and run the workflow again"
                )
