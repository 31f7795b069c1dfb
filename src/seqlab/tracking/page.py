"""The page of an experiment on one text in Markdown: verdicts, best models and the command that runs it again."""

import math
from pathlib import Path
from textwrap import indent

import pandas as pd

from seqlab.fleet.fit import UNDERFITTED_COLUMN
from seqlab.io.runs import Experiment, Place
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.verdicts import Verdict, find_leader, find_verdict, read_verdicts
from seqlab.report.answer import FAMILY_TITLES, compose_answer
from seqlab.report.style import format_deviation, format_number
from seqlab.report.tables import find_best_model, read_text_models

MAX_TABLE_MODELS = 15  # the artifact models.csv holds all
BEST_VERDICT = "best on validation"


def compose_experiment_page(experiment: Experiment, place: Place) -> str:
    """Return the page of `experiment` on one corpus and unit."""
    again = format_command(experiment.command)
    head = f"{place.corpus} by {place.unit}: {describe_best_model(place)}"
    if not Path(place.file("models.csv")).exists():
        return f"{head}\n\n{again}"
    models, verdicts = read_text_models(place.file("models.csv")), read_place_verdicts(place)
    notes = (
        "Models are chosen on validation and compared on test. Differences to the best model are in bits per symbol of "
        "test, with their 95 % interval over texts and seeds; verdicts are adjusted for the number of models (Holm)."
    )
    return "\n\n".join([head, _table(models, verdicts), *compose_answer(models, verdicts, None), notes, again])


def format_command(command: str) -> str:
    """Return the command of an experiment as a block of code in Markdown."""
    return f"Command:\n\n{indent(command, ' ' * 4)}\n"


def describe_best_model(place: Place) -> str:
    """Describe in one line the best model of an experiment on one corpus and unit, and its rivals."""
    if not Path(place.file("models.csv")).exists():
        return "no summary yet."
    models, verdicts = read_text_models(place.file("models.csv")), read_place_verdicts(place)
    best = find_best_model(models[models["family"].isin(FAMILY_TITLES)])
    if best is None:
        return "no model has a finite perplexity on validation."
    row = models[(models["model"] == best) & (models["split"] == "test")].iloc[0]
    rivals = []
    for family in FAMILY_TITLES:
        rival = find_best_model(models[models["family"] == family])
        verdict = find_verdict(verdicts, rival) if rival and family != row["family"] else None
        if verdict and verdict.is_known:
            rivals.append(f"{rival} {verdict.difference:+.3f} ({verdict.verdict})")
    behind = f"; bits per symbol behind it: {', '.join(rivals)}" if rivals else ""
    underfitted = models.loc[models[UNDERFITTED_COLUMN] != "", "model"].nunique()
    unsettled = f"; not settled: {underfitted} underfitted" if underfitted else ""
    return f"{best} is best, test perplexity {format_number(row['perplexity'])}{behind}{unsettled}"


def read_place_verdicts(place: Place) -> list[Verdict]:
    """Return the verdicts on the models of a corpus and unit; empty before their comparison."""
    path = Path(place.file("verdicts.csv"))
    return read_verdicts(path) if path.exists() else []


def _table(models: pd.DataFrame, verdicts: list[Verdict]) -> str:
    """Return a table of the best models on validation, best first."""
    best = find_leader(verdicts)
    test = models[models["split"] == "test"].set_index("model")
    valid = models[models["split"] == "valid"].set_index("model")["perplexity"].astype(float)
    ranking = rank_candidates(valid.index, lambda name: (valid[name], name))
    finite = [str(name) for name in ranking if math.isfinite(valid[name])]
    heads = ("model", "validation perplexity", "test perplexity", "bits per character", "behind the best", "verdict")
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in finite[:MAX_TABLE_MODELS]:
        behind = ("", BEST_VERDICT) if name == best else _behind(find_verdict(verdicts, name))
        figures = (
            format_number(valid[name]),
            *(_spread(test.loc[name], key) for key in ("perplexity", "bits_per_char")),
        )
        rows.append("| " + " | ".join((name, *figures, *behind)) + " |")
    more = f"\n\nand {len(valid) - MAX_TABLE_MODELS} more, in models.csv." if len(valid) > MAX_TABLE_MODELS else ""
    return "\n".join(rows) + more


def _behind(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "", ""
    figures = f"{verdict.difference:+.4f} ({verdict.low:+.4f} to {verdict.high:+.4f})" if verdict.is_known else ""
    return figures, verdict.verdict


def _spread(row: "pd.Series[float]", name: str) -> str:
    std = row[f"{name}_std"]
    return (
        format_number(row[name])
        if math.isnan(std)
        else f"{format_number(row[name])} ± {format_deviation(std, row[name])}"
    )
