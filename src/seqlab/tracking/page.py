"""The page of a sweep, in Markdown: which model is best, by how much, whether it is real, and how to do it again."""

import math
from pathlib import Path

import pandas as pd

from seqlab.ledger.verdicts import COLUMNS, read_verdicts
from seqlab.report.page import answer
from seqlab.report.style import deviation, number
from seqlab.report.tables import read_models

SHOWN = 15  # models in the table; the artifact models.csv holds all


def sweep_page(base: Path, command: str) -> str:
    """What the run of a sweep tells of results/{corpus}/{unit}, `base`, which `command` made."""
    again = f"Made by\n\n    {command}\n"
    if not (base / "models.csv").exists():
        return f"The models of {base.parent.name} by {base.name} have not been summarised yet.\n\n{again}"
    models, judged = read_models(base / "models.csv"), _judged(base)
    sentences = answer(models, judged, None)
    head = f"{base.parent.name} by {base.name}. {sentences[0]}"  # MLflow shows the first line above everything
    notes = (
        "Models are chosen on valid and judged on test. Bits per symbol behind the best are those of test, with "
        "their 95 % interval over texts and seeds; a verdict is adjusted for the number of models (Holm)."
    )
    return "\n\n".join([head, *sentences[1:], _table(models, judged), notes, again])


def _judged(base: Path) -> pd.DataFrame:
    path = base / "verdicts.csv"
    return read_verdicts(path) if path.exists() else pd.DataFrame(columns=COLUMNS)


def _table(models: pd.DataFrame, judged: pd.DataFrame) -> str:
    """The models that are best on valid, best first."""
    best = str(judged["against"].iloc[0]) if len(judged) else ""
    told = judged[judged["against"] == best].set_index("model")
    test = models[models["split"] == "test"].set_index("model")
    valid = models[models["split"] == "valid"].set_index("model").sort_values("perplexity")
    finite = [str(name) for name in valid.index if math.isfinite(valid.loc[name, "perplexity"])]
    heads = ("model", "valid perplexity", "test perplexity", "bits per character", "behind the best", "verdict")
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in finite[:SHOWN]:
        behind = ("", "best on valid") if name == best else _behind(told, name)
        figures = (number(valid.loc[name, "perplexity"]), _spread(test.loc[name], "perplexity"),
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
