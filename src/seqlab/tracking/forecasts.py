"""The runs of models of series: one for each model and seed, and one for the sweep that they belong to.

results/forecast/{series}/{model} becomes runs of the experiment forecast/{series}. Figures are named after their
horizon: test/rmse-4 is that of 4 steps ahead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqlab.cards import read_card
from seqlab.forecast.record import FIGURES, read_forecast_metrics
from seqlab.forecast.tables import best_on_valid, read_models
from seqlab.report.style import number
from seqlab.tracking.language_models import curves, flat, read_history
from seqlab.tracking.page import made_by
from seqlab.tracking.runs import Dataset, PlannedRun, Point, Sweep, digest

FILES = ("card.yaml", "orders.csv")
TABLES = ("summary.csv", "models.csv")


def plan(results: Path, folders: Sequence[Path], sweep: Sweep) -> Iterator[PlannedRun]:
    """The runs of the models in `folders` and of the sweep on every series."""
    for base in dict.fromkeys(folder.parent for folder in folders):
        parent = _plan_sweep(base, sweep)
        yield parent
        for folder in folders:
            if folder.parent == base:
                for run in _plan_model(folder):
                    yield replace(run, standing={"sweep": sweep.name}, sweep=parent.key)


def _plan_model(folder: Path) -> Iterator[PlannedRun]:
    """One run per seed, or a single one where the model has none."""
    card, metrics = read_card(folder / "card.yaml"), read_forecast_metrics(folder / "metrics.json")
    history = read_history(folder / "history.csv")
    seconds = float(metrics["train_seconds"])
    start = (folder / "metrics.json").stat().st_mtime_ns // 1_000_000 - round(1000 * seconds)
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        seeded = {} if seed is None else {"seed": str(seed)}
        named = {key: card[key] for key in ("series", "family")}
        yield PlannedRun(
            experiment=f"forecast/{card['series']}",
            key=digest(card | {"seeds": seed}),  # of this seed alone: another seed must not change the key
            name=card["model"] if seed is None else f"{card['model']}-s{seed}",
            start=start,
            seconds=seconds,
            tags={"kind": "model", **named, **seeded, "data": card["data"]["table"], "card": metrics["card"]},
            params=flat(card["settings"]) | seeded | {"family": card["family"], "model": card["model"]},
            points=(*_figures(metrics, seed), *curves(history, seed)),
            artifacts=tuple((folder / name, None) for name in FILES if (folder / name).exists()),
            dataset=Dataset(card["series"], card["data"]["table"][:16]),
        )


def _figures(metrics: dict[str, Any], seed: int | None) -> Iterator[Point]:
    """Single figures at step 0; those that can't be told are left out, as MLflow would draw them."""
    for row in metrics["scores"]:
        for name in FIGURES:
            if row["seed"] == seed and row.get(name, float("nan")) == row.get(name):  # not NaN
                yield Point(f"{row['split']}/{name}-{row['horizon']}", float(row[name]))
    yield Point("model/parameters", float(metrics["parameters"]))
    yield Point("train/seconds", float(metrics["train_seconds"]))


def _plan_sweep(base: Path, sweep: Sweep) -> PlannedRun:
    """The run that stands for the sweep on one series: the answer, the tables and the figures."""
    tables = [(base / name, None) for name in TABLES if (base / name).exists()]
    artifacts = (*tables, *((path, "figures") for path in sorted((base / "figures").glob("*.svg"))))
    newest = max((path.stat().st_mtime_ns for path, _ in artifacts), default=0) // 1_000_000
    tags = {"kind": "sweep", "series": base.name, "sweep": sweep.name}
    page = {"mlflow.note.content": _page(base, sweep.command)}
    name = f"sweep {sweep.name}"
    return PlannedRun(f"forecast/{base.name}", digest(tags), name, newest, 0.0, tags, artifacts=artifacts,
                      standing=page)  # fmt: skip


def _page(base: Path, command: str) -> str:
    """The answer in a sentence, then the command that made it."""
    if not (base / "models.csv").exists():
        return f"Forecasts of {base.name}."
    models = read_models(base / "models.csv")
    best = best_on_valid(models)
    test = models[(models["split"] == "test") & (models["horizon"] == 1)].set_index("model")["rmse"]
    answer = f"Best on valid one step ahead: {best}, test RMSE {number(test[best])}"
    return f"{answer}; persistence has {number(test['persistence'])}.\n\n{made_by(command)}"
