"""The page of an experiment on one text, in Markdown: the best model, by how much, whether that is real, and the
command that runs the experiment again.
"""

import math
from pathlib import Path
from textwrap import indent

import pandas as pd

from seqlab.io.runs import Experiment, Place
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.verdicts import Verdict, find_leader, find_verdict, read_verdicts
from seqlab.report.answer import CHOSEN, answer
from seqlab.report.style import deviation, number
from seqlab.report.tables import best_on_valid, read_models

SHOWN = 15  # models in the table; the artifact models.csv holds all


def experiment_page(experiment: Experiment, place: Place) -> str:
    """The page of the run that stands for `experiment` on one corpus and unit."""
    again = made_by(experiment.command)
    head = f"{place.corpus} by {place.unit}: {best_model(place)}"
    if not Path(place.file("models.csv")).exists():
        return f"{head}\n\n{again}"
    models, verdicts = read_models(place.file("models.csv")), read_place_verdicts(place)
    notes = (
        "Models are chosen on valid and judged on test. Bits per symbol behind the best are those of test, with "
        "their 95 % interval over texts and seeds; a verdict is adjusted for the number of models (Holm)."
    )
    return "\n\n".join([head, _table(models, verdicts), *answer(models, verdicts, None), notes, again])


def made_by(command: str) -> str:
    """The command of an experiment as a block of code, in which Markdown takes nothing for markup."""
    return f"Made by\n\n{indent(command, ' ' * 4)}\n"


def best_model(place: Place) -> str:
    """The best model of an experiment on one corpus and unit, by how much, and whether that is real, in one line."""
    if not Path(place.file("models.csv")).exists():
        return "not summarised yet."
    models, verdicts = read_models(place.file("models.csv")), read_place_verdicts(place)
    best = best_on_valid(models[models["family"].isin(CHOSEN)])
    if best is None:
        return "no model has a finite perplexity on valid."
    row = models[(models["model"] == best) & (models["split"] == "test")].iloc[0]
    rest = []
    for family in CHOSEN:
        rival = best_on_valid(models[models["family"] == family])
        verdict = find_verdict(verdicts, rival) if rival and family != row["family"] else None
        if verdict and verdict.is_known:
            rest.append(f"{rival} {verdict.difference:+.3f} ({verdict.verdict})")
    behind = f"; bits per symbol behind it: {', '.join(rest)}" if rest else ""
    return f"{best} is best, test perplexity {number(row['perplexity'])}{behind}"


def read_place_verdicts(place: Place) -> list[Verdict]:
    """Return the verdicts on the models of a corpus and unit; none where they have not been compared."""
    path = Path(place.file("verdicts.csv"))
    return read_verdicts(path) if path.exists() else []


def _table(models: pd.DataFrame, verdicts: list[Verdict]) -> str:
    """The models that are best on valid, best first."""
    best = find_leader(verdicts)
    test = models[models["split"] == "test"].set_index("model")
    valid = models[models["split"] == "valid"].set_index("model")["perplexity"].astype(float)
    ranking = rank_candidates(valid.index, lambda name: (valid[name], name))
    finite = [str(name) for name in ranking if math.isfinite(valid[name])]
    heads = ("model", "valid perplexity", "test perplexity", "bits per character", "behind the best", "verdict")
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in finite[:SHOWN]:
        behind = ("", "best on valid") if name == best else _behind(find_verdict(verdicts, name))
        figures = (number(valid[name]), _spread(test.loc[name], "perplexity"),
                   _spread(test.loc[name], "bits_per_char"))  # fmt: skip
        rows.append("| " + " | ".join((name, *figures, *behind)) + " |")
    more = f"\n\nand {len(valid) - SHOWN} more, in models.csv." if len(valid) > SHOWN else ""
    return "\n".join(rows) + more


def _behind(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "", ""
    figures = f"{verdict.difference:+.4f} ({verdict.low:+.4f} to {verdict.high:+.4f})" if verdict.is_known else ""
    return figures, verdict.verdict


def _spread(row: "pd.Series[float]", name: str) -> str:
    std = row[f"{name}_std"]
    return number(row[name]) if math.isnan(std) else f"{number(row[name])} ± {deviation(std, row[name])}"
