"""The page of an experiment on one text, in Markdown: the best model, by how much, whether that is real, and the
command that runs the experiment again.
"""

import math
from pathlib import Path
from textwrap import indent

import pandas as pd

from seqlab.io.runs import Experiment, Place
from seqlab.ledger.selection import rank_candidates
from seqlab.ledger.verdicts import ALIKE, COLUMNS, read_verdicts
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
    models, judged = read_models(place.file("models.csv")), _judged(place)
    notes = (
        "Models are chosen on valid and judged on test. Bits per symbol behind the best are those of test, with "
        "their 95 % interval over texts and seeds; a verdict is adjusted for the number of models (Holm)."
    )
    return "\n\n".join([head, _table(models, judged), *answer(models, judged, None), notes, again])


def made_by(command: str) -> str:
    """The command of an experiment as a block of code, in which Markdown takes nothing for markup."""
    return f"Made by\n\n{indent(command, ' ' * 4)}\n"


def best_model(place: Place) -> str:
    """The best model of an experiment on one corpus and unit, by how much, and whether that is real, in one line."""
    if not Path(place.file("models.csv")).exists():
        return "not summarised yet."
    models, judged = read_models(place.file("models.csv")), _judged(place)
    best = best_on_valid(models[models["family"].isin(CHOSEN)])
    if best is None:
        return "no model has a finite perplexity on valid."
    row = models[(models["model"] == best) & (models["split"] == "test")].iloc[0]
    told = judged[judged["against"] == best].set_index("model")
    rest = []
    for family in CHOSEN:
        rival = best_on_valid(models[models["family"] == family])
        if family != row["family"] and rival in told.index and not math.isnan(told.loc[rival, "difference"]):
            real = "real" if told.loc[rival, "verdict"] != ALIKE else "may be chance"
            rest.append(f"{rival} {told.loc[rival, 'difference']:+.3f} ({real})")
    behind = f"; bits per symbol behind it: {', '.join(rest)}" if rest else ""
    return f"{best} is best, test perplexity {number(row['perplexity'])}{behind}"


def _judged(place: Place) -> pd.DataFrame:
    path = Path(place.file("verdicts.csv"))
    return read_verdicts(path) if path.exists() else pd.DataFrame(columns=COLUMNS)


def _table(models: pd.DataFrame, judged: pd.DataFrame) -> str:
    """The models that are best on valid, best first."""
    best = str(judged["against"].iloc[0]) if len(judged) else ""
    told = judged[judged["against"] == best].set_index("model")
    test = models[models["split"] == "test"].set_index("model")
    valid = models[models["split"] == "valid"].set_index("model")["perplexity"].astype(float)
    ranking = rank_candidates(valid.index, lambda name: (valid[name], name))
    finite = [str(name) for name in ranking if math.isfinite(valid[name])]
    heads = ("model", "valid perplexity", "test perplexity", "bits per character", "behind the best", "verdict")
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in finite[:SHOWN]:
        behind = ("", "best on valid") if name == best else _behind(told, name)
        figures = (number(valid[name]), _spread(test.loc[name], "perplexity"),
                   _spread(test.loc[name], "bits_per_char"))  # fmt: skip
        rows.append("| " + " | ".join((name, *figures, *behind)) + " |")
    more = f"\n\nand {len(valid) - SHOWN} more, in models.csv." if len(valid) > SHOWN else ""
    return "\n".join(rows) + more


def _behind(told: pd.DataFrame, name: str) -> tuple[str, str]:
    if name not in told.index:
        return "", ""
    row = told.loc[name]
    if math.isnan(row["difference"]):
        return "", str(row["verdict"])
    return f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})", str(row["verdict"])


def _spread(row: "pd.Series[float]", name: str) -> str:
    std = row[f"{name}_std"]
    return number(row[name]) if math.isnan(std) else f"{number(row[name])} ± {deviation(std, row[name])}"
